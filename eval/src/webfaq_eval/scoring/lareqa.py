"""LAReQA: a question, answer sentences of all languages in one pool, mAP@20 (Roy et al. 2020).

The headline is mAP@20 over the mixed pool, every language's answer being right. `extra.settings` has
the same queries under four narrower views. Their names follow the paper's four *training* regimes
(En-En, X-X, X-X-mono, X-Y), which are no evaluation settings there; these definitions are ours:

x_x_mono  the pool is the question's own language (what a monolingual test measures)
en_en     x_x_mono of English questions; absent for other languages
x_x       the mixed pool without right answers in other languages: is the own-language answer found?
x_y       the mixed pool without right answers but those in language Y, one Y at a time, the mean over
          the languages Y other than the question's; `by_language` has each Y, own language included

`same_language_bias` (ours): over the wrong candidates above rank 20, the share in the question's
language, less that share among all wrong candidates of the pool; the mean over queries that have a
wrong candidate there. 0 is a language-agnostic ranking, 1 less the pool's share the strongest bias.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from webfaq_eval.benchmark.search import Ints, Run
from webfaq_eval.benchmark.subset import Qrels
from webfaq_eval.results import Extra, LareqaViews
from webfaq_eval.scoring.metrics import Judged, judge, map_at
from webfaq_eval.scoring.protocols import Outcome, Question, retrieve

_K = 20
Bools = npt.NDArray[np.bool_]


def evaluate(question: Question) -> Outcome:
    """Return mAP@20 in the mixed pool; `extra` has the narrower settings and the bias."""
    outcome, data = retrieve(question, "map_at_20"), question.data
    languages = np.asarray(data.corpus.languages, dtype=object)
    own = languages == question.subset.language
    deep = _deep_run(question, outcome.run)
    by_language: dict[str, float] = {}
    for name in sorted(set(languages.tolist())):
        found = _one_language(deep, data.official, languages == name)
        if found is not None:
            by_language[name] = found
    asked = question.subset.language
    others = [v for name, v in by_language.items() if name != asked]
    mono = _own_pool(question, own) if asked in by_language else None
    views = LareqaViews(
        by_language,
        x_y=float(np.mean(others)) if others else None,
        x_x=by_language.get(asked),
        x_x_mono=mono,
        en_en=mono if asked == "eng" else None,
    )
    bias = same_language_bias(outcome.run.rows, data.official, own)
    return replace(outcome, extra=Extra("map_at_20", views, bias))


def _deep_run(question: Question, run: Run) -> Run:
    """Return a run so deep that 20 candidates are left when other right answers are taken out."""
    data = question.data
    most = int(np.bincount(data.official.query).max())
    if run.rows.shape[1] >= min(_K + most, len(data.corpus)):
        return run
    return question.retriever.search(data.queries.inputs, data.corpus.inputs, _K + most)


def _one_language(run: Run, official: Qrels, chosen: Bools) -> float | None:
    """Return mAP@20 where only answers in one language are right and the others are not there."""
    right = official.where(chosen[official.corpus])
    if len(np.unique(right.query)) < len(run.rows):
        return None  # a question without an answer in this language has no score here
    all_grades = judge(run.rows, official, len(chosen)).grades
    judged = judge(run.rows, right, len(chosen))
    gone = (all_grades > 0) & (judged.grades == 0)
    order = np.argsort(gone, axis=1, kind="stable")  # what is taken out moves to the end
    moved = np.take_along_axis(judged.grades, order, axis=1)
    return float(map_at(Judged(moved, judged.relevant, judged.ideal), _K).mean())


def _own_pool(question: Question, own: Bools) -> float:
    data = question.data
    rows = np.flatnonzero(own)
    run = question.retriever.search(data.queries.inputs, data.corpus.take(rows).inputs, _K)
    kept = data.official.where(own[data.official.corpus])
    right = Qrels(kept.query, np.searchsorted(rows, kept.corpus), kept.grade)
    return float(map_at(judge(run.rows, right, len(rows)), _K).mean())


def same_language_bias(ranking: Ints, official: Qrels, own: Bools) -> float | None:
    """Return the bias defined above; None where no ranking has a wrong candidate in its first 20."""
    top = ranking[:, :_K]
    wrong = (judge(top, official, len(own)).grades == 0) & (top >= 0)
    mine = own[np.maximum(top, 0)] & wrong
    right_own = np.bincount(official.query[own[official.corpus]], minlength=len(ranking))
    right = np.bincount(official.query, minlength=len(ranking))
    left = len(own) - right
    expected = (own.sum() - right_own) / np.maximum(left, 1)
    met = wrong.sum(axis=1)
    some = met > 0
    if not some.any():
        return None
    return float((mine.sum(axis=1)[some] / met[some] - expected[some]).mean())
