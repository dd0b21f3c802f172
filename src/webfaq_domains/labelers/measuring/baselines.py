"""Plain rules that a labeler must beat: the most frequent domain, and words of a lexicon."""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from webfaq_domains.labelers.base import Labeler, LabelerId, Probabilities
from webfaq_domains.labelers.measuring.labelled import Labelled
from webfaq_domains.labelers.measuring.metrics import Figures, figures

#: The names of the baselines, in the order in which they are shown.
BASELINES = ("majority", "keyword")

#: Runs of word characters; scripts written without spaces come as one run and are cut below.
_WORDS = re.compile(r"\w+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True, eq=False)
class KeywordBaseline(Labeler):
    """The plain baseline: the domain whose lexicon terms occur most often in the text.

    It is not told the language: terms of all languages vote, each as often as it occurs, divided
    by the number of domains that list it.
    """

    weights: Mapping[str, Mapping[str, float]] = field(repr=False)
    longest: int

    @classmethod
    def of(
        cls,
        lexicon: Mapping[str, Mapping[str, Sequence[str]]],
        domains: tuple[str, ...],
        fallback: str = "other",
    ) -> KeywordBaseline:
        """Index a lexicon's terms by their words (joined by one space)."""
        owners: dict[str, set[str]] = defaultdict(set)
        for entry in lexicon.values():
            for slug, terms in entry.items():
                for term in terms:
                    owners[" ".join(_WORDS.findall(term.lower()))].add(slug)
        weights = {
            term: {slug: 1 / len(found) for slug in found if slug in domains}
            for term, found in owners.items()
            if term
        }
        identity = LabelerId("keyword", "keyword", "", "")
        # Any hit claims a domain.
        thresholds = np.full(len(domains), 1e-6, np.float32)
        longest = max((term.count(" ") + 1 for term in weights), default=1)
        return cls(identity, domains, thresholds, fallback, sys.maxsize, weights, longest)

    def _candidates(self, text: str) -> Iterator[str]:
        words = _WORDS.findall(text.lower())
        for start in range(len(words)):
            for stop in range(start + 1, min(start + self.longest, len(words)) + 1):
                yield " ".join(words[start:stop])
        for word in words:
            if _UNSPACED.search(word):
                for start in range(len(word)):
                    for stop in range(start + 2, min(start + 8, len(word)) + 1):
                        if (start, stop) != (0, len(word)):
                            yield word[start:stop]

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Return each domain's share of the votes, shape (len(texts), len(domains))."""
        votes = np.zeros((len(texts), len(self.domains)), np.float32)
        for row, text in enumerate(texts):
            for candidate in self._candidates(text):
                for slug, weight in self.weights.get(candidate, {}).items():
                    votes[row, self.domains.index(slug)] += weight
        total = votes.sum(axis=1, keepdims=True)
        shares: Probabilities = votes / np.maximum(total, 1e-9)
        return shares


def baselines(
    rows: Sequence[Labelled],
    slugs: Sequence[str],
    keywords: KeywordBaseline | None,
) -> dict[str, Figures]:
    """Return what plain rules reach: the most frequent domain for all, and the most keyword hits."""
    often = Counter(row.main for row in rows).most_common(1)[0][0]
    found = {"majority": figures(rows, [often] * len(rows), slugs)}
    if keywords is not None:
        guesses = keywords.label([row.text for row in rows]).domain
        found["keyword"] = figures(rows, guesses, slugs)
    return found
