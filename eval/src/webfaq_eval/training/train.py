"""Train a retriever on a condition: freeze the pairs, train, validate, save a model with its card.

    OUT/pairs.parquet, condition.json   what is trained on, written first
    OUT/work/                           texts, checkpoints, best weights; gone when the run is done
    OUT/modules.json, …                 the model, as sentence-transformers loads it
    OUT/README.md, curve.jsonl, curve.png
    OUT/training.json                   the record, written last: a folder without it is not a model

The same command goes on after a kill, and does nothing when the run is done.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from webfaq_domains.ground.files import value_sha256
from webfaq_eval.errors import TrainingError
from webfaq_eval.pairs.negatives import attach
from webfaq_eval.pairs.pairs import ID, id_order, parse_ids
from webfaq_eval.pairs.texts import PairTexts, gather_texts
from webfaq_eval.training.batches import Batches, TrainingData
from webfaq_eval.training.checkpoints import last_checkpoint, last_good
from webfaq_eval.training.choose import Chosen, choose
from webfaq_eval.training.embedders import Embedder, HeadEmbedder, Shared, TextEmbedder, VectorCache
from webfaq_eval.training.encoder import Opened, prepare
from webfaq_eval.training.finish import Trained, already_done, finish
from webfaq_eval.training.loop import CHECKPOINTS, Job, run_loop
from webfaq_eval.training.processes import Processes
from webfaq_eval.training.settings import TrainSettings, check
from webfaq_eval.training.step import Step
from webfaq_eval.training.validation import Enough, Judge, Retrieval, make_retrieval, may_ask

log = logging.getLogger(__name__)


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
        chosen = choose(settings, out, processes)
        run = _Run(settings, out, chosen, processes, shared or Shared())
        done = already_done(out, run.identity)
        return done if done else run.train(began)
    except OSError as error:
        raise TrainingError(
            f"cannot go on in {out}: {error}; {last_good(out / 'work' / CHECKPOINTS)}. "
            "Mend it (make room on the disk) and start the same command again"
        ) from error


class _Run:
    """Everything of one run, opened; `train` does it."""

    def __init__(
        self,
        settings: TrainSettings,
        out: Path,
        chosen: Chosen,
        processes: Processes,
        shared: Shared,
    ) -> None:
        self.settings, self.out, self.chosen, self.processes = settings, out, chosen, processes
        self.shared = shared
        self.opened: Opened = shared.open(settings.encoder, processes.device, settings.seed)
        negatives = settings.data.negatives
        self.identity = value_sha256(
            {
                "settings": settings.deciding(),
                "list": chosen.frozen.sha256,
                "data": chosen.pairs.digest,
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
        if not len(self.chosen.frozen.ids):
            return finish(self, None, {"before": {}, "curve": [], "steps": 0, "seconds": 0.0})
        texts = self._texts("train", self.chosen.frozen.ids, "texts.arrow")
        data = self._data(texts)
        embedder = self._embedder(data)
        steps = self.settings.schedule.steps or data.batches.steps(self.settings.schedule.epochs)
        judge = self._judge(embedder, texts)
        before = judge.score() if judge else {}
        self._compile()
        curve, reached = self._loop(Step(
            embedder, data, self.settings.loss, self.settings.step, self.processes, self.settings.seed
        ), steps, judge)  # fmt: skip
        self.processes.wait()
        record: dict[str, Any] = {
            "before": before,
            "curve": curve,
            "steps": reached,
            "planned_steps": steps,
            "batches_sha256": data.batches.sha256(reached),
            "pairs_left_per_epoch": data.batches.left,
            "negatives": dict(data.negatives.counted) if data.negatives else None,
            "seconds": round(time.perf_counter() - began, 1),
        }
        return finish(self, (embedder, judge), record)

    def _texts(self, split: str, ids: Any, name: str) -> PairTexts:
        path = self.out / "work" / name
        if self.processes.main:
            gather_texts(self.chosen.pairs, split, ids, path)
        self.processes.wait()
        return gather_texts(self.chosen.pairs, split, ids, path)

    def _data(self, texts: PairTexts) -> TrainingData:
        wanted = self.settings.data.negatives
        negatives = attach(texts, wanted, self.chosen.held_out) if wanted else None
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

    def _judge(self, embedder: Embedder, texts: PairTexts) -> Judge | None:
        retrieval = self._retrieval(texts)
        if retrieval is None:
            log.warning(
                "NO VALIDATION: the validation split has no question in a language of the condition; "
                "the last weights are kept and nothing stops early"
            )
            return None
        return Judge(embedder, retrieval, self.work, self.settings.schedule.patience)

    def _retrieval(self, train_texts: PairTexts) -> Retrieval | None:
        held_out = self.chosen.held_out
        found = []
        for table in self.chosen.pairs.tables(
            "validation", ("id", "language", "question", "answer")
        ):
            codes = table["language"].to_pylist()
            asked = [
                may_ask(code, self.chosen.frozen.condition, held_out.languages) for code in codes
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
        self, step: Step, steps: int, judge: Judge | None
    ) -> tuple[list[dict[str, Any]], int]:
        loop = self.settings.schedule.loop(steps, self.settings.step.bf16)
        self._share_checkpoint()

        def batch_at(number: int) -> Mapping[str, Any]:
            if judge is not None and judge.enough:
                raise Enough
            return step.data.batch_at(number)

        job = Job(step.embedder.module, batch_at, step, self.work, self.identity, judge)
        try:
            curve = run_loop(job, loop)
        except Enough:
            # Validated, saved, and not begun again: the last checkpoint holds the whole curve.
            curve = judge.curve() if judge else []
            return curve, int(curve[-1]["step"])
        if judge is not None and steps % loop.evaluate_every:
            curve = [*curve, {"step": steps, **judge()}]
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
    from webfaq_domains.ground.files import file_sha256, folder_sha256

    return folder_sha256(where) if where.is_dir() else file_sha256(where)
