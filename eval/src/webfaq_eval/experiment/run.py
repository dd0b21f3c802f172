"""Run an experiment cell by cell; every finished part is kept, so the same command goes on after a stop."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from webfaq_domains.ground.files import value_sha256
from webfaq_eval.benchmark.folder import open_benchmark
from webfaq_eval.errors import EvalError, TrainingError
from webfaq_eval.experiment.records import CellRecord, Claim, read_claim, write_record
from webfaq_eval.experiment.retrievers import SharedEncoder
from webfaq_eval.experiment.settings import (
    Cell,
    Experiment,
    Folders,
    Start,
    cells_of,
    read_experiment,
)
from webfaq_eval.intermediate.run import train_intermediate
from webfaq_eval.intermediate.settings import Places
from webfaq_eval.intermediate.settings import Settings as IntermediateSettings
from webfaq_eval.models.encoder import Settings
from webfaq_eval.pairs.pairs import open_pairs
from webfaq_eval.scoring.score import Request, score
from webfaq_eval.training.embedders import Shared
from webfaq_eval.training.settings import (
    DataSettings,
    EncoderSettings,
    LossSettings,
    Schedule,
    TrainSettings,
    Where,
)
from webfaq_eval.training.train import train

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ran:
    """What a call did: cells made now, cells that were there, cells that could not be made and why."""

    out: Path
    made: list[str]
    kept: list[str]
    failed: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        return {"out": str(self.out), "made": self.made, "kept": self.kept, "failed": self.failed}

    def text(self) -> str:
        lines = [
            f"{len(self.made)} cells made, {len(self.kept)} were there, {len(self.failed)} failed"
        ]
        return "\n".join([*lines, *(f"  {cell}: {why}" for cell, why in self.failed.items())])


def run_experiment(
    file: Path,
    out: Path | None = None,
    *,
    pairs: str | None = None,
    benchmark: str | None = None,
    encoders: Mapping[str, str] | None = None,
    quiet: bool = True,
) -> Ran:
    """Train and score every cell of an experiment file that is not done; see `run`.

    `pairs`, `benchmark` and the encoders of starts take the place of what the file names. `out` is
    `experiment-<name>` where none is given.

    >>> done = run_experiment(
    ...     experiment, Path("run"), pairs=pairs, benchmark=benchmark, encoders={"toy": encoder}
    ... )
    >>> done.made, done.failed
    (['toy.none'], {})

    :raises EvalError: if the file or what it names cannot be used.
    """
    found = read_experiment(file).with_places(pairs, benchmark, encoders or {})
    return run(found, Folders(out or Path(f"experiment-{found.name}")), quiet)


def run(experiment: Experiment, folders: Folders, quiet: bool = False) -> Ran:
    """Train and score every cell that is not done. A cell that cannot be made is named, the rest go on.

    :raises TrainingError: if pairs, benchmark or an encoder are not named, or the folder holds cells
        that were made in another way.
    """
    _check_places(experiment)
    claim(experiment, folders)
    made, kept = [], []
    failed: dict[str, str] = {}
    shared = Shared(), SharedEncoder()
    for cell in tqdm(cells_of(experiment), desc="experiment", unit="cell", disable=quiet):
        if folders.done(cell).is_file():
            kept.append(cell.name)
            continue
        try:
            make(cell, experiment, folders, shared)
            made.append(cell.name)
        except EvalError as error:
            log.error("%s: %s", cell.name, error)
            failed[cell.name] = str(error)
    return Ran(folders.out, made, kept, failed)


def claim(experiment: Experiment, folders: Folders) -> None:
    """Write down what all cells of a folder share, or refuse a folder that holds others.

    Data are known by their content: a folder that was built again with other rows is other data.

    :raises EvalError: if settings, pairs, benchmark or a start differ from the folder's, or the data
        cannot be read.
    """
    starts = {name: value_sha256(vars(start)) for name, start in experiment.starts.items()}
    mine = Claim(
        experiment.name,
        experiment.deciding(),
        open_pairs(experiment.pairs).digest,
        open_benchmark(experiment.benchmark).id.revision,
        starts,
    )
    if folders.record.is_file():
        found = read_claim(folders.record)
        shared = ("settings", "pairs", "benchmark")
        other = [name for name in shared if getattr(found, name) != getattr(mine, name)]
        other += [n for n, sha in starts.items() if found.starts.get(n, sha) != sha]
        if other:
            raise TrainingError(
                f"{folders.out} holds cells of {found.experiment} with other {', '.join(other)}; "
                "use another --out"
            )
        mine = replace(mine, starts={**found.starts, **starts})
    write_record(folders.record, mine)


def make(
    cell: Cell, experiment: Experiment, folders: Folders, shared: tuple[Shared, SharedEncoder]
) -> None:
    """Make one cell: its start, its model, its results, its record.

    Cells that are given the same `shared` load a start's encoder once for training and once for scoring.
    """
    training, scoring = shared
    encoder = make_start(cell.start, experiment, folders)
    wanted = train_settings(cell, encoder, experiment, folders)
    trained = train(wanted, folders.model(cell), training)
    settings = Settings(
        str(trained.folder),
        query_prefix=experiment.query_prefix,
        passage_prefix=experiment.passage_prefix,
        max_length=experiment.score.max_length,
    )
    request = Request(
        settings,
        experiment.benchmark,
        folders.results,
        patterns=experiment.score.subsets,
        pool=experiment.score.pool,
        depth=experiment.score.depth,
        vectors=folders.vectors,
    )
    retriever = scoring.retriever(settings, request.store)
    scored = score(request, quiet=True, retriever=retriever)
    made = CellRecord(
        cell.name,
        cell.start,
        str(cell.condition),
        cell.seed,
        pairs=trained.record.condition.pairs,
        run=trained.record.run,
        results=tuple(path.relative_to(folders.results).as_posix() for path, _ in scored.results),
    )
    write_record(folders.done(cell), made)


def make_start(name: str, experiment: Experiment, folders: Folders) -> str:
    """Return the encoder that a start names, after its intermediate task if it has one."""
    start = experiment.starts[name]
    if start.intermediate is None:
        return start.encoder
    settings = IntermediateSettings(task=start.intermediate, **experiment.intermediate)
    train_intermediate(settings, _places(start, folders.start(name)))
    return str(folders.start(name))


def _places(start: Start, out: Path) -> Places:
    texts = Path(start.mlm_texts) if start.mlm_texts else None
    return Places(start.encoder, start.data, out, mlm_texts=texts, revisions=start.revisions)


def _check_places(experiment: Experiment) -> None:
    lacking = [name for name in ("pairs", "benchmark") if not getattr(experiment, name)]
    if lacking:
        named = " and ".join(f"--{name}" for name in lacking)
        raise TrainingError(f"{experiment.name} does not say where its data are; name {named}")
    bare = [name for name, start in experiment.starts.items() if not start.encoder]
    if bare:
        options = " ".join(f"--encoder {name}=DIR" for name in bare)
        raise TrainingError(f"{experiment.name} has starts without an encoder; name {options}")


def train_settings(
    cell: Cell, encoder: str, experiment: Experiment, folders: Folders
) -> TrainSettings:
    """Return the settings of a cell's training."""
    how = experiment.train
    data = DataSettings(
        experiment.pairs,
        str(cell.condition),
        experiment.hold_out_languages,
        how.pairs_per_language,
    )
    read = EncoderSettings(
        encoder,
        how.mode if cell.condition.kind != "none" else "full",
        experiment.query_prefix,
        experiment.passage_prefix,
        how.max_length,
    )
    schedule = Schedule(
        steps=how.steps,
        epochs=how.epochs,
        learning_rate=how.learning_rate,
        evaluate_every=how.evaluate_every,
        patience=how.patience,
    )
    return TrainSettings(
        data=data,
        encoder=read,
        seed=max(cell.seed, 0),
        batch_size=how.batch_size,
        monolingual=how.monolingual,
        loss=LossSettings(how.temperature, how.symmetric),
        schedule=schedule,
        where=Where(vectors=folders.vectors),
    )
