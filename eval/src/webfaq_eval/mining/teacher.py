"""A cross-encoder that scores mined negatives: false ones are dropped, and a student can learn its margins."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from webfaq_eval.errors import ModelError
from webfaq_eval.mining.candidates import too_good
from webfaq_eval.mining.settings import TeacherSettings
from webfaq_eval.models.encoder import find_model

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

#: Questions whose pairs are scored at once, in batches of like length.
_QUESTIONS = 256
_HEADS = ("ForSequenceClassification", "ForCausalLM")


class Teacher:
    """A cross-encoder as `CrossEncoder.predict` uses it: scores have the activation that its folder states.

    :raises ModelError: if it cannot be opened, or does not give one score for two texts.
    """

    def __init__(self, settings: TeacherSettings, device: str) -> None:
        self.settings = settings
        place = find_model(settings.model)
        _check_head(place.folder, settings.model)
        self.model = _open(place.folder, settings, device)
        self.facts = {
            **asdict(settings),
            "model": {"name": place.name, "revision": place.revision},
            "activation": type(self.model.activation_fn).__name__,
        }

    def rescore(
        self, lines: Iterable[dict[str, Any]], counted: Counter[str]
    ) -> Iterator[dict[str, Any]]:
        """Yield mined lines with the teacher's scores, without the negatives that it finds right.

        The order of negatives stays the retriever's. A line may be left without any.
        """
        waiting = iter(lines)
        while block := list(islice(waiting, _QUESTIONS)):
            pairs = [(one["query"], text) for one in block for text in _texts(one)]
            scores = self._scores(pairs)
            for line in block:
                count = len(_texts(line))
                yield self._rescored(line, scores[:count], counted)
                scores = scores[count:]

    def _scores(self, pairs: list[tuple[str, str]]) -> list[float]:
        found = np.asarray(self.model.predict(pairs, show_progress_bar=False), np.float64)
        if not np.isfinite(found).all():
            place = int(np.flatnonzero(~np.isfinite(found))[0])
            raise ModelError(
                f"{self.settings.model} gives NaN or infinity for the question {pairs[place][0]!r}"
            )
        scores: list[float] = found.tolist()
        return scores

    def _rescored(
        self, line: dict[str, Any], scores: list[float], counted: Counter[str]
    ) -> dict[str, Any]:
        right, wrong = scores[0], scores[1:]
        limit = too_good(right, 1 - self.settings.margin)
        kept = [place for place, score in enumerate(wrong) if score < limit]
        counted["negatives: the teacher finds them right"] += len(wrong) - len(kept)
        return {
            **line,
            "positive_score": round(right, 6),
            "negatives": [line["negatives"][place] for place in kept],
            "negative_ids": [line["negative_ids"][place] for place in kept],
            "negative_scores": [round(wrong[place], 6) for place in kept],
        }


def _texts(line: dict[str, Any]) -> list[str]:
    return [line["positive"], *line["negatives"]]


def _check_head(folder: Path, name: str) -> None:
    """Refuse an encoder without a head for pairs: a random one would be put on it."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{name} is no cross-encoder: its config.json: {error}") from error
    heads = config.get("architectures") or ["none"]
    if not heads[0].endswith(_HEADS):
        raise ModelError(
            f"{name} has the architecture {heads[0]}, which does not score pairs: name a cross-encoder, "
            "whose architecture ends in ForSequenceClassification"
        )


def _open(folder: Path, settings: TeacherSettings, device: str) -> CrossEncoder:
    from sentence_transformers import CrossEncoder

    try:
        model: CrossEncoder = CrossEncoder(
            str(folder), device=device, model_kwargs={"use_safetensors": True}
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ModelError(
            f"{settings.model} cannot be opened as a cross-encoder: {error}"
        ) from error
    if model.num_labels != 1:
        raise ModelError(
            f"{settings.model} gives {model.num_labels} scores for two texts, expected 1: it is a "
            "classifier and no cross-encoder for retrieval"
        )
    model.max_seq_length = min(settings.max_length, model.max_seq_length or settings.max_length)
    return model
