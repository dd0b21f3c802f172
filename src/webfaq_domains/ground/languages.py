"""The only place where language codes are mapped.

The project names a language as WebFAQ names its configs: ISO 639-3, with the macrolanguage where
WebFAQ uses one (`nor`, `zho`, `ara`, `fas`, `msa`, `swa`, …). `languages.tsv` holds one row per
language; its column `fasttext` is the code of fastText's `lid.176`, which is not ISO in places
(`als` there is Alemannic), and `aliases` lists other codes that mean the same.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Language:
    """One language: `iso3` is the project's code, `script` the usual one (ISO 15924)."""

    iso3: str
    iso1: str
    script: str
    fasttext: str
    aliases: tuple[str, ...]
    name: str


@cache
def languages() -> dict[str, Language]:
    """Return every known language by its code."""
    text = files("webfaq_domains.ground").joinpath("languages.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    return {
        row["iso3"]: Language(
            row["iso3"],
            row["iso1"],
            row["script"],
            row["fasttext"],
            tuple(row["aliases"].split()),
            row["name"],
        )
        for row in rows
    }


@cache
def _by_tag() -> dict[str, str]:
    known = languages()
    tags = {code: code for code in known}
    for code, language in known.items():
        for other in (language.iso1, *language.aliases):
            if other:
                tags.setdefault(other, code)
    return tags


@cache
def _by_fasttext() -> dict[str, str]:
    return {language.fasttext: code for code, language in languages().items() if language.fasttext}


def to_iso3(tag: str) -> str | None:
    """Return the project's code for a BCP 47, ISO 639-1 or ISO 639-3 tag, or None.

    >>> to_iso3("de-AT"), to_iso3("zh_Hant"), to_iso3("nb"), to_iso3("x-klingon")
    ('deu', 'zho', 'nor', None)
    """
    primary = tag.strip().lower().replace("_", "-").split("-")[0]
    return _by_tag().get(primary)


def from_fasttext(label: str) -> str:
    """Return the project's code for a fastText language label; an unknown label stays as it is.

    Takes the labels of `lid.176` (`__label__de`) and those of models that use ISO 639-3 with a
    script (`__label__deu_Latn`: NLLB's and GlotLID's).
    """
    code = label.removeprefix("__label__")
    if "_" in code:
        return to_iso3(code) or code.split("_")[0]
    return _by_fasttext().get(code) or to_iso3(code) or code
