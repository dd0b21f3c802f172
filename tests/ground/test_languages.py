from __future__ import annotations

import re

import pytest

from webfaq_domains.ground.languages import (
    from_fasttext,
    languages,
    name_of,
    script_of,
    to_iso3,
)


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        *[("de", "deu"), ("deu", "deu"), ("de-AT", "deu"), ("DE_at", "deu"), (" de ", "deu")],
        *[("de-DE-1996", "deu"), ("zh_Hant", "zho"), ("zh-Hans-CN", "zho"), ("cmn", "zho")],
        *[
            ("nb", "nor"),
            ("nob", "nor"),
            ("no", "nor"),
            ("nn", "nno"),
            ("iw", "heb"),
            ("in", "ind"),
        ],
        *[
            ("ji", "yid"),
            ("mo", "ron"),
            ("sh", "hbs"),
            ("fil", "tgl"),
            ("pes", "fas"),
            ("arb", "ara"),
        ],
        *[("zsm", "msa"), ("swh", "swa"), ("ekk", "est"), ("als", "sqi"), ("gsw", "gsw")],
        *[
            ("x-klingon", None),
            ("und", None),
            ("mul", None),
            ("zxx", None),
            ("", None),
            ("-", None),
        ],
        *[
            ("d", None),
            ("de1", None),
            ("English, German", None),
            ("dev-set", "dev"),
            ("train", None),
        ],
        # ISO 639-2/B, individual languages, retired codes, countries, names.
        *[("ger", "deu"), ("slo", "slk"), ("dut", "nld"), ("wel", "cym"), ("chi", "zho")],
        *[("gaz_Latn", "orm"), ("pbt_Arab", "pus"), ("lzh_Hani", "zho"), ("ars", "ara")],
        *[("apc", "ara"), ("quy", "que"), ("kmr", "kur"), ("zh-yue", "yue"), ("zh-min-nan", "zho")],
        *[("scc", "srp"), ("scr", "hrv"), ("jw", "jav"), ("pt-BR", "por"), ("zh_Hant_HK", "zho")],
        *[("jp", "jpn"), ("cn", "zho"), ("gr", "ell"), ("cz", "ces")],
        *[("German", "deu"), ("german", "deu"), ("SLOVAK", "slk"), ("Farsi", "fas")],
        # A language that the project does not name keeps its code.
        *[("pap", "pap"), ("Papiamento", "pap"), ("bam_Latn", "bam")],
    ],
)
def test_tags_become_the_codes_of_webfaq(tag, code):
    assert to_iso3(tag) == code


@pytest.mark.parametrize(
    ("label", "code"),
    [
        *[("__label__de", "deu"), ("__label__zh", "zho"), ("__label__no", "nor")],
        *[("__label__nn", "nno"), ("__label__als", "gsw"), ("__label__sh", "hbs")],
        *[("__label__bh", "bho"), ("__label__ceb", "ceb"), ("__label__ckb", "ckb")],
    ],
)
def test_labels_of_lid_176_are_known(label, code):
    assert from_fasttext(label) == code


@pytest.mark.parametrize(
    ("label", "code"),
    [
        *[("__label__deu_Latn", "deu"), ("__label__zho_Hans", "zho"), ("__label__zho_Hant", "zho")],
        *[("__label__cmn_Hani", "zho"), ("__label__arb_Arab", "ara"), ("__label__nob_Latn", "nor")],
        *[("__label__als_Latn", "sqi"), ("__label__gsw_Latn", "gsw"), ("__label__swh_Latn", "swa")],
        *[("__label__xyz_Latn", "xyz"), ("__label__deu", "deu")],
    ],
)
def test_labels_with_a_script_are_those_of_nllb_and_glotlid(label, code):
    assert from_fasttext(label) == code


def test_a_language_has_a_name_and_a_usual_script():
    assert (name_of("deu"), script_of("deu")) == ("German", "Latn")
    assert (name_of("pap"), script_of("pap")) == ("Papiamento", None)
    assert (name_of("xyz"), script_of("xyz")) == ("xyz", None)


def test_an_unknown_label_stays_as_it_is():
    assert from_fasttext("__label__xyz") == "xyz"
    assert from_fasttext("positive") == "positive"


def test_no_code_means_two_languages():
    known = languages()
    for codes in (
        [language.iso1 for language in known.values() if language.iso1],
        [language.fasttext for language in known.values() if language.fasttext],
        [*known, *(alias for language in known.values() for alias in language.aliases)],
    ):
        assert len(set(codes)) == len(codes)


def test_codes_have_their_form_and_names_are_given():
    for code, language in languages().items():
        assert code == language.iso3
        assert re.fullmatch("[a-z]{3}", code)
        assert re.fullmatch("[a-z]{2}|", language.iso1), code
        assert re.fullmatch("[A-Z][a-z]{3}", language.script), code
        assert language.name, code


def test_every_code_is_found_under_itself():
    assert all(to_iso3(code) == code for code in languages())
    assert all(to_iso3(x.iso1) == x.iso3 for x in languages().values() if x.iso1)
