"""Train a retriever on a condition: list the pairs, train, validate, save a model with its card.

    OUT/pairs.parquet, condition.json   what is trained on, written first
    OUT/work/                           texts, checkpoints, best weights; gone when the run is done
    OUT/modules.json, …                 the model, as sentence-transformers loads it
    OUT/README.md, curve.jsonl, curve.png
    OUT/training.json                   the record, written last: a folder without it is not a model

The same command goes on after a kill, and does nothing when the run is done.
"""

from __future__ import annotations

import logging
import platform
import shutil
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from webfaq_domains.ground.files import file_sha256, folder_sha256, value_sha256
from webfaq_eval.errors import TrainingError
from webfaq_eval.pairs.negatives import attach
from webfaq_eval.pairs.pair_list import ListedPairs, list_pairs
from webfaq_eval.pairs.pairs import ID, Ids, id_order, parse_ids
from webfaq_eval.pairs.texts import PairTexts, gather_texts
from webfaq_eval.training.batches import Batches, TrainingData
from webfaq_eval.training.checkpoints import last_checkpoint, last_good
from webfaq_eval.training.embedders import (
    Embedder,
    HeadEmbedder,
    Residual,
    Shared,
    TextEmbedder,
    VectorCache,
)
from webfaq_eval.training.encoder import Opened, merge_adapter, prepare, weight_formats
from webfaq_eval.training.loop import CHECKPOINTS, Job, run_loop
from webfaq_eval.training.model_folder import (
    EncoderRecord,
    Trained,
    TrainingRecord,
    find_trained,
    write_model,
)
from webfaq_eval.training.processes import Processes
from webfaq_eval.training.settings import TrainSettings, check
from webfaq_eval.training.step import Step
from webfaq_eval.training.validation import (
    METRIC,
    Enough,
    Retrieval,
    Validator,
    load_weights,
    make_retrieval,
    may_ask,
)

log = logging.getLogger(__name__)
_PACKAGES = ("webfaq-eval", "sentence-transformers", "transformers", "torch", "numpy", "pyarrow")


def train(settings: TrainSettings, out: Path, shared: Shared | None = None) -> Trained:
    """Train a retriever into the folder `out`, or go on where it was stopped.

    Runs of one process that are given the same `shared` open an encoder once, if they only train a
    head on it.

    :raises EvalError: if it cannot start, or had to stop; says where the last good checkpoint is.
    """
    check(settings)
    began = time.perf_counter()
    processes = Processes.found(settings.where.device)
    try:
        listed = _listed(settings, out, processes)
        run = _Run(settings, out, listed, processes, shared or Shared())
        done = find_trained(out, run.identity)
        return done if done else run.train(began)
    except OSError as error:
        raise TrainingError(
            f"cannot go on in {out}: {error}; {last_good(out / 'work' / CHECKPOINTS)}. "
            "Mend it (make room on the disk) and start the same command again"
        ) from error


def _listed(settings: TrainSettings, out: Path, processes: Processes) -> ListedPairs:
    """Return the pairs of the run; the main process writes their list, the others wait for it."""
    data, wait = settings.data, None if processes.main else processes.wait
    held_out = frozenset(data.hold_out)
    listed = list_pairs(data.pairs, data.condition, settings.draw, held_out, out, wait)
    if processes.main:
        processes.wait()
    return listed


