"""The language that a file's path says, where no column does.

Words of a path are only believed in a layout: a partition (`lang=de/`), or folders or files that are
all named after languages (`deu/`, `fra/`; `pt-BR.csv`, `zh-Hant.csv`). Else `mar.csv` would be
Marathi and `new/` Newari. Where only one file or folder is there, there is no layout to be seen: a
three-letter code (`deu.jsonl`) is then a weak claim, which the text can refute.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from webfaq_domains.ground.errors import SourceError
from webfaq_domains.ground.languages import languages, to_iso3

_PARTITION = re.compile(r"(?:lang|language)=(.*)")
_TAG = re.compile(
    r"([a-z]{2,3}(?:[-_](?:[A-Z][a-z]{3}|[A-Z]{2}))*)"
    r"(?:[-_](?:train|valid|validation|dev|test|default|of|\d+))*"
)


@dataclass(frozen=True)
class PathClaim:
    """The language of a path, the word that says it, and whether a layout bears it out."""

    language: str
    word: str
    sure: bool


def path_claims(names: Iterable[str]) -> dict[str, PathClaim]:
    """Return what the paths of a source's files say of their language; most say nothing.

    :raises SourceError: for a partition (`lang=…`) of a language that is not known.
    """
    paths = [PurePosixPath(name) for name in names]
    layouts = _layouts(paths)
    found = {}
    for path in paths:
        claim = _partition(path)
        for part in (path, *path.parents):
            claim = claim or layouts.get(part.parent, {}).get(part)
        if claim:
            found[str(path)] = claim
    return found


def told(claims: dict[str, PathClaim]) -> list[str]:
    """Say which languages were read from which words."""
    words = sorted({f"{claim.word} = {claim.language}" for claim in claims.values()})
    if not words:
        return []
    more = f" and {len(words) - 20} more" if len(words) > 20 else ""
    return [f"languages by the paths of {len(claims)} files: {', '.join(words[:20])}{more}"]


def _partition(path: PurePosixPath) -> PathClaim | None:
    for part in reversed(path.parts[:-1]):
        if match := _PARTITION.fullmatch(part):
            language = to_iso3(match[1])
            if language is None:
                raise SourceError(f"{path}: {part} names no language that is known; rename it")
            return PathClaim(language, part, sure=True)
    return None


def _layouts(paths: list[PurePosixPath]) -> dict[PurePosixPath, dict[PurePosixPath, PathClaim]]:
    """Return the claims of the folders whose files, or whose folders, are all named by language."""
    children: defaultdict[tuple[PurePosixPath, bool], set[PurePosixPath]] = defaultdict(set)
    for path in paths:
        children[path.parent, True].add(path)
        for folder in path.parents:
            if folder.name:
                children[folder.parent, False].add(folder)
    layouts: defaultdict[PurePosixPath, dict[PurePosixPath, PathClaim]] = defaultdict(dict)
    for (parent, are_files), siblings in children.items():
        words = {one: one.name.split(".")[0] if are_files else one.name for one in siblings}
        codes = {one: _language(word) for one, word in words.items()}
        sure = len(set(codes.values())) > 1
        for one, code in codes.items():
            if code and None not in codes.values() and (sure or _is_whole(words[one])):
                layouts[parent][one] = PathClaim(code, words[one], sure)
    return layouts


def _language(word: str) -> str | None:
    match = _TAG.fullmatch(word)
    code = to_iso3(match[1]) if match else None
    # A code that the project does not name is a word unless it has a script: `apr`, `pap_Latn`.
    return code if code in languages() or (match and re.search("[A-Z]", match[1])) else None


def _is_whole(word: str) -> bool:
    return re.match(r"[a-z]{3}(?![a-z])|[a-z]{2}[-_][A-Z]", word) is not None
