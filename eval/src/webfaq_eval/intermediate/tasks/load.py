"""The rows of all tasks of a run, from a folder, a file or the Hub, with the cautions that they call for."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from webfaq_eval.benchmark.folder import open_benchmark
from webfaq_eval.errors import BenchmarkError, TaskDataError, TrainingError
from webfaq_eval.intermediate.settings import Places, Settings
from webfaq_eval.intermediate.tasks.data import NoFiles, TaskData, left_files, load_task
from webfaq_eval.intermediate.tasks.registry import TASKS, Task, parts_of
from webfaq_eval.intermediate.tasks.source import Source

log = logging.getLogger(__name__)


def load_tasks(settings: Settings, places: Places) -> dict[str, TaskData]:
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
    for name, data in found.items():
        for line in left_files(data.left):
            data.notes.append(f"not read: {line}")
            log.warning("%s: not read: %s", name, line)
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
                log.warning(note)


def fetch(source: Source, revisions: Mapping[str, str]) -> Path:
    """Download the Parquet files of a source's config and return their folder.

    `revisions` maps a data set's name to a 40-hex commit: a branch can move, and some of these data
    sets have Parquet files only since a certain commit, or on `refs/convert/parquet`.

    :raises TaskDataError: if the source is not on the Hub, its revision is not stated or not a sha,
        or there is no Parquet file at it.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    if source.hub is None:
        raise TaskDataError(
            f"{source.name} is not on the Hub; give --data a folder of your own copy"
        )
    name, config = source.hub
    revision = revisions.get(name, "")
    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise TaskDataError(
            f"{source.name} needs the commit of its data set, met {revision!r}: "
            f"add --revision {name}=<40 hex digits>"
        )
    patterns = [f"{folder}/*.parquet" for folder in _folders(config)] or ["*.parquet"]
    try:
        place = snapshot_download(
            name, repo_type="dataset", revision=revision, allow_patterns=patterns
        )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise TaskDataError(f"{name}@{revision} cannot be fetched from the Hub: {error}") from error
    return config_folder(Path(place), name, config)


def config_folder(place: Path, name: str, config: str) -> Path:
    """Return the folder of a snapshot that holds a config's Parquet files.

    :raises TaskDataError: if it holds none.
    """
    # Other tasks' configs of the data set may lie beside it: only its own folder is looked into.
    for folder in [place / part for part in _folders(config)] or [place]:
        if any(folder.rglob("*.parquet")):
            return folder
    raise TaskDataError(
        f"{name} has no Parquet file of config {config or 'default'!r} at this revision; state one "
        "that has, such as a commit of refs/convert/parquet"
    )


def _folders(config: str) -> list[str]:
    """Return the folders that a config may lie in; none where a data set has but one, anywhere.

    What its owners keep in `data` is in `default` on `refs/convert/parquet`.
    """
    return ["data", "default"] if config == "data" else [config] if config else []


def parse_revisions(pairs: Iterable[str]) -> dict[str, str]:
    """Read `org/name=sha` pairs.

    :raises TaskDataError: if one is not such a pair.
    """
    found = {}
    for pair in pairs:
        name, equals, revision = pair.partition("=")
        if not (equals and name.count("/") == 1):
            raise TaskDataError(f"--revision {pair!r}: expected org/name=<40 hex digits>")
        found[name] = revision
    return found


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
    files = {name for subset in benchmark.subsets for name in subset.read["queries"].files}
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
