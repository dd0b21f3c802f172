"""Retrieval benchmarks from their raw releases: each reader brings one to the same task format."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from webfaq_domains.benchmarks.base import Reading, Task
from webfaq_domains.errors import RecipeError

#: Task name -> the module whose `read(folder, reading)` returns it.
READERS = {
    "bucc": "webfaq_domains.benchmarks.bucc",
    "lareqa": "webfaq_domains.benchmarks.lareqa",
    "mewslix": "webfaq_domains.benchmarks.mewslix",
    "tatoeba": "webfaq_domains.benchmarks.tatoeba",
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
