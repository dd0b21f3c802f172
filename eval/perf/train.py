"""Speed of training: ours beside sentence-transformers' own trainer, on the same pairs.

    python perf/train.py ENCODER PAIRS --pairs-used 2048 --batch-size 64

Both train all weights with in-batch negatives, in bfloat16 where CUDA has it. Tokens are real ones,
padding does not count. The share of peak is 6 x weights outside the embeddings x tokens (Kaplan et al.
2020; attention's own products left out, so it is a floor) over the device's dense bfloat16 peak.
Without CUDA a small run shows that the script works; its figures say nothing of a GPU.
"""

from __future__ import annotations

import gc
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from webfaq_eval.pairs.pairs import id_order, open_pairs, read_index
from webfaq_eval.pairs.texts import PairTexts, gather_texts
from webfaq_eval.training.batches import Batches, TrainingData
from webfaq_eval.training.embedders import TextEmbedder
from webfaq_eval.training.encoder import open_encoder
from webfaq_eval.training.loop import Job, LoopSettings, run_loop
from webfaq_eval.training.processes import Processes
from webfaq_eval.training.settings import BatchSettings, EncoderSettings, LossSettings, StepSettings
from webfaq_eval.training.step import Step

#: Dense bfloat16 FLOP/s by the vendor's data sheets.
PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L4": 121e12, "4090": 165e12}
#: Steps that warm up (compilers, caches, allocators) and are not timed.
WARM = 3


@dataclass(frozen=True)
class Setting:
    """What all trainers share."""

    encoder: EncoderSettings
    device: str
    batch: int
    rate: float
    temperature: float


@dataclass(frozen=True)
class Timed:
    """One way of training: seconds and losses of each step, and the most memory in use, bytes."""

    name: str
    seconds: list[float]
    losses: list[float]
    memory: int


def ours(setting: Setting, texts: PairTexts, name: str, how: StepSettings, compiled: bool) -> Timed:
    model = fresh(setting)
    if compiled:
        model.transformers_model.compile(dynamic=True)
    batches = Batches(texts, BatchSettings(setting.batch))
    data = TrainingData(texts, batches, ("query: ", "passage: "))
    loss = LossSettings(setting.temperature)
    step = Step(TextEmbedder(model), data, loss, how, Processes(device=setting.device), seed=0)
    steps = batches.steps(1)
    loop = LoopSettings(
        steps, learning_rate=setting.rate, record_every=1, save_every=10 * steps, weight_decay=0.0
    )
    with tempfile.TemporaryDirectory() as folder:
        job = Job(model, data.batch_at, step, Path(folder), "perf")
        curve = run_loop(job, loop)
    return Timed(name, [c["seconds"] for c in curve], [c["loss"] for c in curve], peak(setting))


def theirs(setting: Setting, texts: PairTexts) -> Timed:
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.losses import MultipleNegativesRankingLoss
    from transformers import TrainerCallback

    model = fresh(setting)
    rows = range(len(texts))
    pairs = Dataset.from_dict(
        {
            "anchor": ["query: " + text for text in texts.questions(rows)],
            "positive": ["passage: " + text for text in texts.answers(rows)],
        }
    )
    ends: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            if setting.device == "cuda":
                torch.cuda.synchronize()
            ends.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        arguments = SentenceTransformerTrainingArguments(
            folder, num_train_epochs=1, per_device_train_batch_size=setting.batch,
            learning_rate=setting.rate, warmup_steps=0.1, bf16=setting.device == "cuda",
            use_cpu=setting.device == "cpu", logging_steps=1, save_strategy="no", report_to="none",
            batch_sampler="no_duplicates", dataloader_drop_last=False, disable_tqdm=True,
        )  # fmt: skip
        loss = MultipleNegativesRankingLoss(model, scale=1 / setting.temperature)
        trainer = SentenceTransformerTrainer(
            model, arguments, pairs, loss=loss, callbacks=[Clock()]
        )
        trainer.train()
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    return Timed("sentence-transformers", np.diff(ends).tolist(), losses, peak(setting))


