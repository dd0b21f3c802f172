"""BUCC 2018: mine translations from two collections (Zweigenbaum et al. 2018; XTREME).

A release folder holds, for `xx` of de, fr, ru, zh, `xx-en.sample.{xx,en,gold}` and
`xx-en.training.{xx,en,gold}`: `id<TAB>sentence` a line, and `xx-id<TAB>en-id` in the gold file. The
shared task's own test gold was never published, so **`sample` is our `validation` and `training`
our `test`, as in XTREME**: thresholds are tuned on the first and applied to the second.

Queries are the source sentences with a gold pair, the pool is the whole English collection, and the
source sentences without one are `unpaired`. A pair is an item, labelled on its English sentence; a
source sentence without pair has no English side and is labelled on its own text.
"""

from __future__ import annotations

from pathlib import Path

from webfaq_domains.ground.errors import SourceError
from webfaq_domains.ground.files import file_sha256
from webfaq_domains.retrieval.readers import base
from webfaq_domains.retrieval.readers.base import About, Part, Pool, Reading, Task, strings
from webfaq_domains.retrieval.readers.lines import columns

ABOUT = About(
    task="bucc",
    title="BUCC 2018",
    metric="f1",
    licence="not stated by the shared task; texts of Wikipedia and news",
    redistributable=False,
    homepage="https://comparable.limsi.fr/bucc2018/bucc2018-task.html",
    citation="Zweigenbaum, Sharoff and Rapp 2018, Overview of the Third BUCC Shared Task",
)

LANGUAGES = ("deu", "fra", "rus", "zho")
#: The split of the release -> ours.
SPLITS = {"sample": "validation", "training": "test"}


def read(folder: Path, reading: Reading) -> Task:
    """Read the sample and training parts of every language that is there.

    :raises SourceError: if a file is missing or malformed, or a gold pair names an unknown id.
    """
    folder = base.folder_of(folder, "xx-en.{sample,training}.{xx,en,gold}")
    stems = {
        base.iso3(path.name.split("-")[0], str(path)): path.name.split("-")[0]
        for path in sorted(folder.rglob("*-en.training.en"))
    }
    pools, parts, items, sides = [], [], dict[str, str](), list[tuple[str, str, str]]()
    pinned: dict[str, str] = {}
    languages = base.wanted(reading, stems, LANGUAGES, f"BUCC in {folder}")
    for language in languages:
        for split in SPLITS:
            source, english, gold = (
                _file(folder, f"{stems[language]}-en.{split}.{end}")
                for end in (stems[language], "en", "gold")
            )
            pool, part = _split((source, english, gold), language, SPLITS[split], (items, sides))
            pools.append(pool)
            parts.append(part)
            pinned |= {path.name: file_sha256(path) for path in (source, english, gold)}
    base.expect(
        len(languages),
        len(LANGUAGES),
        f"{folder}: languages",
        reading.partial or bool(reading.languages),
    )
    return Task(
        ABOUT, pools, parts, strings(base.ITEM, items.items()), strings(base.SIDE, sides), pinned
    )


def _file(folder: Path, name: str) -> Path:
    found = sorted(folder.rglob(name))
    if not found:
        raise SourceError(f"{folder / name} is missing; unpack the release's archives there")
    return found[0]


def _split(
    paths: tuple[Path, Path, Path], language: str, split: str,
    labelled: tuple[dict[str, str], list[tuple[str, str, str]]],
) -> tuple[Pool, Part]:  # fmt: skip
    """Read one language's split; add what its labels are decided on to `labelled`."""
    (source, english), (items, sides) = (collection(path) for path in paths[:2]), labelled
    pairs = gold_pairs(paths[2], source, english)
    # One pool a language and split, so ids need no more than what tells two splits apart.
    mark = f"{language}-{split}"
    item = {there: f"{mark}-{there}" for there in english}
    items |= {item[there]: base.joined_text(text) for there, text in english.items()}
    first = dict(
        reversed(pairs)
    )  # a source sentence with two gold pairs is of the first one's item
    rows = {
        here: (f"{mark}-{here}", text, language, item[first[here]] if here in first else f"{mark}-{here}")
        for here, text in source.items()
    }  # fmt: skip
    items |= {rows[here][3]: base.joined_text(source[here]) for here in source if here not in first}
    sides += [(rows[here][3], language, base.joined_text(source[here])) for here in first]
    candidates = ((item[there], "", text, "eng", item[there]) for there, text in english.items())
    right = ((rows[here][0], item[there]) for here, there in pairs)
    part = Part(
        language, split, language,
        strings(base.QUERY, (row for here, row in rows.items() if here in first)),
        strings(base.RIGHT, right),
        strings(base.QUERY, (row for here, row in rows.items() if here not in first)),
    )  # fmt: skip
    return Pool(language, split, strings(base.CANDIDATE, candidates)), part


def collection(path: Path) -> dict[str, str]:
    """Return the sentences of one side by id.

    :raises SourceError: naming the line that is malformed or repeats an id.
    """
    found: dict[str, str] = {}
    for number, (name, text) in columns(path, 2):
        if name in found:
            raise SourceError(f"{path}:{number}: the id {name} is there twice")
        found[name] = text
    return found


def gold_pairs(
    path: Path, source: dict[str, str], english: dict[str, str]
) -> list[tuple[str, str]]:
    """Return the gold pairs (source id, English id).

    :raises SourceError: naming the line whose id is in no collection.
    """
    found = []
    for number, (here, there) in columns(path, 2):
        if here not in source or there not in english:
            unknown = here if here not in source else there
            raise SourceError(f"{path}:{number}: {unknown} is in no file of the release")
        found.append((here, there))
    if not found:
        raise SourceError(f"{path} has no gold pair")
    return found
