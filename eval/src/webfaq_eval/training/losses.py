"""What training minimises, over vectors of unit length.

`contrastive` is InfoNCE (van den Oord et al. 2018) over in-batch and hard negatives, as sentence-
transformers' MultipleNegativesRankingLoss; `margin_mse` is the distillation of Hofstätter et al. 2020.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from webfaq_eval.training.settings import LossSettings


@dataclass(frozen=True)
class Vectors:
    """The vectors of a whole batch: questions and answers [n, d], hard negatives [m, d]."""

    questions: Tensor
    answers: Tensor
    negatives: Tensor


@dataclass(frozen=True)
class Marks:
    """What the batch knows of its texts.

    `right` [n, n + m] marks candidates that answer the row's question; the diagonal is the pair's own.
    `owner` [m] is the row a hard negative was mined for; `margin` [m] the teacher's score of the right
    answer minus that of the negative, NaN where there is none.
    """

    right: Tensor
    owner: Tensor
    margin: Tensor

    def to(self, device: torch.device) -> Marks:
        return Marks(self.right.to(device), self.owner.to(device), self.margin.to(device))


def contrastive(vectors: Vectors, marks: Marks, settings: LossSettings) -> Tensor:
    """Return the mean over questions of -log p(own answer); other right answers count as neither."""
    candidates = torch.cat([vectors.answers, vectors.negatives])
    logits = vectors.questions @ candidates.T / settings.temperature
    own = torch.arange(len(logits), device=logits.device)
    others = marks.right.clone()
    others[own, own] = False
    logits = logits.float().masked_fill(others, float("-inf"))
    loss = functional.cross_entropy(logits, own)
    if settings.symmetric:
        back = logits[:, : len(logits)].T
        loss = (loss + functional.cross_entropy(back, own)) / 2
    return loss


def margin_mse(vectors: Vectors, marks: Marks, settings: LossSettings) -> Tensor:
    """Return the mean squared difference of student's and teacher's margins, 0 where no teacher was."""
    taught = torch.isfinite(marks.margin)
    owner = marks.owner[taught]
    questions = vectors.questions[owner]
    right = (questions * vectors.answers[owner]).sum(-1)
    wrong = (questions * vectors.negatives[taught]).sum(-1)
    wanted = marks.margin[taught] * settings.teacher_scale
    return ((right - wrong).float() - wanted).square().sum() / max(1, int(taught.sum()))


def loss_of(vectors: Vectors, marks: Marks, settings: LossSettings) -> Tensor:
    """Return the loss of a batch as the settings mix it."""
    loss = vectors.questions.new_zeros((), dtype=torch.float32)
    if settings.distil < 1:
        loss = loss + (1 - settings.distil) * contrastive(vectors, marks, settings)
    if settings.distil > 0:
        loss = loss + settings.distil * margin_mse(vectors, marks, settings)
    return loss
