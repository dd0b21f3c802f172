"""CCG: a supertag for every word, from CCGbank's AUTO files (LDC2005T13; the user's own copy).

Sections 02-21 are training, 00 is dev, 23 test, as everywhere in the field; files outside section
folders are split by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from webfaq_eval.intermediate.tasks.instances import Tagged
from webfaq_eval.intermediate.tasks.source import Source, split_of_file
from webfaq_eval.row_files import read_lines
from webfaq_eval.rows import BrokenRow, Row

# (<L category part-of-speech original-part-of-speech word category-with-indices …>)
_LEAF = re.compile(r"\(<L (\S+) \S+ \S+ (\S+) [^>]*>\)")
_BRACKETS = {
    "-LRB-": "(", "-RRB-": ")", "-LCB-": "{", "-RCB-": "}", "-LSB-": "[", "-RSB-": "]",
    "``": '"', "''": '"',
}  # fmt: skip


def read_auto(path: Path) -> Iterator[Row]:
    """Yield the sentences of an AUTO file: an `ID=` line, then a derivation.

    :raises BrokenRow: if a line is neither, or a derivation is not whole.
    """
    awaited = "ID="
    for place, line in read_lines(path):
        if not line.strip():
            continue
        if not line.startswith(awaited):
            raise BrokenRow(f"{place}: starts with {line[:20]!r}; expected {awaited}…")
        if awaited == "(<":
            yield Row(place, {"derivation": line})
        awaited = "(<" if awaited == "ID=" else "ID="
    if awaited != "ID=":
        raise BrokenRow(f"{path}: ends after an ID line; expected its derivation")


def parse_ccg(row: Row) -> Tagged:
    derivation = row.text("derivation")
    leaves = _LEAF.findall(derivation)
    if not leaves or len(leaves) != derivation.count("(<L "):
        raise BrokenRow(
            f"{row.place}: {len(leaves)} of {derivation.count('(<L ')} leaves can be read; expected "
            "(<L category pos pos word category>)"
        )
    if _unclosed(derivation):
        raise BrokenRow(f"{row.place}: the derivation is cut off: a bracket is not closed")
    words = tuple(_BRACKETS.get(word, word.replace("\\/", "/")) for _, word in leaves)
    return Tagged(words, tuple(tag for tag, _ in leaves))


def _unclosed(derivation: str) -> bool:
    """Say whether a node `(<… ` lacks its `)`: brackets inside <…> belong to categories."""
    outside = re.sub(r"<[^>]*>", "", derivation)
    return outside.count("(") != outside.count(")")


def split_of_section(path: Path) -> str | None:
    """Return the split of a CCGbank file by its section's folder, or by its name outside of one."""
    section = path.parent.name
    if re.fullmatch(r"\d\d", section):
        return "train" if "02" <= section <= "21" else "dev" if section == "00" else None
    return split_of_file(path)


CCG = Source(
    "ccg", ("ccg", "ccgbank", "ccgbank_1_1"), parse_ccg,
    read=read_auto, suffixes=(".auto",), split_of=split_of_section,
)  # fmt: skip
