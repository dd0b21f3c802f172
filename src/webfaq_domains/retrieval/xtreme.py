"""Export to the files of XTREME and XTREME-R: inputs, gold labels, predictions of a run.

    OUT/tatoeba/de-en.de, de-en.en       the inputs as `utils_preprocess.py` leaves them: the foreign
                                         side in the order of the release, the English side sorted
    OUT/labels/tatoeba/test-de.tsv       a line per line of `de-en.en`: the place (from 0) of its
                                         translation in `de-en.de`
    OUT/labels/bucc2018/test-de.tsv      `de-…<TAB>en-…`, a line per gold pair
    OUT/labels/mewslix/test-de.json      {mention id: [entity ids]}
    OUT/predictions/<task>/…             the same names, from a run

Source: google-research/xtreme at 838c13b, `utils_preprocess.py`, `evaluate.py`, `mock_test_data`.

A run is a file in TREC format (`query Q0 document rank score tag`) over the ids of this repository,
of any number of languages. **XTREME searches Tatoeba from English**: it wants, for each English
sentence, the foreign one; our subsets ask the other way round. A Tatoeba run must therefore rank
queries for candidates (`deu-0001-eng Q0 deu-0001 1 0.93 mine`). For BUCC each query's first document
is a mined pair, and a query that is not in the run was not mined.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.subsets import SubsetEntry, TableRead
from webfaq_domains.ground.trec import Run, best, read_run, write_lines
from webfaq_domains.ground.xtreme import (
    FOLDERS,
    bucc_lines,
    code_of,
    file_of,
    mewslix_lines,
    tatoeba_lines,
)
from webfaq_domains.retrieval.folder import (
    Exported,
    read_rows,
    read_subsets,
    read_texts,
    whole_languages,
)


def export_xtreme(folder: Path, out: Path, run: Path | None = None) -> Exported:
    """Write inputs and labels of every language of Tatoeba, BUCC and Mewsli-X, and a run's predictions.

    :raises StagedError: if the folder has none of these tasks, or the run lacks queries.
    """
    ranked = None if run is None else read_run(run)
    subsets = [subset for task in FOLDERS for subset in whole_languages(folder, task)]
    files = [path for subset in subsets for path in _labels(folder, subset, out)]
    tasks = sorted({subset.task for subset in read_subsets(folder)})
    if not files:
        raise StagedError(
            f"{folder} has {', '.join(tasks)}; XTREME has files for {', '.join(FOLDERS)}"
        )
    if ranked is not None:
        told = [path for subset in subsets for path in _predictions(folder, subset, out, ranked)]
        if not told:
            raise StagedError(f"{run} ranks nothing of the whole-language subsets of {folder}")
        files += told
    names = tuple(path.relative_to(out).as_posix() for path in files)
    return Exported(out, names, tuple(task for task in tasks if task not in FOLDERS))


def _labels(folder: Path, subset: SubsetEntry, out: Path) -> list[Path]:
    path = out / "labels" / file_of(subset.task, subset.language)
    if subset.task == "tatoeba":
        sides = TatoebaSides(folder, subset)
        return [*sides.write_inputs(out), write_lines(path, map(str, sides.gold))]
    pairs = _official(folder, subset)
    if subset.task == "bucc":
        return [write_lines(path, bucc_lines(pairs))]
    named: Run = {}
    for query, document in pairs:
        named.setdefault(query, []).append(document)
    return [write_lines(path, [json.dumps(named)])]


def _predictions(folder: Path, subset: SubsetEntry, out: Path, run: Run) -> list[Path]:
    """Write a run's predictions for one language; nothing where the run has none of its queries."""
    ways: dict[str, Callable[[Path, SubsetEntry, Run], Iterator[str]]] = {
        "tatoeba": _tatoeba, "bucc": _bucc, "mewslix": _mewslix,
    }  # fmt: skip
    lines = list(ways[subset.task](folder, subset, run))
    path = out / "predictions" / file_of(subset.task, subset.language)
    return [write_lines(path, lines)] if lines else []


def _tatoeba(folder: Path, subset: SubsetEntry, run: Run) -> Iterator[str]:
    sides = TatoebaSides(folder, subset)
    if any(name in run for name in sides.place):
        raise StagedError(
            f"{subset.name}: the run searches English for {subset.language}; XTREME asks for "
            "the other direction: rank the queries for each candidate of the corpus"
        )
    if any(name in run for name in sides.english):
        yield from tatoeba_lines(sides.english, sides.place, best(run), subset.name)


def _bucc(folder: Path, subset: SubsetEntry, run: Run) -> Iterator[str]:
    names = _ids(folder, subset.read.queries)
    if subset.read.unpaired is not None:
        names += _ids(folder, subset.read.unpaired)
    found = best(run)
    return bucc_lines((name, found[name]) for name in names if name in found)


def _mewslix(folder: Path, subset: SubsetEntry, run: Run) -> Iterator[str]:
    names = _ids(folder, subset.read.queries)
    missing = [name for name in names if name not in run]
    if len(missing) == len(names):
        return
    if missing:
        raise StagedError(
            f"{subset.name}: the run lacks {len(missing)} of {len(names)} mentions, such as "
            f"{missing[0]}; XTREME-R wants each"
        )
    yield from mewslix_lines({name: run[name] for name in names})


def _ids(folder: Path, read: TableRead) -> list[str]:
    names: list[str] = read_rows(folder, read, ["id"])["id"].to_pylist()
    return names


def _official(folder: Path, subset: SubsetEntry) -> list[tuple[str, str]]:
    rows = read_rows(folder, subset.read.qrels)
    rows = rows.filter(pc.equal(rows["kind"], "official"))
    return list(zip(rows["query-id"].to_pylist(), rows["corpus-id"].to_pylist(), strict=True))


class TatoebaSides:
    """One language of Tatoeba in XTREME's order.

    `english` lists candidate ids sorted by text, equal texts in the order of the release; `place`
    says where each foreign sentence stands; `gold` holds, for each of `english`, the place of its
    translation.
    """

    def __init__(self, folder: Path, subset: SubsetEntry) -> None:
        self._language = subset.language
        reads = (subset.read.queries, subset.read.corpus)
        queries, corpus = (read_texts(folder, subset, read) for read in reads)
        self._foreign, self._english = (_texts(rows) for rows in (queries, corpus))
        right = {document: query for query, document in _official(folder, subset)}
        lost = sorted(set(self._english) ^ set(right)) or set(self._foreign) ^ set(right.values())
        if lost:
            raise StagedError(
                f"{subset.name}: {min(lost)} is in no official pair; XTREME's files need each "
                "sentence of both sides in exactly one"
            )
        self.place = {name: place for place, name in enumerate(self._foreign)}
        self.english = sorted(
            self._english, key=lambda name: (self._english[name], self.place[right[name]])
        )
        self.gold = [self.place[right[name]] for name in self.english]

    def write_inputs(self, out: Path) -> list[Path]:
        """Write both sides, a sentence a line."""
        code = code_of(self._language)
        base = out / "tatoeba"
        return [
            write_lines(base / f"{code}-en.{code}", self._foreign.values()),
            write_lines(base / f"{code}-en.en", (self._english[name] for name in self.english)),
        ]


def _texts(rows: pa.Table) -> dict[str, str]:
    """Return id -> text, by id, which keeps the order of the release."""
    pairs = zip(rows["id"].to_pylist(), rows["text"].to_pylist(), strict=True)
    return {name: text.strip() for name, text in sorted(pairs)}
