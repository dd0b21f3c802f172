"""mteb tasks of the retrieval data sets: classes that mteb itself runs.

    import mteb
    from webfaq_eval.export.mteb_tasks import retrieval_tasks
    from mteb.models import CachedEmbeddingWrapper
    tasks = [task() for task in retrieval_tasks("staged/xtreme-r-domains")]
    model = mteb.get_model("intfloat/multilingual-e5-small")
    mteb.evaluate(CachedEmbeddingWrapper(model, "vectors"), tasks)

A subset is an mteb `hf_subset`; `task.filter_languages(None, hf_subsets=["tatoeba_deu"])` chooses. mteb
encodes each subset by itself and the domains of a language share their candidates, so use its cache.
Official judgements, as in `webfaq-eval score`. BUCC is mined, not searched, and has no class here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from webfaq_eval.benchmark.folder import Benchmark, Subset, open_benchmark
from webfaq_eval.benchmark.subset import SubsetData, Texts
from webfaq_eval.errors import BenchmarkError, EvalError
from webfaq_eval.export.base import TASK_NAMES, language_tags
from webfaq_eval.scoring.protocols import TASKS

if TYPE_CHECKING:
    from mteb.abstasks import AbsTaskRetrieval

_TITLES = {
    "tatoeba": "Tatoeba: the English translation of a sentence",
    "lareqa": "LAReQA: answer sentences of all languages in one pool",
    "mewslix": "Mewsli-X: the entity of a mention in a news article",
    "webfaq": "WebFAQ: the answer to a question of a frequently-asked-questions page",
}
_DOMAINS: dict[str, Any] = {
    "tatoeba": ["Written"], "lareqa": ["Encyclopaedic", "Written"], "mewslix": ["News", "Written"],
    "webfaq": ["Web", "Written"],
}  # fmt: skip
_REVERSE = "Reverse"


def retrieval_tasks(place: str | Path, split: str = "test") -> list[type[AbsTaskRetrieval]]:
    """Return a task class for each task of a data set; Tatoeba's two directions are two.

    `place` is a staged folder or `org/name@revision` of the Hub.

    :raises BenchmarkError: if it cannot be opened, or has no retrieval task in this split.
    :raises EvalError: if mteb is not installed.
    """
    benchmark = open_benchmark(place)
    found: dict[str, list[Subset]] = {}
    for subset in benchmark.select(split=split):
        if subset.info.task in _TITLES:
            found.setdefault(subset.info.task, []).append(subset)
    if not found:
        raise BenchmarkError(f"{place} has no retrieval task in its {split} split")
    return [
        _task_class(benchmark, subsets, direction)
        for task, subsets in sorted(found.items())
        for direction in TASKS[task].directions
    ]


def _task_class(
    benchmark: Benchmark, subsets: list[Subset], direction: str
) -> type[AbsTaskRetrieval]:
    """Make the class. Its data come from our reader, so that both score the same rows."""
    base, metadata = _metadata(benchmark, subsets, direction)
    by_name = {subset.info.name: subset for subset in subsets}

    def load_data(self: Any, num_proc: int | None = None, **_: Any) -> None:
        if self.data_loaded:
            return
        self.dataset = {
            name: {split: split_data(by_name[name].load(direction)) for split in self.eval_splits}
            for name in self.hf_subsets
        }
        self.data_loaded = True

    members = {
        "metadata": metadata,
        "load_data": load_data,
        "__doc__": metadata.description,
        "__module__": __name__,
    }
    made: type[AbsTaskRetrieval] = type(metadata.name, (base,), members)
    return made


def _metadata(
    benchmark: Benchmark, subsets: list[Subset], direction: str
) -> tuple[type[AbsTaskRetrieval], Any]:
    try:
        from mteb.abstasks import AbsTaskRetrieval
        from mteb.abstasks.task_metadata import TaskMetadata
    except ImportError as error:
        raise EvalError(
            "mteb tasks need mteb; install it with: pip install 'webfaq-eval[mteb]'"
        ) from error
    task = subsets[0].info.task
    reverse = direction == "reverse"
    metadata = TaskMetadata(
        name=TASK_NAMES[task] + (_REVERSE if reverse else ""),
        description=(
            f"{_TITLES[task]}{', searched from English' if reverse else ''}, by language and topical "
            "domain. A domain subset has own queries and the candidates of the whole language."
        ),
        dataset={"path": benchmark.id.name, "revision": benchmark.id.revision},
        type="Retrieval",
        category="t2t",
        modalities=["text"],
        reference=benchmark.homepages.get(task) or None,
        eval_splits=[subsets[0].info.split],
        eval_langs={
            one.info.name: language_tags(one.info.language, one.info.task) for one in subsets
        },
        main_score=TASKS[task].metric,
        date=None,
        domains=_DOMAINS[task],
        task_subtypes=[],
        license=None,
        annotations_creators="derived",
        dialect=[],
        sample_creation="found",
        bibtex_citation="",
    )
    return AbsTaskRetrieval, metadata


def split_data(data: SubsetData) -> dict[str, Any]:
    """Return a subset as mteb's `RetrievalSplitData`."""
    try:
        from datasets import Dataset
    except ImportError as error:
        raise EvalError(
            "mteb tasks need datasets; install it with: pip install 'webfaq-eval[mteb,train]'"
        ) from error
    right: dict[str, dict[str, int]] = {}
    qrels = data.official
    for query, found, grade in zip(qrels.query, qrels.corpus, qrels.grade, strict=True):
        right.setdefault(data.queries.ids[query], {})[data.corpus.ids[found]] = int(grade)
    return {
        "corpus": Dataset.from_dict(_columns(data.corpus, title=True)),
        "queries": Dataset.from_dict(_columns(data.queries, title=False)),
        "relevant_docs": right,
        "top_ranked": None,
    }


def _columns(texts: Texts, *, title: bool) -> dict[str, list[str]]:
    """Return the columns that mteb reads: a query is one text, a candidate has a title."""
    if title:
        return {"id": texts.ids, "title": texts.titles, "text": texts.texts}
    return {"id": texts.ids, "text": texts.inputs}