def fresh(setting: Setting) -> Any:
    """Open the encoder anew, with nothing of the last run in memory."""
    gc.collect()
    if setting.device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    torch.manual_seed(0)
    return open_encoder(setting.encoder, setting.device).model


def peak(setting: Setting) -> int:
    if setting.device == "cuda":
        return torch.cuda.max_memory_allocated()
    # The process's, so it can only rise from one trainer to the next.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def count_tokens(setting: Setting, texts: PairTexts) -> tuple[float, int]:
    """Return the tokens of a pair on average, and the weights outside the embeddings."""
    model = fresh(setting)
    rows = range(len(texts))
    total = 0
    for prefix, side in (("query: ", texts.questions(rows)), ("passage: ", texts.answers(rows))):
        for start in range(0, len(side), 256):
            part = [prefix + text for text in side[start : start + 256]]
            total += int(model.preprocess(part)["attention_mask"].sum())
    body = model.transformers_model
    embedded = body.get_input_embeddings().weight.numel()
    return total / len(texts), sum(p.numel() for p in body.parameters()) - embedded


def line(timed: Timed, setting: Setting, tokens: float, weights: int, base: float | None) -> str:
    seconds = float(np.mean(timed.seconds[WARM:]))
    rate = tokens * setting.batch / seconds
    name = torch.cuda.get_device_name() if setting.device == "cuda" else ""
    top = next((flops for card, flops in PEAKS.items() if card in name), None)
    share = f"{6 * weights * rate / top:7.1%}" if top else "      -"
    faster = f"{base / seconds:6.2f}x" if base else "      -"
    last = float(np.mean(timed.losses[-5:]))
    return (
        f"{timed.name:28}{rate:12,.0f}{seconds:10.3f}{faster:>9}{share:>9}"
        f"{timed.memory / 2**30:8.2f}{timed.losses[0]:9.3f}{last:9.3f}"
    )


@click.command()
@click.argument("encoder")
@click.argument("pairs", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--pairs-used", default=None, type=int, help="[default: 384 on a CPU, 32,768 on CUDA]"
)
@click.option("--batch-size", default=None, type=int, help="[default: 32 on a CPU, 256 on CUDA]")
@click.option("--max-length", default=None, type=int, help="[default: 64 on a CPU, 256 on CUDA]")
def main(encoder: str, pairs: Path, pairs_used: int, batch_size: int, max_length: int) -> None:
    """Print tokens/s, share of peak and memory of each trainer."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    small = device == "cpu"
    if small:
        print(
            "NO CUDA DEVICE: a small run on the CPU; it shows that the script works, not its speed"
        )
    settings = EncoderSettings(encoder, max_length=max_length or (64 if small else 256))
    setting = Setting(settings, device, batch_size or (32 if small else 256), 2e-5, 0.02)
    source = open_pairs(pairs)
    ids = read_index(source, "train").ids
    ids = ids[id_order(ids)][: pairs_used or (384 if small else 32_768)]
    with tempfile.TemporaryDirectory() as folder:
        texts = gather_texts(source, "train", ids, Path(folder) / "texts.arrow")
        tokens, weights = count_tokens(setting, texts)
        part = 32 if small else 256
        runs = [theirs(setting, texts)]
        runs.append(ours(setting, texts, "ours", StepSettings(part, cached=False), False))
        runs.append(ours(setting, texts, "ours, cached gradient", StepSettings(part), False))
        if not small:
            runs.append(
                ours(setting, texts, "ours, compiled", StepSettings(part, cached=False), True)
            )
    print(
        f"{len(texts):,} pairs, {tokens:.0f} tokens a pair, {setting.batch} pairs a step, {device}"
    )
    head = ("trainer", "tokens/s", "s a step", "speed", "of peak", "GiB", "loss 1", "last 5")
    print(
        f"{head[0]:28}{head[1]:>12}{head[2]:>10}{head[3]:>9}{head[4]:>9}{head[5]:>8}{head[6]:>9}{head[7]:>9}"
    )
    base = float(np.mean(runs[0].seconds[WARM:]))
    for timed in runs:
        print(line(timed, setting, tokens, weights, None if timed is runs[0] else base))


if __name__ == "__main__":
    main()
