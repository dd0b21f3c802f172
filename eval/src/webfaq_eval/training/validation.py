"""Validation during a run: nDCG@10 on unseen web sites, the best weights kept, and when to stop.

Questions of the `validation` split are searched in answers of their own language: the right ones and
distractors chosen by hash, of the same split first, then of the train split, since a small language
would have next to nothing to choose from. Questions are in languages that the condition trains on, so
early stopping sees neither English (but for `english:d`) nor a held-out language; all domains count,
so that conditions are stopped by one measure.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from webfaq_domains.ground.files import replacing
from webfaq_eval.benchmark.folder import Qrels
from webfaq_eval.benchmark.search import search
from webfaq_eval.pairs.conditions import ENGLISH, id_hash
from webfaq_eval.pairs.pairs import Rows
from webfaq_eval.pairs.texts import PairTexts
from webfaq_eval.scoring.metrics import judge, ndcg_at_10
from webfaq_eval.training.checkpoints import last_checkpoint, read_state
from webfaq_eval.training.embedders import Embedder, encode
from webfaq_eval.training.loop import CHECKPOINTS
from webfaq_eval.training.settings import RetrievalSettings

log = logging.getLogger(__name__)
_DEPTH = 10
_TOGETHER = 32


@dataclass(frozen=True)
class Pool:
    """The questions of one language and what they are searched in; rows of `Retrieval`'s lists."""

    questions: Rows
    answers: Rows
    qrels: Qrels


@dataclass(frozen=True)
class Retrieval:
    """Questions and answers to be searched, language by language."""

    questions: list[str]
    answers: list[str]
    domains: list[str]
    origins: list[str]
    pools: tuple[Pool, ...]

    def __len__(self) -> int:
        return len(self.questions)

    def score(
        self, embedder: Embedder, items: tuple[list[Any], list[Any]]
    ) -> npt.NDArray[np.float64]:
        """Return nDCG@10 of each question."""
        asked, found = (encode(embedder, side, _TOGETHER) for side in items)
        scores = np.zeros(len(self), np.float64)
        for pool in self.pools:
            run = search(asked[pool.questions], found[pool.answers], min(_DEPTH, len(pool.answers)))
            judged = judge(run.rows, pool.qrels, len(pool.answers))
            scores[pool.questions] = ndcg_at_10(judged)
        return scores

    def summary(self, scores: npt.NDArray[np.float64]) -> dict[str, float]:
        """Return the mean over all questions and per domain: `ndcg_at_10`, `ndcg_at_10/health`."""
        found = {"ndcg_at_10": float(scores.mean())}
        domains = np.array(self.domains)
        for domain in sorted(set(self.domains)):
            found[f"ndcg_at_10/{domain}"] = float(scores[domains == domain].mean())
        return found


def make_retrieval(
    asked: PairTexts,
    train: PairTexts | None,
    prefixes: tuple[str, str],
    settings: RetrievalSettings,
) -> Retrieval | None:
    """Build the search of `asked` pairs with distractors from `train`; None if nothing can be asked."""
    questions: list[str] = []
    answers: list[str] = []
    domains: list[str] = []
    origins: list[str] = []
    pools = []
    for code, name in enumerate(asked.languages):
        rows = np.flatnonzero(asked.language == code)
        chosen = _first(asked, rows, settings.questions, f"validation/{settings.seed}")
        right = rows[np.isin(asked.question_key[rows], asked.question_key[chosen])]
        keys, texts = _answers((asked, rows, right), train, name, settings)
        if len(keys) < 2:
            continue
        places = np.arange(len(questions), len(questions) + len(chosen))
        pool = np.arange(len(answers), len(answers) + len(keys))
        pools.append(Pool(places, pool, _qrels(asked, chosen, rows, keys)))
        questions += [prefixes[0] + text for text in asked.questions(chosen)]
        answers += [prefixes[1] + text for text in texts]
        domains += [asked.domains[number] for number in asked.domain[chosen]]
        origins += asked.origins(chosen)
    return Retrieval(questions, answers, domains, origins, tuple(pools)) if questions else None


