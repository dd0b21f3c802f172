"""The end of a run: the best weights as a model folder, its card and curves, and the record last."""

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

from webfaq_domains.ground.files import replacing, write_json, write_text
from webfaq_eval.errors import TrainingError
from webfaq_eval.training.embedders import Embedder, Residual
from webfaq_eval.training.encoder import merge_adapter
from webfaq_eval.training.loop import write_curve
from webfaq_eval.training.validation import METRIC, Judge, load_weights

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


_ABOUT = """\
# {title}

A retriever for questions and answers: an encoder trained on the FAQ pairs of one *condition* of WebFAQ
by domain. The list of its training pairs is `pairs.parquet`, its whole record `training.json`.

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("<this repository or folder>")
questions = model.encode_query(["How do I reset my password?"])
answers = model.encode_document(["Open the settings and choose a new one."])
print(questions @ answers.T)
```
"""


def render_card(record: dict[str, Any], figure: str | None) -> str:
    """Return the README of a trained model: front matter, facts as tables, and the curve."""
    condition = record["condition"]
    parts = [
        _front_matter(record),
        _ABOUT.format(title=f"Retriever: {condition['condition']}"),
        "## Training pairs\n",
        _table(_data_facts(record)),
        "## Training\n",
        _table(_training_facts(record)),
        "## Validation\n",
        _validation(record),
    ]
    if figure:
        parts.append(f"![Learning curve]({figure})\n")
    parts.append("## Versions\n")
    parts.append(_table(list(record["versions"].items())))
    return "\n".join(parts)


def _front_matter(record: dict[str, Any]) -> str:
    from huggingface_hub import ModelCardData

    base = record["encoder"]["name"]
    data = ModelCardData(
        library_name="sentence-transformers",
        pipeline_tag="sentence-similarity",
        base_model=base if "/" in base else None,
        language=sorted(record["condition"]["languages"]) or None,
        tags=["sentence-transformers", "retrieval", "webfaq"],
        training_datasets=record["training_datasets"],
    )
    return f"---\n{data.to_yaml()}\n---\n"


def _data_facts(record: dict[str, Any]) -> list[tuple[str, Any]]:
    condition = record["condition"]
    languages = sorted(condition["languages"].items(), key=lambda item: -item[1])
    return [
        ("training datasets", ", ".join(record["training_datasets"]) or "none"),
        ("data", f"{record['data']['name']}, digest `{record['data']['digest']}`"),
        ("condition", condition["condition"]),
        ("pairs", f"{condition['pairs']:,}"),
        ("sha256 of the list of pairs", f"`{condition['sha256']}`"),
        ("pairs per language at most", condition["pairs_per_language"] or "all"),
        ("languages", ", ".join(f"{code} {count:,}" for code, count in languages) or "none"),
        (
            "domains",
            ", ".join(f"{name} {n:,}" for name, n in condition["domains"].items()) or "none",
        ),
        ("held-out languages", ", ".join(condition["held_out"]) or "none"),
        ("held out checked by", condition["held_out_checked"] or "nothing to check"),
        ("sha256 of the batches, in order", f"`{record.get('batches_sha256')}`"),
    ]


def _training_facts(record: dict[str, Any]) -> list[tuple[str, Any]]:
    encoder, settings = record["encoder"], record["settings"]
    plain = {**settings["loss"], **settings["schedule"]}
    return [
        ("encoder", f"{encoder['name']}, revision `{encoder['revision']}`"),
        ("prefixes", f"query `{encoder['query_prefix']}`, passage `{encoder['passage_prefix']}`"),
        ("what is trained", settings["encoder"]["mode"]),
        ("longest text, tokens", settings["encoder"]["max_length"]),
        ("seed", settings["seed"]),
        ("steps", record["steps"]),
        ("pairs a step", settings["batch_size"]),
        ("monolingual batches", settings["monolingual"]),
        *((name.replace("_", " "), value) for name, value in plain.items() if name != "steps"),
        ("hard negatives", json.dumps(record.get("negatives"))),
        ("processes, device", f"{record['processes']}, {record['device']}"),
        ("seconds", record["seconds"]),
    ]


def _validation(record: dict[str, Any]) -> str:
    if not record["after"]:
        return "There was no validation: the validation split has no question that may be asked.\n"
    lines = [
        f"nDCG@10 on web sites that training did not see; best at step {record['best_step']}.",
        "",
    ]
    lines += ["| questions | before | after |", "|---|---|---|"]
    for name, value in record["after"].items():
        lines.append(
            f"| {name.partition('/')[2] or 'all'} | {record['before'][name]:.4f} | {value:.4f} |"
        )
    return "\n".join(lines) + "\n"


def _table(facts: list[tuple[str, Any]]) -> str:
    rows = "".join(f"| {name} | {value} |\n" for name, value in facts)
    return f"| | |\n|---|---|\n{rows}"


def draw_curve(curve: list[dict[str, Any]], path: Path) -> bool:
    """Draw the curve as PNG; return whether it could be drawn (matplotlib is an extra)."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        log.warning("no figure of the curve: pip install 'webfaq-eval[plot]'")
        return False
    if not curve:
        return False
    figure = Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    _line(left, curve, "loss", "training loss")
    names = sorted({name for line in curve for name in line if name.startswith(METRIC)})
    for name in names:
        _line(right, curve, name, name.partition("/")[2] or "all", 2.0 if name == METRIC else 0.8)
    left.set(xlabel="step", ylabel="loss")
    right.set(xlabel="step", ylabel="validation nDCG@10")
    if names:
        right.legend(fontsize="x-small")
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
    return True


def _line(
    axes: Any, curve: list[dict[str, Any]], name: str, label: str, width: float = 1.5
) -> None:
    points = [(line["step"], line[name]) for line in curve if name in line]
    if points:
        axes.plot(*zip(*points, strict=True), label=label, linewidth=width, marker=".")
