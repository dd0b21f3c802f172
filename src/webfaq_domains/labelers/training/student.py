"""Train the student: a fastText classifier (Joulin et al. 2017), its hyper-parameters chosen on held-out rows."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from webfaq_domains.ground.errors import LabelerError, MissingExtra, RecipeError
from webfaq_domains.ground.files import file_sha256
from webfaq_domains.labelers.base import LabelerId
from webfaq_domains.labelers.calibration import Platt, calibrate, site_weights
from webfaq_domains.labelers.folder import StudentFile, TriedRecipe, write_labeler_file
from webfaq_domains.labelers.measuring.labelled import Labelled, truth_table
from webfaq_domains.labelers.measuring.metrics import figures
from webfaq_domains.labelers.student import LABEL, Student, student_lines, student_text
from webfaq_domains.labelers.training.annotations import Annotation
from webfaq_domains.labelers.training.description import Description
from webfaq_domains.labelers.training.lexicon import DomainWords, Lexicon, recombined

_log = logging.getLogger(__name__)


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


def text_lines(
    texts: Sequence[str], labels: Sequence[Sequence[str]], recipe: StudentRecipe
) -> list[str]:
    """Return a training line per text that teaches something."""
    return [
        training_line(found, text[: recipe.characters])
        for text, found in zip(texts, labels, strict=True)
        if found
    ]


def word_lines(found: DomainWords, recipe: StudentRecipe) -> list[str]:
    """Return each domain word as a line, and pseudo-texts: of one domain's words, and mixed.

    A mixed text is one to three words of a domain among up to five background words, as a real
    question is; it keeps the student from needing many hits.
    """
    generator = np.random.default_rng(recipe.seed)
    lines: list[str] = []
    for slug, words in sorted(found.words.items()):
        lines += [training_line([slug], word) for word in words]
        if len(words) >= recipe.lexicon_terms:
            lines += _pure(words, slug, recipe, generator)
            lines += _mixed(words, found.background, slug, recipe, generator)
    return lines


def _pure(
    words: list[str], slug: str, recipe: StudentRecipe, generator: np.random.Generator
) -> list[str]:
    drawn = generator.integers(0, len(words), (recipe.word_texts, recipe.lexicon_terms))
    return [training_line([slug], " ".join(words[i] for i in row)) for row in drawn]


def _mixed(
    words: list[str], background: list[str], slug: str, recipe: StudentRecipe,
    generator: np.random.Generator,
) -> list[str]:  # fmt: skip
    lines = []
    for _ in range(recipe.word_texts if background else 0):
        mine = generator.integers(0, len(words), generator.integers(1, 4))
        others = generator.integers(0, len(background), generator.integers(0, 6))
        text = [*(words[i] for i in mine), *(background[i] for i in others)]
        lines.append(training_line([slug], " ".join(text)))
    return lines


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


@dataclass(frozen=True)
class Trial:
    """One tried recipe and its macro-F1 on the validation rows."""

    recipe: StudentRecipe
    changed: dict[str, Any]
    macro_f1: float

    def record(self) -> TriedRecipe:
        return TriedRecipe(asdict(self.recipe), self.changed, self.macro_f1)


def most_probable(model: Any, rows: Sequence[Labelled], characters: int) -> list[str]:
    """Return a fastText model's most probable label of each row, the fallback included."""
    lines = student_lines([row.text[:characters] for row in rows])
    labels, _ = model.f.multilinePredict(lines, 1, 0.0, "strict")
    return [str(found[0]).removeprefix(LABEL) for found in labels]


def balanced(rows: Sequence[Labelled], most: int, seed: int) -> list[Labelled]:
    """Return at most `most` rows of each origin and language, so that no large site decides."""
    order = np.random.default_rng(seed).permutation(len(rows))
    taken: dict[tuple[str, str], int] = {}
    kept = []
    for number in order:
        row = rows[number]
        cell = (row.origin, row.language)
        if taken.get(cell, 0) < most:
            taken[cell] = taken.get(cell, 0) + 1
            kept.append(row)
    return kept


def try_recipe(
    lines: list[str], rows: Sequence[Labelled], slugs: Sequence[str], recipe: StudentRecipe
) -> float:
    """Return the macro-F1 that a recipe reaches on `rows`."""
    model = train_student(lines, recipe)
    return figures(rows, most_probable(model, rows, recipe.characters), slugs).macro.f1


def choose_recipe(
    lines: list[str],
    rows: Sequence[Labelled],
    slugs: Sequence[str],
    base: StudentRecipe,
    choices: Sequence[dict[str, Any]],
) -> list[Trial]:
    """Try `base` and each change of it on `rows`; return the trials, best first.

    Ties go to the earlier one: the base recipe stands unless a change helps.

    :raises RecipeError: if a change names no parameter of the student.
    """
    trials = []
    tries = ({}, *choices)
    for changed in tqdm(tries, desc="students", unit="recipe", disable=None):
        try:
            recipe = replace(base, **changed)
        except TypeError as error:
            known = ", ".join(vars(base))
            raise RecipeError(f"student choice {changed}: {error}; known: {known}") from error
        score = try_recipe(lines, rows, slugs, recipe)
        _log.info("student %s: macro-F1 %.4f", changed or "as it is", score)
        trials.append(Trial(recipe, dict(changed), round(score, 4)))
    return sorted(trials, key=lambda trial: -trial.macro_f1)


def stage_student(
    model: Any, path: Path, description: Description, recipe: StudentRecipe,
    held_out: Sequence[Labelled], trials: Sequence[Trial] = (),
) -> Student:  # fmt: skip
    """Save a fastText model as `path`, calibrate it on held-out rows, and describe its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save_model(str(path))
    domains = description.taxonomy.claimable
    draft = Student(
        LabelerId("student", "", "", ""), domains, np.zeros(len(domains), np.float32),
        description.taxonomy.fallback, recipe.characters, Platt.identity(len(domains)), model,
    )  # fmt: skip
    scores, truth = draft.scores([row.text for row in held_out]), truth_table(held_out, domains)
    weights = site_weights([row.origin for row in held_out])
    record = StudentFile(
        **description.fields(calibrate(scores, truth, weights, description.rule)),
        model=path.name,
        model_sha256=file_sha256(path),
        characters=recipe.characters,
        recipe=asdict(recipe),
        trials=tuple(trial.record() for trial in trials) or None,
    )
    write_labeler_file(path.parent, record)
    return Student.load(path.parent)
