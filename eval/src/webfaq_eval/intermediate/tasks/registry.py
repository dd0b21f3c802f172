"""The tasks by name: the nine of Phang et al. 2020, all of them together, and masked language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from webfaq_eval.errors import TrainingError
from webfaq_eval.intermediate.objectives.base import Encoding, Objective
from webfaq_eval.intermediate.objectives.classification import Classification, MultipleChoice
from webfaq_eval.intermediate.objectives.mlm import MaskedLanguage
from webfaq_eval.intermediate.objectives.spans import Spans
from webfaq_eval.intermediate.objectives.tagging import Tagging, tags_of
from webfaq_eval.intermediate.settings import NAMES, NINE
from webfaq_eval.intermediate.tasks.ccg import CCG
from webfaq_eval.intermediate.tasks.choices import COSMOSQA, CSQA, HELLASWAG
from webfaq_eval.intermediate.tasks.inference import ANLI, MNLI, NLI_LABELS, QQP, QQP_LABELS, SNLI
from webfaq_eval.intermediate.tasks.mlm_texts import MLM
from webfaq_eval.intermediate.tasks.source import Source
from webfaq_eval.intermediate.tasks.squad import SQUAD_V1, SQUAD_V2

#: Makes an objective from the encoding, the training rows and the place of the encoder.
Make = Callable[[Encoding, Sequence[Any], str], Objective]


@dataclass(frozen=True)
class Task:
    """A task: its data sets, its kind, and how many tokens an input has unless told otherwise."""

    name: str
    sources: tuple[Source, ...]
    make: Make
    max_length: int = 256


def _classes(labels: tuple[str, ...]) -> Make:
    return lambda encoding, train, place: Classification(encoding, labels)


def _options(count: int) -> Make:
    return lambda encoding, train, place: MultipleChoice(encoding, count)


def _spans(nulls: bool) -> Make:
    return lambda encoding, train, place: Spans(encoding, nulls)


_TASKS = (
    # ANLI+ is ANLI with MNLI and SNLI (Nie et al. 2020 train on the three together).
    Task("anli", (ANLI, MNLI, SNLI), _classes(NLI_LABELS)),
    Task("mnli", (MNLI,), _classes(NLI_LABELS)),
    Task("qqp", (QQP,), _classes(QQP_LABELS)),
    Task("squad_v1", (SQUAD_V1,), _spans(nulls=False), 384),
    Task("squad_v2", (SQUAD_V2,), _spans(nulls=True), 384),
    Task("hellaswag", (HELLASWAG,), _options(4)),
    Task("ccg", (CCG,), lambda encoding, train, place: Tagging(encoding, tags_of(train))),
    Task("cosmosqa", (COSMOSQA,), _options(4)),
    Task("csqa", (CSQA,), _options(5)),
)
_LANGUAGE = Task("mlm", (MLM,), lambda encoding, train, place: MaskedLanguage(encoding, place))

TASKS = {task.name: task for task in (*_TASKS, _LANGUAGE)}


def parts_of(name: str, among: Sequence[str] = NINE) -> list[Task]:
    """Return the tasks that a `--task` stands for: itself, or for `multi` those of `among`.

    :raises TrainingError: if there is no such task.
    """
    names = list(among) if name == "multi" else [name]
    unknown = [one for one in names if one not in TASKS]
    if unknown:
        raise TrainingError(f"no task {unknown[0]!r}; expected one of {', '.join(NAMES)}")
    return [TASKS[one] for one in names]
