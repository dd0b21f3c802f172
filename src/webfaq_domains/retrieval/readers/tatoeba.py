"""Tatoeba: find the English translation of a sentence (Artetxe and Schwenk 2019; XTREME, XTREME-R).

The release is `data/tatoeba/v1` of LASER: `tatoeba.<xxx>-eng.<xxx>` and `.eng`, where line n of one
file translates line n of the other. Queries are the foreign sentences, the pool is the English side
of the same pair of files. Row `deu-0001` is line 1 of German, `deu-0001-eng` its English side: the
ids keep the order of the release, from which XTREME's own (English sorted by text) follows.

An English sentence that stands in several languages' files, or twice but for punctuation in one, is
one item, named by the first of them.
"""

from __future__ import annotations

from pathlib import Path

from webfaq_domains.ground.duplicates import same_keys
from webfaq_domains.ground.errors import SourceError
from webfaq_domains.ground.files import file_sha256
from webfaq_domains.retrieval.readers import base
from webfaq_domains.retrieval.readers.base import About, Part, Pool, Reading, Task, strings
from webfaq_domains.retrieval.readers.lines import sentences

ABOUT = About(
    task="tatoeba",
    title="Tatoeba",
    metric="accuracy",
    licence="CC-BY-2.0-FR",
    redistributable=True,
    homepage="https://github.com/facebookresearch/LASER/tree/main/data/tatoeba/v1",
    citation="Artetxe and Schwenk 2019, arXiv:1812.10464; sentences from https://tatoeba.org",
)

#: The 36 languages of XTREME (Hu et al. 2020), as this project names them.
XTREME = (
    "afr", "ara", "ben", "bul", "deu", "ell", "est", "eus", "fas", "fin", "fra", "heb", "hin",
    "hun", "ind", "ita", "jav", "jpn", "kat", "kaz", "kor", "mal", "mar", "nld", "por", "rus",
    "spa", "swa", "tam", "tel", "tgl", "tha", "tur", "urd", "vie", "zho",
)  # fmt: skip
#: What XTREME-R (Ruder et al. 2021) has besides.
ADDED_BY_XTREME_R = ("aze", "lit", "pol", "ron", "ukr")
XTREME_R = tuple(sorted((*XTREME, *ADDED_BY_XTREME_R)))

#: Pairs of the languages of XTREME-R that have fewer than 1,000.
FEWER = {
    "jav": 205, "kat": 746, "kaz": 575, "mal": 687, "swa": 390, "tam": 307, "tel": 234, "tha": 548,
}  # fmt: skip
_MOST = 1000


def read(folder: Path, reading: Reading) -> Task:
    """Read the release; by default the 41 languages of XTREME-R.

    :raises SourceError: if a file is missing or malformed, or two sides differ in length.
    """
    files = _files(base.folder_of(folder, "tatoeba.<xxx>-eng.<xxx> and tatoeba.<xxx>-eng.eng"))
    pools, parts, items, sides = [], [], dict[str, str](), []
    first: dict[bytes, str] = {}
    pinned: dict[str, str] = {}
    for language in base.wanted(reading, files, XTREME_R, f"Tatoeba in {folder}"):
        foreign, english = pair(files[language], language, reading.partial)
        ids = [f"{language}-{number:04}" for number in range(1, len(foreign) + 1)]
        names = [
            first.setdefault(key, name) for key, name in zip(same_keys(english), ids, strict=True)
        ]
        candidates = (
            (f"{name}-eng", "", text, "eng", item)
            for name, text, item in zip(ids, english, names, strict=True)
        )
        queries = (
            (name, text, language, item)
            for name, text, item in zip(ids, foreign, names, strict=True)
        )
        right = strings(base.RIGHT, ((name, f"{name}-eng") for name in ids))
        pools.append(Pool(language, "test", strings(base.CANDIDATE, candidates)))
        parts.append(Part(language, "test", language, strings(base.QUERY, queries), right))
        for item, text in zip(names, english, strict=True):
            items.setdefault(item, base.joined_text(text))
        sides += [(item, language, text) for item, text in zip(names, foreign, strict=True)]
        pinned |= {path.name: file_sha256(path) for path in files[language]}
    return Task(
        ABOUT, pools, parts, strings(base.ITEM, items.items()), strings(base.SIDE, sides), pinned
    )


def _files(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Return (foreign, English) file by language."""
    found = {}
    for english in sorted(folder.glob("tatoeba.*-eng.eng")):
        code = english.name.removeprefix("tatoeba.").removesuffix("-eng.eng")
        foreign = english.with_name(f"tatoeba.{code}-eng.{code}")
        if not foreign.is_file():
            raise SourceError(f"{foreign} is missing; its other side {english.name} is there")
        found[base.iso3(code, str(english))] = (foreign, english)
    return found


def pair(paths: tuple[Path, Path], language: str, partial: bool) -> tuple[list[str], list[str]]:
    """Return both sides of one language: foreign sentences, English sentences.

    :raises SourceError: naming the first line that has no other side, or a wrong count.
    """
    foreign, english = (sentences(path) for path in paths)
    if len(foreign) != len(english):
        short = paths[0] if len(foreign) < len(english) else paths[1]
        line = min(len(foreign), len(english)) + 1
        raise SourceError(
            f"{short}:{line}: the file ends, but {paths[0].name} has {len(foreign)} lines and "
            f"{paths[1].name} has {len(english)}; line n of one must translate line n of the other"
        )
    known = language in XTREME_R
    expected = FEWER.get(language, _MOST) if known else min(len(foreign), _MOST)
    base.expect(len(foreign), expected, f"{paths[0]}: pairs", partial)
    return foreign, english
