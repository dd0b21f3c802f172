"""Does an English task, or retrieval training, raise the zero-shot Tatoeba accuracy of a small XLM-R?

    OMP_NUM_THREADS=1 python perf/sign.py TOKENIZER PAIRS SAMPLES BENCHMARK OUT

TOKENIZER  an encoder folder or name with XLM-R's tokenizer
PAIRS      a staged `webfaq-domains` folder: texts for masked language modelling, pairs to train on
SAMPLES    the folder of the intermediate tasks' files, as for `perf/intermediate.py`
BENCHMARK  a staged `xtreme-r-domains` folder with Tatoeba
OUT        for all models and results; started again, finished parts are kept

Two starts, a random XLM-R (`perf/small.py`) and the same after masked language modelling (MLM), are
trained in several ways, with several seeds. Phang et al. 2020 (arXiv 2005.13013) start from a full
XLM-R; this asks for the sign of their effect only. Vectors are mean-pooled, in float32, since those of
such encoders lie close together. Each row of the table is a training beside its start: the difference
in points, with a 95 % interval over items and seeds. `cosine` is the mean cosine of different FAQ
questions: near 1, all vectors point one way. About an hour of one CPU thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from small import make_small
from webfaq_eval.intermediate.encoder import load_encoder
from webfaq_eval.intermediate.run import train_intermediate
from webfaq_eval.intermediate.settings import Places, Settings
from webfaq_eval.models.encoder import Settings as Usage
from webfaq_eval.models.encoder import find_model
from webfaq_eval.pairs.pairs import open_pairs
from webfaq_eval.scoring.score import Request, Scored, score
from webfaq_eval.statistics.intervals import two_way_bootstrap
from webfaq_eval.statistics.pairing import pair_queries
from webfaq_eval.training.settings import (
    DataSettings,
    EncoderSettings,
    Schedule,
    StepSettings,
    TrainSettings,
)
from webfaq_eval.training.train import train

#: Task -> file below SAMPLES, rows of a step, tokens.
TASKS = {
    "mnli": ("mnli/generative_nli_dev.jsonl", 32, 64),
    "squad_v1": ("squad/xquad.en.json", 16, 128),
}
#: Tokens of a text in retrieval training and scoring; Tatoeba's sentences have about ten.
LENGTH = 32
HEADER = (
    "start", "training", "direction", "accuracy, mean of languages", "pooled", "difference, pooled",
    "95 %", "by seed", "n", "cosine",
)  # fmt: skip
Options = dict[str, Any]


def make_starts(options: Options) -> dict[str, Path]:
    """Make what is missing of the random and the MLM start."""
    out, steps = Path(options["out"]), options["mlm_steps"]
    sizes = options["layers"], options["dims"], options["least"]
    texts, random = make_small(options["tokenizer"], options["pairs"], out, sizes)
    settings = Settings(
        "mlm", steps=steps, learning_rate=1e-3, max_length=64, dev_share=0.02,
        weight_decay=0.01, evaluate_every=max(1, steps // 4),
    )  # fmt: skip
    intermediate(settings, Places(str(random), str(texts), out / "mlm", device="cpu"))
    return {"random": random, "MLM": out / "mlm"}


def intermediate(settings: Settings, places: Places) -> Path:
    """Train on a task and print its dev metrics."""
    (result,) = train_intermediate(settings, places)["results"].values()
    print(f"{places.out.name}: dev {result['dev']}, baseline {result['baseline']}", flush=True)
    return places.out


def make_models(start: Path, seed: int, options: Options) -> Iterator[tuple[str, Path]]:
    """Yield each training's name and model, trained now if it is not there."""
    for task in options["tasks"]:
        file, rows, length = TASKS[task]
        out = start.with_name(f"{start.name}.{task}.s{seed}")
        settings = Settings(
            task, seed=seed, steps=options["task_steps"], batch_size=rows, max_length=length,
            learning_rate=options["task_rate"], dev_share=0.06, evaluate_every=options["task_steps"] // 6,
        )  # fmt: skip
        data = str(Path(options["samples"]) / file)
        yield task, intermediate(settings, Places(str(start), data, out, device="cpu"))
    yield "all, mixed", retriever(start, (seed, "all", False), options)
    yield "all, monolingual", retriever(start, (seed, "all", True), options)
    english = f"english:{options['domain']}"
    yield english, retriever(start, (seed, english, False), options)


def retriever(start: Path, how: tuple[int, str, bool], options: Options) -> Path:
    """Train on pairs: seed, condition, one language per batch; print the loss.

    English pairs are validated and end with the best weights; the other condition ends with the last,
    where the validation split has no question in its languages.
    """
    seed, condition, monolingual = how
    name = condition.replace(":", "-") + ("-monolingual" if monolingual else "")
    out = start.with_name(f"{start.name}.{name}.s{seed}")
    settings = TrainSettings(
        DataSettings(options["pairs"], condition),
        EncoderSettings(str(start), max_length=LENGTH), seed, batch_size=64, monolingual=monolingual,
        schedule=Schedule(steps=options["steps"], learning_rate=options["rate"]),
        step=StepSettings(cached=False),
    )  # fmt: skip
    record = train(settings, out).record
    losses = [line["loss"] for line in record["curve"] if "loss" in line]
    print(f"{out.name}: loss {losses[0]:.2f} to {losses[-1]:.2f}, {record['after']}", flush=True)
    return out


