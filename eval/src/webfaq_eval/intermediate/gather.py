"""The rows of all tasks of a run, from a folder, a file or the Hub, with the cautions that they call for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from webfaq_eval.errors import TaskDataError, TrainingError
from webfaq_eval.intermediate.benchmark_texts import benchmark_queries, refuse_benchmark_texts
from webfaq_eval.intermediate.data import NoFiles, TaskData, load_task
from webfaq_eval.intermediate.hub import fetch, parse_revisions
from webfaq_eval.intermediate.registry import TASKS, Task, parts_of
from webfaq_eval.intermediate.settings import Places, Settings


def gather(settings: Settings, places: Places) -> dict[str, TaskData]:
    """Read the rows of every task of a run; `mlm` is among them where it is mixed in.

    For `multi`, tasks without a file are left out and named in a note of the first that is there.

    :raises TaskDataError: if a file is malformed, missing, or has texts of the benchmark.
    """
    several = settings.task == "multi"
    found: dict[str, TaskData] = {}
    absent = []
    for task in parts_of(settings.task):
        try:
            found[task.name] = _load(task, settings, places, several)
        except NoFiles:
            if not several:
                raise
            absent.append(task.name)
    if not found:
        raise TaskDataError(
            f"{places.data} has no file of any task; multi needs a folder for each, named as the task"
        )
    if absent:
        next(iter(found.values())).notes.append(
            "not among the tasks, no files: " + ", ".join(absent)
        )
    if settings.mix_mlm:
        if places.mlm_texts is None or settings.task == "mlm":
            raise TrainingError("--mix-mlm needs --mlm-texts, a file or folder, and another task")
        texts = [(TASKS["mlm"].sources[0], places.mlm_texts)]
        found["mlm"] = load_task(texts, settings.selection("mlm"))
    _check(found, places)
    return found


def _load(task: Task, settings: Settings, places: Places, several: bool) -> TaskData:
    alone = not several and len(task.sources) == 1
    selection = settings.selection(task.name)
    data = Path(places.data)
    if places.data == "hub":
        revisions = parse_revisions(places.revisions)
        if several and not _stated(task, revisions):
            raise NoFiles(f"no --revision for {task.name}'s data set")
        return load_task([(one, fetch(one, revisions)) for one in task.sources], selection)
    if data.is_file():
        if several:
            raise TaskDataError(f"{data} is one file; multi needs a folder with one for each task")
        return load_task([(task.sources[0], data)], selection)
    return load_task([(one, data) for one in task.sources], selection, alone)


def _stated(task: Task, revisions: Mapping[str, str]) -> bool:
    return all(one.hub is not None and one.hub[0] in revisions for one in task.sources)


def _check(found: Mapping[str, TaskData], places: Places) -> None:
    """Refuse texts of the benchmark, and say loudly where training rows look like XQuAD's."""
    queries = benchmark_queries(places.benchmark) if places.benchmark else set()
    for name, data in found.items():
        refuse_benchmark_texts(data, queries, str(places.benchmark))
        if not name.startswith("squad"):
            continue
        for path in data.files:
            if "xquad" in path.lower() or (
                Path(places.data).is_file() and "dev" in Path(path).stem
            ):
                note = (
                    f"CAUTION: {Path(path).name} is trained on. XQuAD's questions are 1,190 of SQuAD v1.1's dev "
                    "set and are the queries of LAReQA: this model must not be scored on LAReQA"
                )
                data.notes.append(note)
                sys.stderr.write(note + "\n")
