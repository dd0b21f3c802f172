"""Span extraction: where in a context is the answer (SQuAD). Metrics: exact match and F1, as the official scripts.

A context that is too long is read in windows that overlap (Devlin et al. 2019). A window without the
answer, and a question without one, point at the first token.

Rajpurkar et al. 2016 and 2018. Answers are compared in lower case without punctuation, English
articles and double spaces. For another language the articles stay those of English, as in XQuAD's
evaluation.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from webfaq_eval.errors import TrainingError
from webfaq_eval.intermediate.objectives.base import Encoding, Objective, Outputs
from webfaq_eval.intermediate.objectives.classification import majority
from webfaq_eval.intermediate.tasks.instances import Question

STRIDE = 128  # tokens that two windows of a context share
LONGEST = 30  # tokens of an answer
SHORTEST = 32  # tokens of an input: a quarter is the question's, another is shared by two windows
CANDIDATES = 20  # starts and ends that are tried


@dataclass(frozen=True)
class Window:
    """A part of a question's context that fits into one input.

    `number` is the question's place among the instances; `ids` are the tokens, `types` their token types (zeros where the tokenizer has none); `offsets`
    (tokens, 2) the characters of the context that each comes from,
    -1 outside the context; `start` and `end` the tokens of the answer, 0 where it has none.
    """

    question: Question
    number: int
    ids: np.ndarray[Any, Any]
    types: np.ndarray[Any, Any]
    offsets: np.ndarray[Any, Any]
    start: int
    end: int


@dataclass
class Spans(Objective):
    """Start and end scores for every token; with `nulls` a question may have no answer (v2.0)."""

    encoding: Encoding
    nulls: bool
    metric = "f1"

    def head(self, encoder: Any) -> nn.Module:
        return nn.Linear(encoder.config.hidden_size, 2)

    def __post_init__(self) -> None:
        if self.encoding.max_length < SHORTEST:
            raise TrainingError(
                f"max_length is {self.encoding.max_length}; question and context need {SHORTEST} tokens"
            )

    def features(
        self, instances: Sequence[Any], skipped: Counter[str] | None = None
    ) -> Sequence[Window]:
        """Cut every question's context into windows."""
        from tqdm import tqdm

        starts = tqdm(range(0, len(instances), 256), desc="windows", unit="batch")
        found = [w for at in starts for w in self._windows(at, instances[at : at + 256])]
        if skipped is None:
            return found
        # A window without the answer teaches "no answer", which is true only while another one has it.
        whole = {w.number for w in found if w.end or not w.question.answers}
        lost = len({w.number for w in found}) - len(whole)
        if lost:
            skipped["answer that no window of tokens has whole"] += lost
        return [w for w in found if w.number in whole]

    def _windows(self, first: int, instances: Sequence[Question]) -> list[Window]:
        encoded = self.encoding.tokenizer(
            self._cut([" ".join(one.question.split()) for one in instances]),
            [one.context for one in instances],
            truncation="only_second",
            max_length=self.encoding.max_length,
            stride=min(STRIDE, self.encoding.max_length // 4),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        windows = []
        for row, sample in enumerate(encoded["overflow_to_sample_mapping"]):
            offsets = np.array(encoded["offset_mapping"][row], dtype=np.int32)
            outside = np.array([part != 1 for part in encoded.sequence_ids(row)])
            offsets[outside] = -1
            ids = np.array(encoded["input_ids"][row], dtype=np.int32)
            types = np.array(
                encoded.get("token_type_ids", {row: [0] * len(ids)})[row], dtype=np.int8
            )
            place = _place(instances[sample], offsets)
            windows.append(Window(instances[sample], first + sample, ids, types, offsets, *place))
        return windows

    def _cut(self, questions: list[str]) -> list[str]:
        """Cut questions to a quarter of an input's tokens: none may crowd out the context.

        Devlin et al. cut them at 64 tokens.
        """
        encoded = self.encoding.tokenizer(
            questions, add_special_tokens=False, truncation=True,
            max_length=self.encoding.max_length // 4, return_offsets_mapping=True,
        )  # fmt: skip
        ends = [offsets[-1][1] if offsets else 0 for offsets in encoded["offset_mapping"]]
        return [question[:end] for question, end in zip(questions, ends, strict=True)]

    def batch(self, features: Sequence[Window], chance: np.random.Generator) -> dict[str, Tensor]:
        shape = (len(features), max(len(one.ids) for one in features))
        ids = torch.full(shape, self.encoding.tokenizer.pad_token_id)
        mask, types = torch.zeros_like(ids), torch.zeros_like(ids)
        inside = torch.zeros_like(ids, dtype=torch.bool)
        for row, one in enumerate(features):
            length = len(one.ids)
            ids[row, :length] = torch.from_numpy(one.ids.astype(np.int64))
            types[row, :length] = torch.from_numpy(one.types.astype(np.int64))
            inside[row, :length] = torch.from_numpy(one.offsets[:, 0] >= 0)
            mask[row, :length] = 1
        inside[:, 0] = True  # the first token says: no answer here
        labels = torch.tensor([[one.start, one.end] for one in features])
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        return {**self.encoding.inputs(inputs), "inside": inside, "labels": labels}

    def logits(self, hidden: Tensor, head: nn.Module, batch: Mapping[str, Any]) -> Tensor:
        """Return (windows, 2, tokens); tokens outside the context cannot be chosen."""
        found: Tensor = head(hidden).float().transpose(1, 2)
        return found.masked_fill(~batch["inside"][:, None, :], -1e4)

    def scores(self, outputs: Outputs, instances: Sequence[Any]) -> dict[str, float]:
        """Score as the official scripts do; v2.0 also at its best null threshold."""
        best, null = _read_answers(outputs)
        answers = {number: one.answers for number, one in enumerate(instances)}
        spans = {number: text for number, (_, text) in best.items()}
        if not self.nulls:
            return squad_scores(spans, answers)
        odds = {number: null[number] - best[number][0] for number in answers}
        chosen = {number: "" if odds[number] > 0 else spans[number] for number in answers}
        found = squad_scores(chosen, answers)
        for name, score in (("exact", exact_match), ("f1", token_f1)):
            value, threshold = best_threshold(spans, odds, answers, score)
            found |= {f"best_{name}": value, f"best_{name}_threshold": threshold}
        return found

    def baseline(self, train: Sequence[Any], dev: Sequence[Any]) -> dict[str, float]:
        """Return the F1 of answering with as many first words as is usual, of a random span, of nothing."""
        usual = majority(len(one.answers[0].split()) for one in train if one.answers)
        answers = {number: one.answers for number, one in enumerate(dev)}
        chance = np.random.default_rng(0)
        drawn, first = {}, {}
        for number, one in enumerate(dev):
            words = one.context.split()
            start = int(chance.integers(len(words)))
            drawn[number] = " ".join(words[start : start + usual])
            first[number] = " ".join(words[:usual])
        found = {
            "first words": squad_scores(first, answers)["f1"],
            "random": squad_scores(drawn, answers)["f1"],
        }
        if self.nulls:
            found["no answer"] = squad_scores(dict.fromkeys(answers, ""), answers)["f1"]
        return found

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "nulls": self.nulls}


def _place(question: Question, offsets: np.ndarray[Any, Any]) -> tuple[int, int]:
    """Return the first and last token of the first answer, or 0, 0 where the window lacks it."""
    if not question.answers:
        return 0, 0
    start = question.starts[0]
    end = start + len(question.answers[0])
    inside = np.flatnonzero((offsets[:, 0] >= 0) & (offsets[:, 1] > start) & (offsets[:, 0] < end))
    if not len(inside):
        return 0, 0
    first, last = int(inside[0]), int(inside[-1])
    whole = offsets[first, 0] <= start and offsets[last, 1] >= end
    return (first, last) if whole else (0, 0)


def _read_answers(outputs: Outputs) -> tuple[dict[int, tuple[float, str]], dict[int, float]]:
    """Return each question's best span with its score, and its lowest score of having no answer."""
    best: dict[int, tuple[float, str]] = {}
    null: dict[int, float] = {}
    for windows, _, logits in outputs:
        for window, (start, end) in zip(windows, logits.numpy(), strict=True):
            number = window.number
            null[number] = min(null.get(number, np.inf), float(start[0] + end[0]))
            found = _best_span(window, start, end)
            if number not in best or found[0] > best[number][0]:
                best[number] = found
    return best, null


def _best_span(
    window: Window, start: np.ndarray[Any, Any], end: np.ndarray[Any, Any]
) -> tuple[float, str]:
    """Return the score and text of the best span of a window that is not too long."""
    inside = np.flatnonzero(window.offsets[:, 0] >= 0)
    starts = inside[np.argsort(-start[inside], kind="stable")[:CANDIDATES]]
    ends = inside[np.argsort(-end[inside], kind="stable")[:CANDIDATES]]
    best = (-np.inf, "")
    for first in starts:
        for last in ends:
            score = float(start[first] + end[last])
            if first <= last < first + LONGEST and score > best[0]:
                begin, stop = window.offsets[first, 0], window.offsets[last, 1]
                best = (score, window.question.context[begin:stop].strip())
    return best


_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = set(string.punctuation)


def normalize_answer(text: str) -> str:
    kept = "".join(c for c in text.lower() if c not in _PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", kept).split())


def exact_match(predicted: str, gold: str) -> float:
    return float(normalize_answer(predicted) == normalize_answer(gold))


def token_f1(predicted: str, gold: str) -> float:
    """Return the F1 of the two answers' words; where one has none, 1 if both have none, else 0."""
    found, right = normalize_answer(predicted).split(), normalize_answer(gold).split()
    if not found or not right:
        return float(found == right)
    shared = sum((Counter(found) & Counter(right)).values())
    return 2 * shared / (len(found) + len(right))


def best_of(score: Callable[[str, str], float], predicted: str, answers: Sequence[str]) -> float:
    """Return the best score over the right answers; a question without one has the answer ''.

    As in v2.0, an answer that is nothing once it is normalized does not count while others do.
    """
    kept = [answer for answer in answers if normalize_answer(answer)] or [""]
    return max(score(predicted, answer) for answer in kept)


def squad_scores(
    predicted: Mapping[Any, str], answers: Mapping[Any, Sequence[str]]
) -> dict[str, float]:
    """Return `exact` and `f1`, shares in 0..1, over all questions."""
    count = len(answers)
    exact = sum(best_of(exact_match, predicted[name], right) for name, right in answers.items())
    f1 = sum(best_of(token_f1, predicted[name], right) for name, right in answers.items())
    return {"exact": exact / count, "f1": f1 / count}


def best_threshold(
    spans: Mapping[Any, str],
    null_odds: Mapping[Any, float],
    answers: Mapping[Any, Sequence[str]],
    score: Callable[[str, str], float],
) -> tuple[float, float]:
    """Find the null threshold with the best score: answer while `null_odds` is at most it.

    Returns the score (0..1) and the threshold. Sweeps as evaluate-v2.0.py does: from answering
    nothing, in the order of rising odds, one question more at each step.
    """
    current = best = float(sum(not right for right in answers.values()))
    threshold = min(null_odds.values()) - 1.0
    for name in sorted(null_odds, key=null_odds.__getitem__):
        if answers[name]:
            current += best_of(score, spans[name], answers[name])
        elif spans[name]:
            current -= 1.0
        if current > best:
            best, threshold = current, null_odds[name]
    return best / len(answers), threshold
