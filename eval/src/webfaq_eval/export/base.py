"""What all exports share: the results they read, what they may be told, what they wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import pyarrow as pa

from webfaq_domains.ground.languages import languages
from webfaq_eval.benchmark.folder import Benchmark, open_benchmark
from webfaq_eval.errors import ResultError
from webfaq_eval.results import Result, read_queries, read_results

#: Name of a format -> the function that writes it. A new format is one line here.
FORMATS = {
    "mteb": "webfaq_eval.export.mteb:write",
    "hub": "webfaq_eval.export.hub:write",
    "xtreme": "webfaq_eval.export.xtreme:write",
    "trec": "webfaq_eval.export.trec:write",
}
#: Task -> its mteb task, the names under which `eval.yaml` of the data sets lists them.
TASK_NAMES = {
    "webfaq": "WebFAQDomainsRetrieval",
    "tatoeba": "TatoebaDomainsRetrieval",
    "lareqa": "LAReQADomainsRetrieval",
    "mewslix": "MewsliXDomainsRetrieval",
    "bucc": "BUCCDomainsRetrieval",
}


@dataclass(frozen=True)
class Request:
    """What to export, and what results do not say themselves.

    `benchmark`: the data set's folder or `org/name@revision` (XTREME: the order of lines;
    TREC: judgements beside the runs).
    `dataset_id`: its Hub id (Hub). `date`: `2026-11-22`, when the scores were made (Hub).
    `training_datasets`: mteb names of what the model was trained on (mteb); None: not stated.
    """

    results: Path
    out: Path
    benchmark: str | None = None
    dataset_id: str | None = None
    date: str | None = None
    training_datasets: tuple[str, ...] | None = None


@dataclass
class Exported:
    """The files written, and what is not among them and why."""

    files: list[Path] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def text(self) -> str:
        lines = [f"{len(self.files)} files written; {len(self.left_out)} things left out"]
        return "\n".join([*lines, *(f"  left out: {line}" for line in self.left_out)])


Found = tuple[Path, Result]
Write = Callable[[Request, list[Found]], Exported]


def export_results(request: Request, form: str) -> Exported:
    """Write results in a format of `FORMATS`: mteb, the Hub's, XTREME's or TREC's.

    >>> from webfaq_eval.export.base import Request
    >>> done = export_results(Request(results, Path("runs")), "trec")
    >>> [path.suffix for path in done.files]
    ['.run']

    :raises ResultError: if a result is missing or cannot be read, or what the format needs is lacking.
    """
    if form not in FORMATS:
        raise ResultError(f"format {form!r} is not known; there are {', '.join(FORMATS)}")
    module, _, name = FORMATS[form].partition(":")
    write: Write = getattr(import_module(module), name)
    return write(request, list(read_results(request.results)))


def run_of(path: Path) -> Iterator[tuple[str, list[str], list[float]]]:
    """Yield query id, candidate ids and scores of a result's run, best first."""
    table: pa.Table = read_queries(path)
    columns = (table[name].to_pylist() for name in ("query-id", "run_ids", "run_scores"))
    yield from zip(*columns, strict=True)


def language_tags(language: str, task: str) -> list[str]:
    """Return the languages of a subset as mteb names them, `deu-Latn`; Tatoeba and BUCC also have English.

    :raises ResultError: if a language is not known.
    """
    codes = [language, "eng"] if task in ("tatoeba", "bucc") else [language]
    unknown = [code for code in codes if code not in languages()]
    if unknown:
        raise ResultError(f"the language {unknown[0]!r} is not known, so its script is not")
    return [f"{code}-{languages()[code].script}" for code in codes]


def benchmark_of(request: Request, result: Result, reason: str) -> Benchmark:
    """Open the data set that was scored.

    :raises ResultError: if none is named, with the reason why it is needed, or another revision.
    """
    if request.benchmark is None:
        raise ResultError(f"{reason}: name the data set with --benchmark")
    benchmark = open_benchmark(request.benchmark)
    if benchmark.id.revision != result.benchmark.revision:
        raise ResultError(
            f"the results are of {result.benchmark.name} {result.benchmark.revision[:12]}, "
            f"{request.benchmark} is {benchmark.id.revision[:12]}; name the revision that was scored"
        )
    return benchmark


def one_protocol(results: list[Found]) -> None:
    """Refuse results of one model under several protocols: the formats have one place for each.

    :raises ResultError: naming the protocols.
    """
    seen: dict[tuple[str, ...], str] = {}
    for path, result in results:
        subset = (result.subset.name, result.subset.split, result.subset.direction)
        key = (result.model.name, result.model.revision, result.benchmark.name, *subset)
        said = f"{result.protocol.hash[:12]} on {result.benchmark.revision[:12]}"
        if seen.setdefault(key, said) != said:
            raise ResultError(
                f"{path}: {result.subset.name} was scored under {seen[key]} and under {said}; export "
                "the folder of one protocol and benchmark revision"
            )
