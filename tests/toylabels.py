"""A toy language of labelled texts, for tests of the labeler."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from webfaq_domains.ground.taxonomy import builtin_taxonomy
from webfaq_domains.labelers.training.annotations import Annotation

#: Words of a toy language: the first of each domain's are unmistakable.
TOPICS = {
    "technology": "software router password browser server",
    "health": "doctor vaccine symptom hospital tablet",
    "travel": "flight hotel luggage airport train",
    "finance": "bank loan mortgage interest account",
    "legal": "court lawyer contract licence permit",
    "education": "school exam teacher course degree",
    "entertainment": "film concert actor game stadium",
    "commerce": "order delivery refund shoes sofa",
    "other": "recipe dog church garden weather",
}


def toy_rows(count: int, seed: int = 0) -> list[Annotation]:
    """Return `count` annotations per domain of the builtin taxonomy, in two languages."""
    generator = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        for slug in builtin_taxonomy().slugs:
            words = generator.choice(TOPICS[slug].split(), 3, replace=False)
            text = f"What about the {words[0]} and {words[1]}, number {number}?"
            language = ("eng", "deu")[number % 2]
            rows.append(Annotation(language, (slug,), text, f"Ask for the {words[2]} {number}."))
    return rows


def write_rows(folder: Path, rows: list[Annotation]) -> Path:
    """Write annotations as the files that an import reads."""
    folder.mkdir(parents=True, exist_ok=True)
    for language in {row.language for row in rows}:
        lines = [
            json.dumps(
                {
                    "language": row.language,
                    "domains": list(row.domains),
                    "question": row.question,
                    "answer": row.answer,
                }
            )
            for row in rows
            if row.language == language
        ]
        (folder / f"{language}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
