"""Choose the pairs of a condition, and freeze their list before anything is trained."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from webfaq_eval.errors import TrainingError
from webfaq_eval.pairs.conditions import (
    control_warnings,
    parse_condition,
    select,
)
from webfaq_eval.pairs.held_out import HeldOut
from webfaq_eval.pairs.pair_list import Frozen, freeze
from webfaq_eval.pairs.pairs import PairFolder, PairIndex
from webfaq_eval.pairs.survey import read_for_conditions
from webfaq_eval.training.processes import Processes
from webfaq_eval.training.settings import TrainSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chosen:
    """The frozen pairs of a run and what they were chosen from."""

    pairs: PairFolder
    frozen: Frozen
    held_out: HeldOut


def choose(settings: TrainSettings, out: Path, processes: Processes | None = None) -> Chosen:
    """Choose the pairs of a condition and write their frozen list into `out`.

    :raises TrainingError: if the condition has no pair to train on, or `out` holds another list.
    """
    condition = parse_condition(settings.data.condition)
    pairs, index, held_out = read_for_conditions(
        settings.data.pairs, frozenset(settings.data.hold_out)
    )
    chosen = select(index, condition, settings.draw)
    if condition.kind == "random":
        like = select(index, parse_condition(f"in-domain:{condition.domain}"), settings.draw)
        chosen.warnings.extend(control_warnings(index, like, chosen))
    for warning in chosen.warnings:
        log.warning(warning)
    if not len(chosen) and condition.kind != "none":
        raise TrainingError(f"{condition} has no pair in {settings.data.pairs}; {_offered(index)}")
    if processes is None or processes.main:
        freeze(out, pairs, index, chosen, (settings.draw, held_out))
    if processes is not None:
        processes.wait()
    return Chosen(pairs, freeze(out, pairs, index, chosen, (settings.draw, held_out)), held_out)


def _offered(index: PairIndex) -> str:
    return (
        f"its train split has {len(index):,} pairs in {len(index.languages)} languages, "
        f"{int(index.excluded.sum()):,} of them held out, domains {', '.join(sorted(index.domains))}"
    )
