"""Retrieval benchmarks from their raw releases: each reader brings one to the same task format."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from webfaq_domains.ground.errors import RecipeError
from webfaq_domains.retrieval.readers.base import Reading, Task

#: Task name -> the module whose `read(folder, reading)` returns it.
READERS = {
    "bucc": "webfaq_domains.retrieval.readers.bucc",
    "lareqa": "webfaq_domains.retrieval.readers.lareqa",
    "mewslix": "webfaq_domains.retrieval.readers.mewslix",
    "tatoeba": "webfaq_domains.retrieval.readers.tatoeba",
}


def read_task(name: str, folder: Path, reading: Reading) -> Task:
    """Read the raw release of one benchmark.

    :raises RecipeError: if no benchmark has that name.
    :raises SourceError: if the release is wrong or truncated, naming file and line.
    """
    if name not in READERS:
        raise RecipeError(f"--task {name}: unknown benchmark; known: {', '.join(sorted(READERS))}")
    task: Task = import_module(READERS[name]).read(folder, reading)
    return task
