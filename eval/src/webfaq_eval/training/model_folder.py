"""The folder that a training run ends as: model, card, curves, and the record last."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from webfaq_domains.ground.files import replacing, write_json, write_text
from webfaq_domains.ground.records import RecordError, as_record, read_json
from webfaq_eval.errors import TrainingError
from webfaq_eval.pairs.pair_list import PairListRecord
from webfaq_eval.training.loop import write_curve
from webfaq_eval.training.validation import METRIC

log = logging.getLogger(__name__)
RECORD, CURVE, FIGURE = "training.json", "curve.jsonl", "curve.png"
Curve = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class EncoderRecord:
    """Which encoder a run began with, and what was put before questions and answers."""

    name: str
    revision: str
    query_prefix: str
    passage_prefix: str


@dataclass(frozen=True)
class TrainingRecord:
    """What `training.json` says of a run.

    `run` is the hash of all that decides it, `weights` the number format of the weights that trained.
    `before` and `after` are validation metrics; fields that a run without pairs lacks are None.
    """

    run: str
    condition: PairListRecord
    data: dict[str, str]
    training_datasets: tuple[str, ...]
    encoder: EncoderRecord
    settings: dict[str, Any]
    part: int
    cached: bool
    processes: int
    device: str
    peak_bytes: int | None
    versions: dict[str, str]
    before: dict[str, float]
    after: dict[str, float]
    best_step: int | None
    curve: tuple[dict[str, Any], ...]
    steps: int
    seconds: float
    planned_steps: int | None = None
    batches_sha256: str | None = None
    pairs_left_per_epoch: dict[Any, int] | None = None
    negatives: dict[str, int] | None = None
    weights: str = "not recorded"


@dataclass(frozen=True)
class Trained:
    """A finished run: the model's folder and its record (`training.json`)."""

    folder: Path
    record: TrainingRecord

    def to_json(self) -> dict[str, Any]:
        return {"folder": str(self.folder), **asdict(self.record)}

    def text(self) -> str:
        record = self.record
        lines = [
            f"{record.condition.condition}: {record.condition.pairs:,} pairs, {record.steps:,} steps"
        ]
        for name, value in record.after.items():
            lines.append(f"validation {name}: {record.before[name]:.4f} -> {value:.4f}")
        return "\n".join([*lines, f"model: {self.folder}"])


def find_trained(out: Path, run: str) -> Trained | None:
    """Return the finished run in a folder, or None.

    :raises TrainingError: if the folder holds a finished run of other settings.
    """
    if not (out / RECORD).is_file():
        return None
    try:
        record = as_record(TrainingRecord, read_json(out / RECORD), RECORD)
    except RecordError as error:
        raise TrainingError(
            f"{out / RECORD} is no record of a run ({error}); use another --out"
        ) from error
    if record.run != run:
        raise TrainingError(
            f"{out} holds a model of another run: settings, data or encoder differ from those asked for "
            f"(run {record.run[:12]}, asked {run[:12]}). Use another --out"
        )
    log.info("%s is done already", out)
    return Trained(out, record)


def write_model(out: Path, save: Callable[[Path], None], record: TrainingRecord) -> None:
    """Save a model into a folder with its card; `save` writes it into a place of its own first."""
    place = out / "work" / "model"
    shutil.rmtree(place, ignore_errors=True)
    save(place)
    for part in sorted(place.iterdir()):
        target = out / part.name
        if target.is_dir():
            shutil.rmtree(target)
        part.replace(target)
    write_curve(out / CURVE, record.curve)
    drawn = draw_curve(record.curve, out / FIGURE)
    write_text(out / "README.md", render_card(record, FIGURE if drawn else None))
    write_json(out / RECORD, asdict(record))


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


def render_card(record: TrainingRecord, figure: str | None) -> str:
    """Return the README of a trained model: front matter, facts as tables, and the curve."""
    parts = [
        _front_matter(record),
        _ABOUT.format(title=f"Retriever: {record.condition.condition}"),
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
    parts.append(_table(list(record.versions.items())))
    return "\n".join(parts)


def _front_matter(record: TrainingRecord) -> str:
    from huggingface_hub import ModelCardData

    base = record.encoder.name
    data = ModelCardData(
        library_name="sentence-transformers",
        pipeline_tag="sentence-similarity",
        base_model=base if "/" in base else None,
        language=sorted(record.condition.languages) or None,
        tags=["sentence-transformers", "retrieval", "webfaq"],
        training_datasets=list(record.training_datasets),
    )
    return f"---\n{data.to_yaml()}\n---\n"


def _data_facts(record: TrainingRecord) -> list[tuple[str, Any]]:
    condition = record.condition
    languages = sorted(condition.languages.items(), key=lambda item: -item[1])
    return [
        ("training datasets", ", ".join(record.training_datasets) or "none"),
        ("data", f"{record.data['name']}, digest `{record.data['digest']}`"),
        ("condition", condition.condition),
        ("pairs", f"{condition.pairs:,}"),
        ("sha256 of the list of pairs", f"`{condition.sha256}`"),
        ("pairs per language at most", condition.pairs_per_language or "all"),
        ("languages", _counts(languages)),
        ("domains", _counts(condition.domains.items())),
        ("held-out languages", ", ".join(condition.held_out) or "none"),
        ("held out checked by", condition.held_out_checked or "nothing to check"),
        ("sha256 of the batches, in order", f"`{record.batches_sha256}`"),
    ]


def _counts(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts) or "none"


def _training_facts(record: TrainingRecord) -> list[tuple[str, Any]]:
    encoder, settings = record.encoder, record.settings
    plain = {**settings["loss"], **settings["schedule"]}
    return [
        ("encoder", f"{encoder.name}, revision `{encoder.revision}`"),
        ("prefixes", f"query `{encoder.query_prefix}`, passage `{encoder.passage_prefix}`"),
        ("what is trained", settings["encoder"]["mode"]),
        ("number format of the weights that train", record.weights),
        ("longest text, tokens", settings["encoder"]["max_length"]),
        ("seed", settings["seed"]),
        ("steps", record.steps),
        ("pairs a step", settings["batch_size"]),
        ("monolingual batches", settings["monolingual"]),
        *((name.replace("_", " "), value) for name, value in plain.items() if name != "steps"),
        ("hard negatives", json.dumps(record.negatives)),
        ("processes, device", f"{record.processes}, {record.device}"),
        ("seconds", record.seconds),
    ]


def _validation(record: TrainingRecord) -> str:
    if not record.after:
        return "There was no validation: the validation split has no question that may be asked.\n"
    lines = [
        f"nDCG@10 on web sites that training did not see; best at step {record.best_step}.",
        "",
        "| questions | before | after |",
        "|---|---|---|",
    ]
    for name, value in record.after.items():
        questions = name.partition("/")[2] or "all"
        lines.append(f"| {questions} | {record.before[name]:.4f} | {value:.4f} |")
    return "\n".join(lines) + "\n"


def _table(facts: list[tuple[str, Any]]) -> str:
    rows = "".join(f"| {name} | {value} |\n" for name, value in facts)
    return f"| | |\n|---|---|\n{rows}"


def draw_curve(curve: Curve, path: Path) -> bool:
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


def _line(axes: Any, curve: Curve, name: str, label: str, width: float = 1.5) -> None:
    points = [(line["step"], line[name]) for line in curve if name in line]
    if points:
        axes.plot(*zip(*points, strict=True), label=label, linewidth=width, marker=".")
