"""Languages in the names of translated files: ISO 639-3, as WebFAQ writes them, and ISO 639-1."""

from __future__ import annotations

from pathlib import Path

from webfaq_domains.ground.languages import languages
from webfaq_eval.errors import TaskDataError

#: ISO 639-3 code -> ISO 639-1 code.
TWO_LETTERS = {code: one.iso1 for code, one in languages().items() if one.iso1}
_THREE_LETTERS = {two: three for three, two in TWO_LETTERS.items()} | {"swh": "swa"}


def three_letters(code: str) -> str:
    """Return the ISO 639-3 code of a language given by either code.

    :raises TaskDataError: if the code is of no known language.
    """
    lower = code.lower()
    found = lower if lower in TWO_LETTERS else _THREE_LETTERS.get(lower)
    if found is None:
        raise TaskDataError(
            f"{code!r} is no known language; expected one of {' '.join(TWO_LETTERS)}"
        )
    return found


def language_of_file(path: Path) -> str | None:
    """Return the language that a file's name ends in (`train.deu.jsonl`, `multinli.train.de.tsv`).

    None if it names no language.
    """
    last = path.stem.rpartition(".")[2] if "." in path.stem else ""
    return last if last in TWO_LETTERS else _THREE_LETTERS.get(last)
