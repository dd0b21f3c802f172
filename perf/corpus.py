"""Make a corpus of any size with the statistics of real FAQ text, for the speed measurements.

    python perf/corpus.py FAQ_DIR OUT.parquet --pairs 1000000

Each pair takes a question of the real data and an answer made of sentences drawn from answers in
the same language until it has about 500 characters, so that languages, scripts, word frequencies
and lengths are real and few pairs are duplicates. One row in twenty repeats an earlier one.
"""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_SENTENCE = re.compile(r"(?<=[.!。！।۔])\s+|\n+")
_ROWS_AT_ONCE = 50_000


def pools(faq: Path, least: int = 200) -> dict[str, tuple[list[str], list[str]]]:
    """Return (questions, answer sentences) per language with at least `least` sentences."""
    found = {}
    for path in sorted(faq.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        sentences = {
            sentence.strip()
            for row in rows
            for sentence in _SENTENCE.split(row["answer"])
            if 20 < len(sentence.strip()) < 400 and "?" not in sentence
        }
        if len(sentences) >= least:
            questions = sorted({row["question"] for row in rows})
            found[path.name.split(".")[0]] = (questions, sorted(sentences))
    return found


def make_rows(
    corpus: dict[str, tuple[list[str], list[str]]], rows: int, rng: np.random.Generator, start: int
) -> pa.Table:
    """Return `rows` random pairs; languages are drawn by the size of their pools."""
    names = sorted(corpus)
    weights = np.array([len(corpus[name][1]) for name in names], float)
    chosen = rng.choice(len(names), rows, p=weights / weights.sum())
    columns: dict[str, list[str]] = {
        key: [] for key in ("id", "language", "origin", "question", "answer")
    }
    for number, language in enumerate(names[index] for index in chosen):
        questions, sentences = corpus[language]
        answer, size = [], 0
        while size < 420:
            sentence = sentences[rng.integers(len(sentences))]
            answer.append(sentence)
            size += len(sentence) + 1
        repeat = number > 20 and rng.random() < 0.05
        columns["id"].append(str(start + number))
        columns["language"].append(columns["language"][-20] if repeat else language)
        columns["origin"].append(f"site{rng.integers(200_000)}.example")
        columns["question"].append(
            columns["question"][-20] if repeat else questions[rng.integers(len(questions))]
        )
        columns["answer"].append(columns["answer"][-20] if repeat else " ".join(answer))
    return pa.table(columns)


def write_corpus(faq: Path, out: Path, pairs: int, seed: int = 0) -> None:
    """Write `pairs` rows to one Parquet file."""
    corpus, rng = pools(faq), np.random.default_rng(seed)
    writer = None
    for start in range(0, pairs, _ROWS_AT_ONCE):
        table = make_rows(corpus, min(_ROWS_AT_ONCE, pairs - start), rng, start)
        writer = writer or pq.ParquetWriter(out, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()


@click.command()
@click.argument("faq", type=click.Path(exists=True, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--pairs", default=1_000_000, show_default=True)
def main(faq: Path, out: Path, pairs: int) -> None:
    """Make a corpus of PAIRS rows from the FAQ files in FAQ."""
    write_corpus(faq, out, pairs)


if __name__ == "__main__":
    main()