class _Run:
    """Everything of one run, opened; `train` does it."""

    def __init__(
        self,
        settings: TrainSettings,
        out: Path,
        listed: ListedPairs,
        processes: Processes,
        shared: Shared,
    ) -> None:
        self.settings, self.out, self.listed, self.processes = settings, out, listed, processes
        self.shared = shared
        self.opened: Opened = shared.open(settings.encoder, processes.device, settings.seed)
        negatives = settings.data.negatives
        self.identity = value_sha256(
            {
                "settings": settings.deciding(),
                "list": listed.chosen.record.sha256,
                "data": listed.pairs.digest,
                "encoder": self.opened.revision,
                "prefixes": [self.opened.query_prefix, self.opened.passage_prefix],
                "negatives": _file_hash(negatives.where) if negatives else None,
            }
        )

    @property
    def work(self) -> Path:
        """Where this process keeps what is needed until the end; the main process's is the run's."""
        main = self.out / "work"
        return main if self.processes.main else main / f"process-{self.processes.rank}"

    def train(self, began: float) -> Trained:
        torch.manual_seed(self.settings.seed)
        prepare(self.opened.model, self.settings.encoder)
        if not len(self.listed.chosen.ids):
            return self._finish(None, None, before={}, curve=(), steps=0, seconds=0.0)
        texts = self._texts("train", self.listed.chosen.ids, "texts.arrow")
        data = self._data(texts)
        embedder = self._embedder(data)
        steps = self.settings.schedule.steps or data.batches.steps(self.settings.schedule.epochs)
        validator = self._validator(embedder, texts)
        before = validator.score() if validator else {}
        self._compile()
        curve, reached = self._loop(Step(
            embedder, data, self.settings.loss, self.settings.step, self.processes, self.settings.seed
        ), steps, validator)  # fmt: skip
        self.processes.wait()
        return self._finish(
            embedder, validator, before=before, curve=tuple(curve), steps=reached, planned_steps=steps,
            weights=weight_formats(embedder.module), batches_sha256=data.batches.sha256(reached),
            pairs_left_per_epoch=data.batches.left,
            negatives=dict(data.negatives.counted) if data.negatives else None,
            seconds=round(time.perf_counter() - began, 1),
        )  # fmt: skip

    def _finish(
        self, embedder: Embedder | None, validator: Validator | None, **facts: Any
    ) -> Trained:
        """Save the best weights as a model with its record; only the main process writes."""
        chosen: dict[str, Any] = {}
        if embedder is not None and validator is not None:
            load_weights(embedder.module, validator.best_path)
            chosen = [line for line in facts["curve"] if METRIC in line][validator.best_place]
        after = {name: value for name, value in chosen.items() if name != "step"}
        record = self._record(after=after, best_step=chosen.get("step"), **facts)
        if self.processes.main:
            write_model(self.out, lambda place: self._save(embedder, place), record)
            self.shared.saved(self.out)
        self.processes.wait()
        if self.processes.main:
            shutil.rmtree(self.out / "work", ignore_errors=True)
        return Trained(self.out, record)

    def _record(self, **facts: Any) -> TrainingRecord:
        settings, opened = self.settings, self.opened
        cuda = torch.device(self.processes.device).type == "cuda"
        name = settings.data.pairs
        return TrainingRecord(
            run=self.identity,
            condition=self.listed.chosen.record,
            # A folder's last name, so that no path of this machine is published; a Hub name whole.
            data={
                "name": Path(name).resolve().name if Path(name).is_dir() else name,
                "digest": self.listed.pairs.digest,
            },
            training_datasets=("WebFAQ",) if len(self.listed.chosen.ids) else (),
            encoder=EncoderRecord(
                opened.name, opened.revision, opened.query_prefix, opened.passage_prefix
            ),
            settings=settings.deciding(),
            part=settings.step.part,
            cached=settings.step.cached,
            processes=self.processes.count,
            device=torch.cuda.get_device_name() if cuda else platform.machine(),
            peak_bytes=torch.cuda.max_memory_allocated() if cuda else None,
            versions={name: version(name) for name in _PACKAGES},
            **facts,
        )

    def _save(self, embedder: Embedder | None, place: Path) -> None:
        if embedder is not None and isinstance(embedder.module, Residual):
            self.shared.save(self.opened, embedder.module, place)
        else:
            merge_adapter(self.opened.model)
            self.opened.model.save(str(place), create_model_card=False)

    def _texts(self, split: str, ids: Ids, name: str) -> PairTexts:
        path = self.out / "work" / name
        if self.processes.main:
            gather_texts(self.listed.pairs, split, ids, path)
        self.processes.wait()
        return gather_texts(self.listed.pairs, split, ids, path)

    def _data(self, texts: PairTexts) -> TrainingData:
        wanted = self.settings.data.negatives
        negatives = attach(texts, wanted, self.listed.held_out) if wanted else None
        if negatives and self.settings.loss.distil > 0 and not np.isfinite(negatives.margin).any():
            raise TrainingError(
                "distillation needs a teacher's scores, and the hard negatives have none: expected "
                "positive_score and negative_scores"
            )
        prefixes = self.opened.query_prefix, self.opened.passage_prefix
        return TrainingData(texts, Batches(texts, self.settings.batches), prefixes, negatives)

    def _embedder(self, data: TrainingData) -> Embedder:
        if self.settings.encoder.mode != "head":
            return TextEmbedder(self.opened.model)
        folder = self.settings.where.vectors or self.out / "work" / "vectors"
        embedder = HeadEmbedder(VectorCache(folder, self.opened))
        questions, passages = (np.array(embedder.prepare(side)) for side in data.all_items())
        data.cached = questions, passages
        embedder.module.to(self.processes.device)
        return embedder

    def _validator(self, embedder: Embedder, texts: PairTexts) -> Validator | None:
        retrieval = self._retrieval(texts)
        if retrieval is None:
            log.warning(
                "NO VALIDATION: the validation split has no question in a language of the condition; "
                "the last weights are kept and nothing stops early"
            )
            return None
        return Validator(embedder, retrieval, self.work, self.settings.schedule.patience)

    def _retrieval(self, train_texts: PairTexts) -> Retrieval | None:
        held_out = self.listed.held_out
        found = []
        for table in self.listed.pairs.tables(
            "validation", ("id", "language", "question", "answer")
        ):
            codes = table["language"].to_pylist()
            asked = [
                may_ask(code, self.listed.chosen.record.condition, held_out.languages)
                for code in codes
            ]
            found.append(parse_ids(table["id"])[np.array(asked, bool)])
        ids = np.concatenate([*found, np.zeros(0, ID)])
        ids = ids[id_order(ids)]
        if not len(ids):
            return None
        asked_texts = self._texts("validation", ids, "validation.arrow")
        prefixes = self.opened.query_prefix, self.opened.passage_prefix
        return make_retrieval(asked_texts, train_texts, prefixes, self.settings.validation)

    def _compile(self) -> None:
        if self.settings.where.compile:
            body: Any = self.opened.model.transformers_model
            body.compile(dynamic=True)

    def _loop(
        self, step: Step, steps: int, validator: Validator | None
    ) -> tuple[list[dict[str, Any]], int]:
        loop = self.settings.schedule.loop(steps, self.settings.step.bf16)
        self._share_checkpoint()

        def batch_at(number: int) -> Mapping[str, Any]:
            if validator is not None and validator.enough:
                raise Enough
            return step.data.batch_at(number)

        job = Job(step.embedder.module, batch_at, step, self.work, self.identity, validator)
        try:
            curve = run_loop(job, loop)
        except Enough:
            # Validated, saved, and not begun again: the last checkpoint holds the whole curve.
            curve = validator.curve() if validator else []
            return curve, int(curve[-1]["step"])
        if validator is not None and steps % loop.evaluate_every:
            curve = [*curve, {"step": steps, **validator()}]
        return curve, steps

    def _share_checkpoint(self) -> None:
        """Let every process start from the main process's last checkpoint: theirs may be older."""
        self.work.mkdir(parents=True, exist_ok=True)
        if not self.processes.main:
            shutil.rmtree(self.work / CHECKPOINTS, ignore_errors=True)
            place = last_checkpoint(self.out / "work" / CHECKPOINTS)
            if place is not None:
                shutil.copytree(place, self.work / CHECKPOINTS / place.name)
        self.processes.wait()


def _file_hash(where: Path) -> str:
    return folder_sha256(where) if where.is_dir() else file_sha256(where)
