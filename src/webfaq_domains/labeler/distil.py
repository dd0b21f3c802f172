"""Train the student: a fastText classifier (Joulin et al. 2017) on labelled lines of text."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from webfaq_domains.errors import LabelerError, MissingExtra
from webfaq_domains.labeler.annotations import Annotation
from webfaq_domains.labeler.lexicon import Lexicon, recombined
from webfaq_domains.labeler.student import LABEL, student_text


@dataclass(frozen=True)
class StudentRecipe:
    """What decides the student's bytes, besides its texts.

    One-vs-all loss, since a pair may have several domains. Character n-grams of `shortest` to
    `longest` characters carry words from one language to its relatives; they alone are features
    (`word_count` keeps nearly all words out of the dictionary), so that `buckets` and `dimensions`
    fix the size. Training runs on one thread: fastText's threads race.
    """

    characters: int = 400
    dimensions: int = 10
    epochs: int = 6
    rate: float = 0.6
    shortest: int = 4
    longest: int = 5
    buckets: int = 320_000
    word_count: int = 1000
    annotation_repeats: int = 3
    lexicon_texts: int = 40
    lexicon_terms: int = 6
    word_texts: int = 6000
    seed: int = 20261101


def training_line(domains: Iterable[str], text: str) -> str:
    """Return one line as fastText reads it: a label per domain, then the text."""
    return " ".join([*(f"{LABEL}{slug}" for slug in domains), student_text(text)])


def annotation_lines(rows: Sequence[Annotation], recipe: StudentRecipe) -> list[str]:
    """Return each annotation `annotation_repeats` times, and its question and answer once alone."""
    cut = recipe.characters
    lines = [training_line(row.domains, row.text[:cut]) for row in rows] * recipe.annotation_repeats
    for row in rows:
        lines += [training_line(row.domains, text[:cut]) for text in (row.question, row.answer)]
    return lines


def lexicon_lines(lexicon: Lexicon, recipe: StudentRecipe) -> list[str]:
    """Return pseudo-texts of each language and domain, recombined from the lexicon's terms."""
    generator = np.random.default_rng(recipe.seed)
    return [
        training_line([slug], text)
        for language in sorted(lexicon)
        for slug, terms in sorted(lexicon[language].items())
        for text in recombined(terms, recipe.lexicon_texts, recipe.lexicon_terms, generator)
    ]


def train_student(lines: list[str], recipe: StudentRecipe) -> Any:
    """Train a fastText model on lines of `training_line`; the same lines give the same model.

    :raises LabelerError: if there is nothing to train on.
    """
    try:
        import fasttext
    except ImportError as error:
        raise MissingExtra("fasttext-community", "build") from error
    if not lines:
        raise LabelerError("there is no text to train a student on; give annotations or a source")
    order = np.random.default_rng(recipe.seed).permutation(len(lines))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        path.write_text("".join(lines[i] + "\n" for i in order), encoding="utf-8")
        return fasttext.train_supervised(
            str(path),
            loss="ova",
            dim=recipe.dimensions,
            epoch=recipe.epochs,
            lr=recipe.rate,
            # A line's end counts as a word: a small set must leave the dictionary that much.
            minCount=min(recipe.word_count, len(lines)),
            minn=recipe.shortest,
            maxn=recipe.longest,
            bucket=recipe.buckets,
            thread=1,
            seed=recipe.seed,
            verbose=0,
        )


def quantise_student(model: Any) -> None:
    """Shrink a model in place by product quantisation (Joulin et al. 2016), two dimensions a byte.

    Nothing is cut: a table of hashed n-grams costs less than a list of those that were kept.
    """
    model.quantize(qnorm=True, dsub=2)
