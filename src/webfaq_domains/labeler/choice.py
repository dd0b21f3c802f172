"""Choose the student's hyper-parameters on rows that it is not trained on, and train it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from tqdm import tqdm

from webfaq_domains.errors import RecipeError
from webfaq_domains.labeler.distil import StudentRecipe, train_student
from webfaq_domains.labeler.labelled import Labelled
from webfaq_domains.labeler.metrics import figures
from webfaq_domains.labeler.student import LABEL, student_lines

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trial:
    """One tried recipe and its macro-F1 on the validation rows."""

    recipe: StudentRecipe
    changed: dict[str, Any]
    macro_f1: float


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