def scored(model: Path, options: Options) -> Scored:
    usage = Usage(str(model), max_length=LENGTH, dtype="float32", device="cpu")
    results = Path(options["out"]) / "results"
    found = score(Request(usage, options["benchmark"], results, (options["subset"],)), quiet=True)
    print(f"{model.name}: scored", flush=True)
    return found


def alikeness(model: Path, texts: list[str]) -> float:
    """Return the mean cosine of different texts."""
    encoder = load_encoder(find_model(str(model)), "cpu")[0]
    whole = encoder.encode(texts, normalize_embeddings=True).sum(0)
    return float((whole @ whole - len(texts)) / (len(texts) * (len(texts) - 1)))


def compared(before: Scored, after: list[Scored], direction: str) -> tuple[list[str], list[str]]:
    """Return a training's accuracies, and its difference from the start with interval, seeds and n."""
    sides = [
        [one for one in side.results if one[1].subset.direction == direction]
        for side in (before, *after)
    ]
    pairs = [
        [pair_queries(*two, "official/accuracy") for two in zip(sides[0], side, strict=True)]
        for side in sides[1:]
    ]
    differences = np.array([np.concatenate([one.differences for one in seed]) for seed in pairs])
    items = [item for one in pairs[0] for item in one.items]
    low, high = two_way_bootstrap(differences, items)
    languages = np.mean([[one.other.mean() for one in seed] for seed in pairs])
    pooled = np.mean([np.concatenate([one.other for one in seed]) for seed in pairs])
    seeds = ", ".join(f"{100 * one.mean():+.2f}" for one in differences)
    interval = f"[{100 * low:+.2f}, {100 * high:+.2f}]"
    return (
        [f"{100 * languages:.2f}", f"{100 * pooled:.2f}"],
        [f"{100 * differences.mean():+.2f}", interval, seeds, f"{len(items):,}"],
    )


def show(measured: dict[str, dict[str, list[Path]]], options: Options) -> None:
    """Score and print the table; `measured` is start -> training -> the model of each seed."""
    tables = open_pairs(options["pairs"]).tables("test", ("question",))
    questions = [text for table in tables for text in table["question"].to_pylist()]
    lines = [HEADER, ("---",) * len(HEADER)]
    for start, trainings in measured.items():
        found = {
            name: [scored(one, options) for one in models] for name, models in trainings.items()
        }
        for name, models in trainings.items():
            cosine = f"{np.mean([alikeness(one, questions) for one in models]):.3f}"
            for direction in ("forward", "reverse"):
                accuracy, change = compared(found["none"][0], found[name], direction)
                change = change if name != "none" else ["", "", "", change[-1]]
                lines.append((start, name, direction, *accuracy, *change, cosine))
    print("", *("| " + " | ".join(line) + " |" for line in lines), sep="\n", flush=True)


@click.command()
@click.argument("tokenizer")
@click.argument("pairs")
@click.argument("samples")
@click.argument("benchmark")
@click.argument("out")
@click.option("--seeds", default=2, show_default=True, help="Of each training.")
@click.option("--layers", default=4, show_default=True)
@click.option("--dims", default=128, show_default=True, help="A multiple of 32.")
@click.option("--least", default=10, show_default=True, help="Pieces met less often are cut.")
@click.option("--mlm-steps", default=1500, show_default=True, help="Of 32 lines of 64 tokens.")
@click.option("--task-steps", default=900, show_default=True)
@click.option("--task-rate", default=1e-3, show_default=True, help="Learning rate.")
@click.option("--steps", default=150, show_default=True, help="Of 64 pairs.")
@click.option("--rate", default=5e-4, show_default=True, help="Learning rate of pairs.")
@click.option("--task", "tasks", multiple=True, default=["mnli"], type=click.Choice(list(TASKS)))
@click.option("--domain", default="health", show_default=True, help="Of the English pairs.")
@click.option("--subset", default="tatoeba_???", show_default=True, metavar="GLOB")
def main(**options: Any) -> None:
    """Train from both starts in all ways, seed by seed; score, and print a table after each seed."""
    starts = make_starts(options)
    measured: dict[str, dict[str, list[Path]]] = {n: {"none": [s]} for n, s in starts.items()}
    for seed in range(options["seeds"]):
        for name, start in starts.items():
            for training, model in make_models(start, seed, options):
                measured[name].setdefault(training, []).append(model)
        show(measured, options)


if __name__ == "__main__":
    main()
