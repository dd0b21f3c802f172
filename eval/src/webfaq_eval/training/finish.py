"""The end of a run: the best weights as a model folder, its card and figure, and the record last."""

from __future__ import annotations

import json
import logging
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from webfaq_eval.errors import TrainingError
from webfaq_eval.files import write_json, write_text
from webfaq_eval.loop import write_curve
from webfaq_eval.training.card import render_card
from webfaq_eval.training.curves import draw_curve
from webfaq_eval.training.embedders import Embedder, Residual
from webfaq_eval.training.encoder import merge_adapter
from webfaq_eval.training.judge import METRIC, Judge, load_weights

if TYPE_CHECKING:
    from webfaq_eval.training.train import _Run

log = logging.getLogger(__name__)
RECORD, CURVE, FIGURE = "training.json", "curve.jsonl", "curve.png"
_PACKAGES = ("webfaq-eval", "sentence-transformers", "transformers", "torch", "numpy", "pyarrow")


@dataclass(frozen=True)
class Trained:
    """A finished run: the model's folder and its record (`training.json`)."""

    folder: Path
    record: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"folder": str(self.folder), **self.record}

    def text(self) -> str:
        pairs, steps = self.record["condition"]["pairs"], self.record["steps"]
        lines = [f"{self.record['condition']['condition']}: {pairs:,} pairs, {steps:,} steps"]
        before, after = self.record["before"], self.record["after"]
        for name, value in after.items():
            lines.append(f"validation {name}: {before[name]:.4f} -> {value:.4f}")
        return "\n".join([*lines, f"model: {self.folder}"])


def already_done(out: Path, identity: str) -> Trained | None:
    """Return the finished run in a folder, or None.

    :raises TrainingError: if the folder holds a finished run of other settings.
    """
    if not (out / RECORD).is_file():
        return None
    record = json.loads((out / RECORD).read_text(encoding="utf-8"))
    if record["run"] != identity:
        raise TrainingError(
            f"{out} holds a model of another run: settings, data or encoder differ from those asked for "
            f"(run {record['run'][:12]}, asked {identity[:12]}). Use another --out"
        )
    log.info("%s is done already", out)
    return Trained(out, record)


def finish(
    run: _Run, trained: tuple[Embedder, Judge | None] | None, facts: dict[str, Any]
) -> Trained:
    """Save the model with its card; only the main process writes."""
    embedder, judge = trained or (None, None)
    best: int | None = None
    if embedder is not None and judge is not None:
        load_weights(embedder.module, judge.best_path)
        best = judge.best_place
    validations = [line for line in facts["curve"] if METRIC in line]
    chosen = validations[best] if best is not None else {}
    facts["after"] = {name: value for name, value in chosen.items() if name != "step"}
    facts["best_step"] = chosen.get("step")
    record = _record(run, facts)
    if run.processes.main:
        _save_model(run, embedder)
        _save_papers(run.out, record)
        write_json(run.out / RECORD, record)
    run.processes.wait()
    if run.processes.main:
        shutil.rmtree(run.out / "work", ignore_errors=True)
    return Trained(run.out, record)


def _save_model(run: _Run, embedder: Embedder | None) -> None:
    model = run.opened.model
    place = run.out / "work" / "model"
    shutil.rmtree(place, ignore_errors=True)
    if embedder is not None and isinstance(embedder.module, Residual):
        run.shared.save(run.opened, embedder.module, place)
    else:
        merge_adapter(model)
        model.save(str(place), create_model_card=False)
    for part in sorted(place.iterdir()):
        target = run.out / part.name
        if target.is_dir():
            shutil.rmtree(target)
        part.replace(target)
    run.shared.saved(run.out)


def _save_papers(out: Path, record: dict[str, Any]) -> None:
    write_curve(out / CURVE, record["curve"])
    drawn = draw_curve(record["curve"], out / FIGURE)
    write_text(out / "README.md", render_card(record, FIGURE if drawn else None))


def _record(run: _Run, facts: dict[str, Any]) -> dict[str, Any]:
    settings, opened = run.settings, run.opened
    device = torch.device(run.processes.device)
    peak = torch.cuda.max_memory_allocated() if device.type == "cuda" else None
    return {
        "run": run.identity,
        "condition": run.chosen.frozen.record,
        "data": {"name": _basename(settings.data.pairs), "digest": run.chosen.pairs.digest},
        "training_datasets": ["WebFAQ"] if len(run.chosen.frozen.ids) else [],
        "encoder": {
            "name": _basename(opened.name),
            "revision": opened.revision,
            "query_prefix": opened.query_prefix,
            "passage_prefix": opened.passage_prefix,
        },
        "settings": settings.deciding(),
        "part": settings.step.part,
        "cached": settings.step.cached,
        "processes": run.processes.count,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else platform.machine(),
        "peak_bytes": peak,
        "versions": {name: version(name) for name in _PACKAGES},
        **facts,
    }


def _basename(name: str) -> str:
    """Return a folder's last name, so that no path of this machine is published; a Hub name whole."""
    return Path(name).resolve().name if Path(name).is_dir() else name
