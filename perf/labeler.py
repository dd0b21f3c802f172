"""Measure how many pairs a second the builtin student labels on one core.

    python perf/labeler.py [--labeler DIR] [--pairs 2400] [--characters 500]

Pairs are made of the demo data of the builders, repeated and joined until each has the asked
number of characters, in all its languages alike. CPU time of this process is what counts, so that
other programs on the machine do not. Prints pairs/s of the student's whole path (text form,
fastText, calibration, assignment) as JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.resources import files
from pathlib import Path

from webfaq_domains.labelers.load import load_labeler


def texts_of(characters: int, pairs: int) -> list[str]:
    """Return `pairs` texts of `characters` characters, taking turns over the languages."""
    folder = Path(str(files("webfaq_domains.builders").joinpath("sample")))
    found: list[str] = []
    for path in sorted(folder.glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        whole = " ".join(f"{row['question']} {row['answer']}" for row in rows)
        whole = whole * (1 + 40 * characters // max(len(whole), 1))
        steps = range(0, max(1, len(whole) - characters), characters)
        found += [whole[start : start + characters] for start in steps][:40]
    return [found[number % len(found)] for number in range(pairs)]


def rate(address: str, texts: list[str], rounds: int = 15) -> dict[str, float]:
    """Return pairs a second, for probabilities alone and with the assignment of domains.

    The best of `rounds` rounds: what else runs on the machine can only slow a round down.
    """
    labeler = load_labeler(address)
    texts = [text[: labeler.characters] for text in texts]
    scoring, assigning = [], []
    for _ in range(rounds):
        start = time.process_time()
        found = labeler.probabilities(texts)
        middle = time.process_time()
        labeler.assign(found)
        scoring.append(middle - start)
        assigning.append(time.process_time() - middle)
    return {
        "pairs": len(texts),
        "characters": len(texts[0]),
        "probabilities_per_second": round(len(texts) / min(scoring)),
        "labels_per_second": round(len(texts) / (min(scoring) + min(assigning))),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labeler", default="builtin")
    parser.add_argument("--pairs", type=int, default=2_400)
    parser.add_argument("--characters", type=int, default=500)
    options = parser.parse_args()
    print(json.dumps(rate(options.labeler, texts_of(options.characters, options.pairs)), indent=1))


if __name__ == "__main__":
    main()
