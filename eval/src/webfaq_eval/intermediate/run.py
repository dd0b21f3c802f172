"""One intermediate run: read, train, measure, and leave an encoder folder with its card."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from webfaq_domains.ground.files import value_sha256, write_json, write_text
from webfaq_eval.errors import TaskDataError, TrainingError
from webfaq_eval.intermediate.encoder import (
    freeze_embeddings,
    load_encoder,
    render_card,
    save_encoder,
)
from webfaq_eval.intermediate.multi import Rows, plan, shares
from webfaq_eval.intermediate.objectives.base import (
    Encoding,
    Objective,
    TaskModel,
    evaluate,
    lengths,
)
from webfaq_eval.intermediate.settings import Places, Settings
from webfaq_eval.intermediate.tasks.data import TaskData
from webfaq_eval.intermediate.tasks.load import load_tasks
from webfaq_eval.intermediate.tasks.registry import TASKS
from webfaq_eval.models.encoder import Place, find_model
from webfaq_eval.training.encoder import weight_formats
from webfaq_eval.training.loop import CURVE, Job, LoopSettings, run_loop

RECORD = "intermediate.json"
_PACKAGES = ("webfaq-eval", "torch", "transformers", "sentence-transformers", "tokenizers")


@dataclass
class Run:
    """What a run holds while it lasts."""

    settings: Settings
    start: Place
    data: dict[str, TaskData]
    sentence_model: Any
    model: TaskModel
    objectives: dict[str, Objective]
    features: dict[str, Any] = field(default_factory=dict)


def train_intermediate(settings: Settings, places: Places) -> dict[str, Any]:
    """Train an encoder on a task and write it to `places.out`; return its record (`intermediate.json`).

    A finished folder of the same run is returned as it is. While it lasts, a run keeps its
    checkpoints in `<out>.run`; started again, it goes on from the last of them.

    :raises TaskDataError: if the data are not in their format, or hold the benchmark's texts.
    :raises TrainingError: if training stops, or `out` holds something else.
    """
    data = load_tasks(settings, places)
    start = find_model(places.encoder)
    described = describe_run(settings, start, data)
    name = run_hash(described)
    done = _finished(places.out, name)
    if done is not None:
        return done
    run = _prepare(settings, start, data, places.device)
    working = places.out.with_name(places.out.name + ".run")
    began = time.perf_counter()
    loop, batches = _train(run, working, name)
    results = {
        task: {"dev": _measure(run, task), "baseline": objective.baseline(data[task].train, data[task].dev),
               "metric": objective.metric}
        for task, objective in run.objectives.items()
    }  # fmt: skip
    record = {
        **describe_run(settings, start, data), "run": name, "weights": weight_formats(run.model),
        "heads": {task: objective.settings() for task, objective in run.objectives.items()},
        "steps": loop.steps, "batches": batches, "results": results,
        "device": str(next(run.model.parameters()).device),
        "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip
    _publish(run, record, working, places.out)
    return record


def describe_run(settings: Settings, start: Place, data: Mapping[str, TaskData]) -> dict[str, Any]:
    """Return what a run is made of, as JSON; files are named by the last two parts of their paths."""
    described = {task: rows.describe() for task, rows in data.items()}
    for rows in described.values():
        files = rows["files"].items()
        rows["files"] = {"/".join(Path(path).parts[-2:]): sha for path, sha in files}
    return {
        "settings": settings.to_json(),
        "encoder": {"name": start.name, "sha": start.revision},
        "data": described,
        "versions": {name: version(name) for name in _PACKAGES},
    }


def run_hash(described: Mapping[str, Any]) -> str:
    """Return the sha256 of all that decides the result: not where files lie, nor how often one saves."""
    settings = {key: value for key, value in described["settings"].items() if key != "save_every"}
    if not settings["group_lengths"]:  # unsaid, as in the records of runs before it could be said
        del settings["group_lengths"]
    rows = {task: data["sha256"] for task, data in described["data"].items()}
    return value_sha256([settings, described["encoder"]["sha"], rows, described["versions"]])


def _finished(out: Path, name: str) -> dict[str, Any] | None:
    import json

    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    path = out / RECORD
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if record.get("run") != name:
        raise TrainingError(
            f"{out} holds something else than this run (other settings, data, encoder or versions); "
            "use another --out, or remove it"
        )
    return dict(record)


def _prepare(
    settings: Settings, start: Place, data: dict[str, TaskData], device: str | None
) -> Run:
    random.seed(settings.seed)
    np.random.seed(settings.seed)
    torch.manual_seed(settings.seed)
    sentence_model, body, tokenizer = load_encoder(start, device)
    longest = getattr(sentence_model, "max_seq_length", None) or 512
    objectives = {}
    for name, rows in data.items():
        length = min(settings.max_length or TASKS[name].max_length, longest)
        encoding = Encoding(tokenizer, length)
        objectives[name] = TASKS[name].make(encoding, rows.train, str(start.folder))
    heads = {name: objective.head(body) for name, objective in objectives.items()}
    if settings.freeze_embeddings:
        freeze_embeddings(body)
    model = TaskModel(body, heads).to(next(body.parameters()).device)
    return Run(settings, start, data, sentence_model, model, objectives)


def _train(run: Run, working: Path, name: str) -> tuple[LoopSettings, dict[str, int]]:
    """Train in the working folder; return how, and how many batches each task had."""
    settings = run.settings
    run.features = {
        task: one.features(run.data[task].train, run.data[task].skipped)
        for task, one in run.objectives.items()
    }
    sizes = {task: len(features) for task, features in run.features.items()}
    empty = [task for task, size in sizes.items() if not size]
    if empty:
        raise TaskDataError(
            f"{empty[0]}: no training row is left (skipped: {dict(run.data[empty[0]].skipped)})"
        )
    fixed = {"mlm": settings.mix_mlm} if settings.mix_mlm else {}
    rows = sum(size for task, size in sizes.items() if task not in fixed)
    steps = settings.steps or max(1, round(settings.epochs * rows / settings.batch_size))
    loop = LoopSettings(
        steps, settings.learning_rate, settings.warmup, settings.weight_decay, settings.accumulate,
        save_every=settings.save_every, evaluate_every=settings.evaluate_every,
    )  # fmt: skip
    schedule = plan(shares(sizes, fixed), steps * settings.accumulate, settings.seed)
    tokens = {
        task: lengths(one, run.features[task]) if settings.group_lengths else None
        for task, one in run.objectives.items()
    }
    orders = {
        task: Rows(size, settings.rows, settings.seed, tokens[task]) for task, size in sizes.items()
    }

    def batch_at(number: int) -> dict[str, Any]:
        task, turn = schedule.at(number)
        chosen = [run.features[task][row] for row in orders[task].at(turn)]
        chance = np.random.default_rng([settings.seed, 3, number])
        return {"task": task, **run.objectives[task].batch(chosen, chance)}

    def loss_of(batch: Mapping[str, Any]) -> Tensor:
        objective = run.objectives[batch["task"]]
        return objective.loss(run.model(batch["task"], objective, batch), batch)

    def measure() -> dict[str, float]:
        return {
            f"{task}/{metric}": value
            for task in run.objectives
            for metric, value in _measure(run, task).items()
        }

    run_loop(Job(run.model, batch_at, loss_of, working, name, measure), loop)
    return loop, schedule.counts()


def _measure(run: Run, task: str) -> dict[str, float]:
    return evaluate(run.model, task, run.objectives[task], run.data[task].dev, run.settings.rows)


def _publish(run: Run, record: dict[str, Any], working: Path, out: Path) -> None:
    """Write the folder beside its place and move it there whole; then the checkpoints can go."""
    from safetensors import SafetensorError

    staged = working / "model"
    shutil.rmtree(staged, ignore_errors=True)
    heads = {task: run.model.heads[task] for task in run.objectives}
    kinds = {task: objective.settings() for task, objective in run.objectives.items()}
    run.model.eval()
    try:
        save_encoder(staged, run.sentence_model, heads, kinds)
        write_json(staged / RECORD, record)
        write_text(staged / "README.md", render_card(record))
        shutil.copyfile(working / CURVE, staged / CURVE)
        os.replace(staged, out)
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"cannot write {out}: {error}. Training is done and kept in {working}: make room and "
            "start the same command again"
        ) from error
    shutil.rmtree(working)
