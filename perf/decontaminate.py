"""Decontamination: our step beside n-gram sets, on the same pairs and benchmark texts, one core.

    python perf/decontaminate.py FAQ_DIR BENCHMARK_DIR --pairs 20000

BENCHMARK_DIR is a staged retrieval folder (`webfaq-domains build xtreme-r`). The peers are what is
usual: datatrove's `NGramsDecontFilter` at its default of 12 words (its own code, words by spaces, as
its tokenizers for 90 languages are not all installable), and a set of 8-word n-grams in plain
Python. `clean` is the share of the pairs dropped as they are; the other columns are the share of
1,000 sentences of the benchmark found when each is planted in an answer: as the whole answer, in
upper case, with one word (or two letters) changed, inside a longer answer.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
from corpus import make_rows, pools

from webfaq_domains.steps.contamination.index import BenchmarkIndex, index_file
from webfaq_domains.steps.contamination.matching import Rules
from webfaq_domains.steps.contamination.step import Decontaminate, benchmarks

#: question, answer -> is the pair dropped
Check = Callable[[list[str], list[str]], np.ndarray]


def with_ours(path: Path) -> Check:
    step = Decontaminate((str(path),))
    benchmarks(step.indexes, Rules())  # loaded before the clock starts, as for the peers

    def check(questions: list[str], answers: list[str]) -> np.ndarray:
        nothing = pa.nulls(len(questions), pa.string())
        rows = {"question": questions, "answer": answers, "origin": nothing, "url": nothing}
        table = pa.table({**rows, "row": np.arange(len(questions))})
        dropped = np.ones(len(questions), bool)
        dropped[step(table).kept["row"].to_numpy()] = False
        return dropped

    return check


class SplitTokenizer:
    def word_tokenize(self, text: str) -> list[str]:
        return text.split()


def with_datatrove(texts: list[str], folder: Path) -> Check:
    from datatrove.data import Document
    from datatrove.pipeline.decont import n_grams
    from xxhash import xxh64_intdigest

    n_grams.load_word_tokenizer = lambda language: SplitTokenizer()
    decont = n_grams.NGramsDecontFilter(str(folder))
    decont.hash_func = lambda text: xxh64_intdigest(text.encode())  # newer xxhash wants bytes
    hashes = n_grams.NGramsDecontIndexer.compute_hashes  # the class itself asks for lighteval
    known = sorted({number for text in texts for number in hashes(decont, text)})
    np.array(known, decont.config.hash_config.np_descr).tofile(folder / "all.index.hashes")
    decont.load_index_hashes()

    def check(questions: list[str], answers: list[str]) -> np.ndarray:
        return np.array(
            [
                any(decont.filter(Document(text, str(n))) is not True for text in pair)
                for n, pair in enumerate(zip(questions, answers, strict=True))
            ]
        )

    return check


def with_python(texts: list[str], width: int = 8) -> Check:
    def grams(text: str) -> set[tuple[str, ...]]:
        kept = "".join(char if char.isalnum() else " " for char in text.lower()).split()
        return {tuple(kept[n : n + width]) for n in range(len(kept) - width + 1)}

    known = {gram for text in texts for gram in grams(text)}

    def check(questions: list[str], answers: list[str]) -> np.ndarray:
        pairs = zip(questions, answers, strict=True)
        return np.array([any(not known.isdisjoint(grams(t)) for t in pair) for pair in pairs])

    return check


def changed(text: str, others: list[str], chance: random.Random) -> str:
    """Return a text with one word replaced by a word of another, or two letters where it has none."""
    words = text.split()
    if len(words) > 2:
        words[chance.randrange(len(words))] = chance.choice(chance.choice(others).split())
        return " ".join(words)
    place, other = chance.randrange(max(1, len(text) - 2)), chance.choice(others)
    return text[:place] + other[:2] + text[place + 2 :]


def planted(texts: list[str], answers: list[str]) -> dict[str, list[str]]:
    chance = random.Random(0)
    chosen = chance.sample(texts, 1000)
    around = [chance.choice(answers)[:200] for _ in chosen]
    return {
        "verbatim": chosen,
        "upper": [text.upper() for text in chosen],
        "one word": [changed(text, texts, chance) for text in chosen],
        "inside": [f"{a}. {text} {a}" for text, a in zip(chosen, around, strict=True)],
    }


@click.command()
@click.argument("faq", type=click.Path(exists=True, path_type=Path))
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--pairs", default=20_000, show_default=True)
def main(faq: Path, folder: Path, pairs: int) -> None:
    """Print pairs per CPU second, drops among clean pairs, and recall of planted sentences."""
    rows = make_rows(pools(faq), pairs, np.random.default_rng(0), 0)
    questions, answers = (rows[name].to_pylist() for name in ("question", "answer"))
    path = index_file(folder)
    texts = [text for text, _ in BenchmarkIndex.load(path).listed("text")]
    leaks = planted(texts, answers)
    size = np.mean([len(q) + len(a) for q, a in zip(questions, answers, strict=True)])
    print(f"{pairs:,} pairs of {size:.0f} characters, {len(texts):,} benchmark texts")
    print(f"{'':22}{'pairs/s':>10}{'clean':>9}" + "".join(f"{name:>10}" for name in leaks))
    with tempfile.TemporaryDirectory() as scratch:
        checks = {
            "ours": with_ours(path),
            "datatrove, 12 words": with_datatrove(texts, Path(scratch)),
            "Python set, 8 words": with_python(texts),
        }
        speeds = {}
        for name, check in checks.items():
            started = time.process_time()
            clean = check(questions, answers)
            speeds[name] = pairs / (time.process_time() - started)
            found = [check([""] * len(some), some).mean() for some in leaks.values()]
            print(
                f"{name:22}{speeds[name]:>10,.0f}{clean.mean():>9.3%}"
                + "".join(f"{share:>10.1%}" for share in found),
                flush=True,
            )
    ours = speeds.pop("ours")
    print(", ".join(f"{ours / speed:.1f} x {name}" for name, speed in speeds.items()))


if __name__ == "__main__":
    main()
