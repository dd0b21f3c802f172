"""Languages in the names of translated files: ISO 639-3, as WebFAQ writes them, and ISO 639-1."""

from __future__ import annotations

from pathlib import Path

from webfaq_eval.errors import TaskDataError

_CODES = (
    "afr:af ara:ar aze:az bel:be ben:bn bul:bg cat:ca ces:cs dan:da deu:de ell:el eng:en est:et "
    "eus:eu fas:fa fin:fi fra:fr glg:gl guj:gu hau:ha heb:he hin:hi hrv:hr hun:hu hye:hy ind:id isl:is "
    "ita:it jav:jv jpn:ja kan:kn kat:ka kaz:kk khm:km kir:ky kor:ko lao:lo lav:lv lit:lt mal:ml mar:mr "
    "mkd:mk mon:mn msa:ms mya:my nep:ne nld:nl nor:no pan:pa pol:pl por:pt ron:ro rus:ru sin:si slk:sk "
    "slv:sl som:so spa:es sqi:sq srp:sr swa:sw swe:sv tam:ta tel:te tgl:tl tha:th tur:tr ukr:uk urd:ur "
    "uzb:uz vie:vi wol:wo yor:yo zho:zh"
)
#: ISO 639-3 code -> ISO 639-1 code.
TWO_LETTERS = dict(pair.split(":") for pair in _CODES.split())
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
