"""The queries of a benchmark, in the plain form in which training texts are compared with them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from webfaq_eval.benchmark import open_benchmark
from webfaq_eval.errors import BenchmarkError, TaskDataError
from webfaq_eval.intermediate.data import TaskData

#: Shorter texts ("Yes.", "Thank you.") are everyone's: finding one again says nothing.
SHORTEST = 15


def plain(text: str) -> str:
    """Return the letters and digits of a text in lower case: what is left where spelling is the same."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if unicodedata.category(c)[0] in "LMN")


def benchmark_queries(place: Path) -> set[str]:
    """Return the plain forms of all queries of a staged benchmark, but for very short ones.

    :raises BenchmarkError: if it is not a staged benchmark, or holds no texts.
    """
    import pyarrow.parquet as pq

    benchmark = open_benchmark(place)
    files = {
        name for subset in benchmark.subsets for name in subset.entry["read"]["queries"]["files"]
    }
    found: set[str] = set()
    for name in sorted(files):
        texts = pq.read_table(benchmark.folder / name, columns=["text"])["text"].to_pylist()
        found |= {plain(text) for text in texts if text}
    if not found:
        raise BenchmarkError(f"{place}: its queries have no texts; rebuild it from your own copy")
    return {text for text in found if len(text) >= SHORTEST}


def refuse_benchmark_texts(data: TaskData, queries: set[str], name: str) -> None:
    """Refuse training rows of which a text is a query of a benchmark, compared in plain form.

    :raises TaskDataError: if there is one; says how many and shows the first.
    """
    found = [text for row in data.train for text in row.texts if plain(text) in queries]
    if found:
        raise TaskDataError(
            f"{len(found)} training texts are queries of the benchmark {name}, first "
            f"{found[0][:80]!r}: a model that saw them cannot be tested on it; train on other files"
        )
