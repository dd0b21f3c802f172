"""Lexicons: words of each domain in each language, as training text and as a plain baseline.

`<folder>/<language>.json` maps each slug of the taxonomy to a list of terms.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.labelers.base import Probabilities

#: Language -> domain -> terms.
Lexicon = dict[str, dict[str, list[str]]]

#: Runs of word characters; scripts written without spaces come as one run and are cut below.
_WORDS = re.compile(r"\w+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def read_lexicon(folder: Path, taxonomy: Taxonomy) -> Lexicon:
    """Read every `<language>.json` of a folder.

    :raises LabelerError: naming the file, if it is no object of lists of terms or has an unknown
        domain.
    """
    lexicon: Lexicon = {}
    for path in sorted(folder.glob("*.json")):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            entry = {str(slug): [str(term).strip() for term in found[slug]] for slug in found}
        except (OSError, ValueError, TypeError) as error:
            raise LabelerError(f"{path} is not a lexicon ({{slug: [terms]}}): {error}") from error
        unknown = sorted(set(entry) - set(taxonomy.slugs))
        if unknown:
            known = ", ".join(taxonomy.slugs)
            raise LabelerError(f"{path}: unknown domain {unknown[0]!r}; known: {known}")
        lexicon[path.stem] = {slug: [term for term in entry[slug] if term] for slug in entry}
    return lexicon


def recombined(
    terms: list[str], texts: int, most: int, generator: np.random.Generator
) -> Iterator[str]:
    """Yield each term, then `texts` pseudo-texts of 1 to `most` terms drawn without replacement."""
    yield from terms
    for _ in range(texts if terms else 0):
        size = min(int(generator.integers(1, most + 1)), len(terms))
        yield " ".join(terms[i] for i in generator.choice(len(terms), size, replace=False))


@dataclass(frozen=True)
class KeywordBaseline:
    """The plain baseline: the domain whose lexicon terms occur most often in the text.

    It is not told the language: terms of all languages vote, each as often as it occurs, divided
    by the number of domains that list it.
    """

    domains: tuple[str, ...]
    weights: Mapping[str, Mapping[str, float]] = field(repr=False)
    longest: int

    @classmethod
    def of(cls, lexicon: Lexicon, domains: tuple[str, ...]) -> KeywordBaseline:
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
        return cls(domains, weights, max((term.count(" ") + 1 for term in weights), default=1))

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

    def probabilities(self, texts: list[str]) -> Probabilities:
        """Return each domain's share of the votes, shape (len(texts), len(domains))."""
        votes = np.zeros((len(texts), len(self.domains)), np.float32)
        for row, text in enumerate(texts):
            for candidate in self._candidates(text):
                for slug, weight in self.weights.get(candidate, {}).items():
                    votes[row, self.domains.index(slug)] += weight
        total = votes.sum(axis=1, keepdims=True)
        shares: Probabilities = votes / np.maximum(total, 1e-9)
        return shares
