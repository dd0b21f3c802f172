"""Run a chain of steps and barriers over sources: map, sketch, plan, map with the plan.

All state lies in a work folder named after the recipe, so that a run that was killed goes on where
it stopped, and a changed recipe or input never meets the state of another.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from webfaq_domains.engine.base import Engine
from webfaq_domains.engine.tasks import (
    Drops,
    MapTask,
    ReadTask,
    map_shard,
    read_files,
    sketch_folder,
    write_verdicts,
)
from webfaq_domains.ground.files import write_json
from webfaq_domains.ground.ledger import Ledger
from webfaq_domains.sources.base import Source, SourceFile
from webfaq_domains.steps.base import Barrier, Sketches, Step

_GROUP_BYTES = 16 << 20


@dataclass(frozen=True)
class Run:
    """How a build runs; nothing here changes a byte of what it makes."""

    work: Path
    engine: Engine
    shard_rows: int = 20_000
    limit: int | None = None
    dropped: Path | None = None
    quiet: bool = False

    def progress(self, what: str, total: int | None = None) -> Any:
        """Return a progress bar on stderr that counts rows."""
        return tqdm(
            desc=f"{what:<36}", total=total, unit=" rows", unit_scale=True, disable=self.quiet, mininterval=0.5
        )  # fmt: skip


@dataclass
class Shards:
    """The shards of a stage with their row counts, the ledger so far, and what steps found."""

    paths: list[Path]
    rows: list[int]
    ledger: Ledger
    rejected: list[list[str]] = field(default_factory=list)
    met: set[str] = field(default_factory=set)


def read_sources(sources: Sequence[Source], run: Run) -> Shards:
    """Bring all source files into shards of `run.shard_rows` rows, in a stable order."""
    tasks = [
        ReadTask(source, files, run.work / "read" / f"{number:03}-{index:05}", run.shard_rows)
        for number, source in enumerate(sources)
        for index, files in enumerate(grouped(source.files))
    ]
    reports: dict[str, dict[str, Any]] = {}
    with run.progress("read") as bar:
        for task, report in _read_limited(tasks, run) if run.limit else _read_all(tasks, run):
            reports[task] = report
            bar.update(report["rows_in"])
    return _gather_reads(tasks, reports)


def grouped(files: Sequence[SourceFile]) -> list[tuple[SourceFile, ...]]:
    """Put small files together, in order, so that a million pages do not make a million shards."""
    groups: list[list[SourceFile]] = []
    size = _GROUP_BYTES
    for file in files:
        if size >= _GROUP_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(file)
        size += file.bytes
    return [tuple(group) for group in groups]


def _read_all(tasks: list[ReadTask], run: Run) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from run.engine.map(_read_named, tasks)


def _read_named(task: ReadTask) -> tuple[str, dict[str, Any]]:
    return task.stem.name, read_files(task)


def _read_limited(tasks: list[ReadTask], run: Run) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read files in order until `run.limit` rows are in; one after the other, since it is few."""
    room = run.limit or 0
    for task in tasks:
        if room <= 0:
            break
        report = read_files(ReadTask(task.source, task.files, task.stem, task.rows, room))
        room -= report["rows_in"]
        yield task.stem.name, report


def _gather_reads(tasks: list[ReadTask], reports: dict[str, dict[str, Any]]) -> Shards:
    ledger, paths, rejected = Ledger(), [], []
    for task in tasks:
        report = reports.get(task.stem.name)
        if report is None:
            continue
        ledger.rows_in += report["rows_in"]
        ledger.quarantined.update(report["quarantined"])
        rejected += [[task.source.name, *row] for row in report["rejected"]]
        paths += [task.stem.with_name(f"{name}.arrow") for name in report["shards"]]
    ledger.rows_out = ledger.rows_in - ledger.quarantined.total()
    return Shards(paths, [0] * len(paths), ledger, rejected)


def run_chain(shards: Shards, chain: Sequence[Step | Barrier], run: Run) -> Shards:
    """Carry shards through a chain; barriers end a stage and plan the drops of the next one."""
    for number, (before, steps, after) in enumerate(stages(chain)):
        shards = _run_stage(shards, number, before, steps, after, run)
    return shards


def stages(
    chain: Sequence[Step | Barrier],
) -> list[tuple[Barrier | None, tuple[Step, ...], Barrier | None]]:
    """Cut a chain at its barriers: (barrier whose plan is applied, steps, barrier to sketch for)."""
    found: list[tuple[Barrier | None, tuple[Step, ...], Barrier | None]] = []
    before: Barrier | None = None
    steps: list[Step] = []
    for link in chain:
        if isinstance(link, Barrier):
            found.append((before, tuple(steps), link))
            before, steps = link, []
        else:
            steps.append(link)
    found.append((before, tuple(steps), None))
    return found


def _run_stage(
    shards: Shards,
    number: int,
    before: Barrier | None,
    steps: tuple[Step, ...],
    after: Barrier | None,
    run: Run,
) -> Shards:
    folder = run.work / f"stage-{number}"
    drops: Sequence[Drops | None] = [None] * len(shards.paths)
    if before is not None and shards.paths:
        drops = _plan(before, shards, folder, run)
    tasks = [
        MapTask(path, folder / path.name, steps, drop, after, run.dropped)
        for path, drop in zip(shards.paths, drops, strict=True)
    ]
    reports: dict[str, dict[str, Any]] = {}
    names = [type(step).__name__ for step in steps] or ["pass"]
    what = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
    with run.progress(what, shards.ledger.rows_out) as bar:
        for name, report in run.engine.map(_map_named, tasks):
            reports[name] = report
            bar.update(report["rows_in"])
    ledger, rows, met = shards.ledger, [], shards.met
    for task in tasks:
        report = reports[task.target.name]
        rows.append(report["rows_out"])
        met.update(report["met"])
        for step, reasons in report["dropped"].items():
            ledger.drop(step, reasons)
    ledger.rows_out = sum(rows)
    ledger.close()
    _forget(shards.paths)
    return Shards([task.target for task in tasks], rows, ledger, shards.rejected, met)


def _map_named(task: MapTask) -> tuple[str, dict[str, Any]]:
    return task.target.name, map_shard(task)


def _plan(barrier: Barrier, shards: Shards, folder: Path, run: Run) -> list[Drops]:
    """Plan a barrier's drops once; a restart finds the plan."""
    name = type(barrier).__name__
    verdicts = folder / "verdicts"
    done = folder / "plan.json"
    paths = [verdicts / f"{path.stem}.npy" for path in shards.paths]
    if not done.exists():
        with run.progress(f"plan {name}", shards.ledger.rows_out) as bar:
            folders = tuple(sketch_folder(path) for path in shards.paths)
            plan = barrier.plan(Sketches(folders))
            paths = write_verdicts(verdicts, plan, shards.paths)
            bar.update(sum(map(len, plan)))
        write_json(done, {"barrier": name})
    for path in shards.paths:
        shutil.rmtree(sketch_folder(path), ignore_errors=True)
    return [Drops(name, barrier.reasons, path) for path in paths]


def _forget(paths: list[Path]) -> None:
    """Free the disk of a stage that the next one has taken over; its markers stay."""
    for path in paths:
        path.unlink(missing_ok=True)