def _answers(
    asked: tuple[PairTexts, Rows, Rows],
    train: PairTexts | None,
    language: str,
    settings: RetrievalSettings,
) -> tuple[npt.NDArray[np.uint64], list[str]]:
    """Return a language's pool, different answers as keys and texts: the right ones and distractors.

    `asked` is the pairs, those of the language, and those with a right answer. Distractors are of the
    same split as far as it has them.
    """
    pairs, rows, right = asked
    keys, texts = list(pairs.answer_key[right]), pairs.answers(right)
    salt = f"distractors/{settings.seed}"
    others = _first(pairs, np.setdiff1d(rows, right), settings.distractors, salt)
    sources = [(pairs, others)]
    if train is not None and language in train.languages:
        more = np.flatnonzero(train.language == train.languages.index(language))
        sources.append((train, _first(train, more, settings.distractors - len(others), salt)))
    for source, chosen in sources:
        keys += list(source.answer_key[chosen])
        texts += source.answers(chosen)
    unique, first = np.unique(np.array(keys, np.uint64), return_index=True)
    return unique, [texts[place] for place in first]


def _first(pairs: PairTexts, rows: Rows, most: int, salt: str) -> Rows:
    """Return at most so many rows, those of the smallest hash."""
    return np.sort(rows[np.argsort(id_hash(pairs.ids[rows], salt), kind="stable")[:most]])


def _qrels(asked: PairTexts, chosen: Rows, rows: Rows, keys: npt.NDArray[np.uint64]) -> Qrels:
    """Say which answers are right: every answer that the pairs have for the question's text."""
    query, corpus = [], []
    for place, row in enumerate(chosen):
        same = rows[asked.question_key[rows] == asked.question_key[row]]
        for answer in np.unique(asked.answer_key[same]):
            query.append(place)
            corpus.append(int(np.searchsorted(keys, answer)))
    return Qrels(np.array(query), np.array(corpus), np.ones(len(query), np.int64))


def may_ask(language: str, condition: str, held_out: frozenset[str]) -> bool:
    """Return whether validation may ask in a language: only what the condition may train on."""
    if language in held_out:
        return False
    return (language == ENGLISH) == condition.startswith("english:")


METRIC = "ndcg_at_10"


class Enough(Exception):
    """Training has not become better for `patience` validations: no further batch is wanted."""


class Validator:
    """Scores the model when the loop asks, for `loop.Job.evaluate`.

    What it knows of earlier validations comes from the last checkpoint's curve, so a run that was
    killed stops where it would have stopped.
    """

    def __init__(
        self, embedder: Embedder, retrieval: Retrieval, folder: Path, patience: int
    ) -> None:
        self.embedder, self.retrieval = embedder, retrieval
        self.folder, self.patience = folder, patience
        self.items = embedder.prepare(retrieval.questions), embedder.prepare(retrieval.answers)
        self.scores = [float(record[METRIC]) for record in self.curve() if METRIC in record]

    def curve(self) -> list[dict[str, Any]]:
        """Return the curve of the last checkpoint; empty at the start."""
        place = last_checkpoint(self.folder / CHECKPOINTS)
        return [] if place is None else list(read_state(place).curve)

    def score(self) -> dict[str, float]:
        """Score the model as it is; nothing is recorded."""
        return self.retrieval.summary(self.retrieval.score(self.embedder, self.items))

    def __call__(self) -> Mapping[str, float]:
        """Score, and keep the weights if they are the best so far."""
        found = self.score()
        best = max(self.scores, default=float("-inf"))
        self.scores.append(found[METRIC])
        if found[METRIC] > best:
            save_weights(self.embedder.module, self.best_path)
        return found

    @property
    def enough(self) -> bool:
        """Return whether the last `patience` validations brought no better one."""
        if not (self.patience and self.scores):
            return False
        return len(self.scores) - 1 - self.best_place >= self.patience

    @property
    def best_place(self) -> int:
        """Return which validation was the best, the first of equals."""
        return self.scores.index(max(self.scores))

    @property
    def best_path(self) -> Path:
        return self.folder / "best.safetensors"


def _trained(module: nn.Module) -> dict[str, Tensor]:
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def save_weights(module: nn.Module, path: Path) -> None:
    """Write the trained weights whole.

    :raises OSError: if they cannot be written (a full disk).
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    weights = {name: p.detach().cpu().contiguous() for name, p in _trained(module).items()}
    try:
        with replacing(path) as temporary:
            save_file(weights, temporary)
    except SafetensorError as error:  # what the library makes of an error of the disk
        raise OSError(f"the best weights cannot be written to {path}: {error}") from error


def load_weights(module: nn.Module, path: Path) -> None:
    """Read trained weights back into the module.

    :raises OSError: if they cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        found = load_file(path)
    except SafetensorError as error:
        raise OSError(f"the best weights cannot be read from {path}: {error}") from error
    with torch.no_grad():
        for name, weight in _trained(module).items():
            weight.copy_(found[name])
