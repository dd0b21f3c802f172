"""How negatives are mined, as frozen dataclasses: the one place of every default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webfaq_eval.errors import TrainingError
from webfaq_eval.training.settings import EncoderSettings


@dataclass(frozen=True)
class MineSettings:
    """How negatives are found.

    The best `depth` answers are looked at and at most `most` kept. One that scores above `ratio` times
    the right answer's score is likely right itself and left out, as is any answer that the pairs have
    for the question.
    """

    depth: int = 100
    most: int = 20
    ratio: float = 0.95
    shard_questions: int = 10_000

    def __post_init__(self) -> None:
        if not (0 < self.most <= self.depth and self.ratio > 0 and self.shard_questions > 0):
            raise TrainingError(
                f"depth {self.depth}, most {self.most}, ratio {self.ratio}, shard_questions "
                f"{self.shard_questions}: expected 0 < most <= depth and the others above 0"
            )


@dataclass(frozen=True)
class TeacherSettings:
    """Which cross-encoder scores, and which negatives it throws out.

    A negative is thrown out that scores less than `margin` times the right answer's score below it:
    0.05, the 95 % of TopK-PercPos in NV-Retriever (Moreira et al. 2024, arXiv 2407.15831), and
    `relative_margin` in sentence-transformers' `mine_hard_negatives`. A pair of texts is cut at
    `max_length` tokens.
    """

    model: str
    margin: float = 0.05
    max_length: int = 512

    def __post_init__(self) -> None:
        if not (0 <= self.margin < 1 and self.max_length > 0):
            raise TrainingError(
                f"teacher's margin {self.margin}, max_length {self.max_length}: expected a margin from "
                "0 to below 1, and a length above 0"
            )


def mine_settings_of(model: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the options of `webfaq-eval mine` name, for `mine`."""
    names = ("query_prefix", "passage_prefix", "max_length")
    teacher = None
    if options["teacher"] is not None:
        teacher = TeacherSettings(
            options["teacher"], options["teacher_margin"], options["teacher_max_length"]
        )
    return {
        "encoder": EncoderSettings(model, **{name: options[name] for name in names}),
        "settings": MineSettings(options["depth"], options["most"], options["ratio"]),
        "teacher": teacher,
    }
