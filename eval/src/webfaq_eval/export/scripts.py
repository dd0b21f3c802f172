"""The script of each language, for names such as `deu-Latn`. Codes are ISO 639-3 and ISO 15924."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webfaq_eval.errors import EvalError

_LANGUAGES = {
    "Latn": (
        "afr ang arg ast aze bar bcl ber bos bre cak cat cbk ceb ces cha cor cos csb cym dan "
        "deu diq dsb dtp eml eng epo est eus fao fij fin fra frr fry gla gle glg glv grn gsw "
        "hat hau haw hbs hif hmn hrv hsb hun ibo ido ile ilo ina ind isl ita jav jbo kab kin "
        "kur kzj lat lav lfn lim lin lit lmo ltz lug max min mlg mlt mri msa mwl nah nap nds "
        "nld nno nor nov nya oci orm pam pcm pfl pms pol por que roh ron run sag scn sco slk "
        "slv smo sna som sot spa sqi srd sun swa swe swg tgl ton trs tuk tur tzl uzb vec vep "
        "vie vls vol war wln wol xal xho yor zul"
    ),
    "Cyrl": (
        "abk ava bak bel bul bxr che chv kaz kir kom krc lez mhr mkd mon mrj myv orv oss rue "
        "rus sah srp tat tgk tyv ukr"
    ),
    "Arab": "ara arq arz azb ckb fas lrc mzn pnb pus skr snd uig urd",
    "Deva": "awa bho dty gom hin mai mar nep new san",
    "Beng": "asm ben bpy",
    "Hani": "wuu yue zho",
    "Ethi": "amh tir",
    "Geor": "kat xmf",
    "Hebr": "heb yid",
    "Armn": "hye",
    "Grek": "ell",
    "Gujr": "guj",
    "Guru": "pan",
    "Jpan": "jpn",
    "Khmr": "khm",
    "Knda": "kan",
    "Kore": "kor",
    "Laoo": "lao",
    "Mlym": "mal",
    "Mymr": "mya",
    "Orya": "ori",
    "Sinh": "sin",
    "Taml": "tam",
    "Telu": "tel",
    "Thaa": "div",
    "Thai": "tha",
    "Tibt": "bod",
}
#: ISO 639-3 code -> ISO 15924 code.
SCRIPTS = {code: script for script, codes in _LANGUAGES.items() for code in codes.split()}


def language_tag(code: str) -> str:
    """Return a language with its script, as mteb names it: `deu` -> `deu-Latn`.

    :raises EvalError: if the language's script is not known here.
    """
    if code not in SCRIPTS:
        raise EvalError(f"the script of {code!r} is not known; add it to webfaq_eval/scripts.py")
    return f"{code}-{SCRIPTS[code]}"


def language_tags(subset: Mapping[str, Any]) -> list[str]:
    """Return the languages of a subset of a manifest: Tatoeba and BUCC also have English."""
    codes = [str(subset["language"])]
    if subset["task"] in ("tatoeba", "bucc"):
        codes.append("eng")
    return [language_tag(code) for code in codes]
