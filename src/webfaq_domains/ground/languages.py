"""Languages: their codes, names and scripts, and the only place where a tag is read.

The project names a language as WebFAQ names its configs: ISO 639-3, with the macrolanguage where
WebFAQ uses one (`nor`, `zho`, `ara`, `fas`, `msa`, `swa`, …). ISO 639 itself comes from
`iso639-lang`: two-letter codes, bibliographic ones (`ger`), retired ones (`iw`), English names, and
which individual language belongs to which macrolanguage (`gaz` to `orm`). `languages.tsv` says what
no standard does: which languages the project names, the usual script of each, the label that
fastText's `lid.176` gives it (not ISO in places: `als` there is Alemannic), and other tags that are
met for it (`jp`, a country, for Japanese).
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iso639 import Lang

#: The primary subtag with what may follow it: `zh-Hant-HK`, `pt_BR`, `sr@latin`, `de_DE.UTF-8`.
_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_@.+][A-Za-z0-9]+)*(?:-[Xx]-.*)?")
_SUBTAGS = re.compile(r"[-_@.+]")


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
    """Return every language that the project names, by its code."""
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


def name_of(code: str) -> str:
    """Return the English name of a language by its code; a code that is none is its own name.

    >>> name_of("deu"), name_of("pap"), name_of("xyz")
    ('German', 'Papiamento', 'xyz')
    """
    if code in languages():
        return languages()[code].name
    known = _iso(code)
    return known.name if known else code


def script_of(code: str) -> str | None:
    """Return the usual script (ISO 15924) of a language by its code, or None where none is known.

    >>> script_of("deu"), script_of("zho"), script_of("pap")
    ('Latn', 'Hani', None)
    """
    known = languages().get(code)
    return known.script if known else None


@lru_cache(maxsize=1 << 16)
def to_iso3(tag: str) -> str | None:
    """Return the project's code of a language for a tag, code or English name, or None.

    Read are BCP 47 tags with anything after the language, ISO 639-1, 639-2 (both kinds) and 639-3
    codes, retired codes, and English names in any case. An individual language becomes the
    macrolanguage that the project names; a language that it does not name keeps its ISO 639-3 code.

    >>> [to_iso3(tag) for tag in ("de-AT", "zh_Hant", "nb", "ger", "gaz_Latn", "Czech", "pap")]
    ['deu', 'zho', 'nor', 'deu', 'orm', 'ces', 'pap']
    >>> to_iso3("x-klingon"), to_iso3("und"), to_iso3("English, German")
    (None, None, None)
    """
    tag = tag.strip()
    named = _by_name().get(tag.casefold())
    if named:
        return named
    if not _TAG.fullmatch(tag):
        # Names of ISO 639: `Slovak`, `German Sign Language`. A code never gets here.
        return _ours(_iso(tag) or _iso(tag.title())) if len(tag) > 3 else None
    first, *rest = _SUBTAGS.split(tag.lower())
    code = _extended(first, rest[0]) if rest else first
    return _by_tag().get(code) or _ours(_iso(code))


def _extended(first: str, second: str) -> str:
    """Return the language of `zh-yue`, where the second subtag is a language of the first."""
    if len(second) == 3 and second.isalpha():
        narrow, wide = _iso(second), _iso(first)
        macro = narrow.macro() if narrow else None
        if macro and wide and macro.pt3 == wide.pt3:
            return second
    return first


def _iso(code_or_name: str) -> Lang | None:
    """Return a language of ISO 639-3, also by a retired code; None for groups and special codes."""
    from iso639 import Lang
    from iso639.exceptions import DeprecatedLanguageValue, InvalidLanguageValue

    try:
        known = Lang(code_or_name)
    except DeprecatedLanguageValue as retired:
        return _iso(retired.change_to) if retired.change_to else None
    except InvalidLanguageValue:
        return None
    return known if known.pt3 and known.scope() != "Special" else None


def _ours(known: Lang | None) -> str | None:
    """Return the project's code of a language of ISO 639-3."""
    if known is None:
        return None
    tags, macro = _by_tag(), known.macro()
    return tags.get(known.pt3) or (macro and tags.get(macro.pt3)) or str(known.pt3)


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
def _by_name() -> dict[str, str]:
    known = languages()
    return {
        name.casefold(): code
        for code, language in reversed(known.items())
        for name in (*language.aliases, language.name)
    }


@cache
def _by_fasttext() -> dict[str, str]:
    return {language.fasttext: code for code, language in languages().items() if language.fasttext}


def from_fasttext(label: str) -> str:
    """Return the project's code for a fastText language label; an unknown label stays as it is.

    Takes the labels of `lid.176` (`__label__de`) and those of models that use ISO 639-3 with a
    script (`__label__deu_Latn`: NLLB's and GlotLID's).
    """
    code = label.removeprefix("__label__")
    if "_" in code:
        return to_iso3(code) or code.split("_")[0]
    return _by_fasttext().get(code) or to_iso3(code) or code
