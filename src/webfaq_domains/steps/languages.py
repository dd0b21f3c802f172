"""Identify the language of each pair, and keep the languages that are wanted and certain."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.fasttext_models import language_model, load_fasttext
from webfaq_domains.ground.languages import from_fasttext, languages
from webfaq_domains.ground.text import pair_text
from webfaq_domains.steps.base import Outcome


@cache
def _knows(path: str) -> frozenset[str]:
    return frozenset(from_fasttext(label) for label in load_fasttext(path).get_labels())


@dataclass(frozen=True)
class IdentifyLanguage:
    """Add `identified` (ISO 639-3) and `identified_score` (0 to 1) by a fastText model.

    `model` is a path, or None for `language_model`. `characters` limits what the model reads: on
    16,395 real pairs in 91 languages 300 characters give 96.6 % agreement with the source's claim,
    the whole text 97.0 %, at two thirds of the time.
    """

    model: str | None = None
    characters: int = 300
    requires = ("question", "answer")
    adds = ("identified", "identified_score")

    def __call__(self, pairs: pa.Table) -> Outcome:
        model = load_fasttext(self.model or str(language_model()))
        texts = [text + "\n" for text in pair_text(pairs, self.characters)]
        labels, scores = model.f.multilinePredict(texts, 1, 0.0, "strict") if texts else ([], [])
        codes = [from_fasttext(found[0]) if found else "und" for found in labels]
        certain = np.array([s[0] if len(s) else 0.0 for s in scores], np.float32)
        pairs = pairs.append_column("identified", pa.array(codes, pa.string()))
        return Outcome.keep_all(pairs.append_column("identified_score", pa.array(certain)))


@dataclass(frozen=True)
class ResolveLanguage:
    """Settle `language`: the source's claim where it stands, else what was identified.

    A claim falls only where the model knows the claimed language and is sure (`contradict`) of
    another one; without a claim the identification must reach `min_score`.
    """

    model: str | None = None
    min_score: float = 0.5
    contradict: float = 0.8
    requires = ("language", "identified", "identified_score")
    adds = ()

    def __call__(self, pairs: pa.Table) -> Outcome:
        knows = _knows(self.model or str(language_model()))
        claim, found, score = pairs["language"], pairs["identified"], pairs["identified_score"]
        claimed = pc.is_valid(claim)
        checkable = pc.is_in(claim, pa.array(sorted(knows)))
        other = pc.and_(checkable, pc.fill_null(pc.not_equal(claim, found), False))
        contradicted = pc.and_(other, pc.greater_equal(score, self.contradict))
        unsure = pc.and_(pc.invert(claimed), pc.less(score, self.min_score))
        settled = pc.coalesce(claim, found)
        column = pairs.column_names.index("language")
        return Outcome.drop_if(
            pairs.set_column(column, "language", settled),
            language_unsure=unsure,
            language_contradicts_source=contradicted,
        )


@dataclass(frozen=True)
class KeepLanguages:
    """Keep the pairs in the wanted languages (all known ones when empty)."""

    wanted: tuple[str, ...] = ()
    requires = ("language",)
    adds = ()

    def __call__(self, pairs: pa.Table) -> Outcome:
        listed = pa.array(sorted(self.wanted or languages()))
        return Outcome.drop_if(
            pairs, language_not_wanted=pc.invert(pc.is_in(pairs["language"], listed))
        )
