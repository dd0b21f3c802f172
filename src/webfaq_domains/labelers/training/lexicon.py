"""Lexicons: words of each domain in each language, written by people or found by an encoder.

`<folder>/<language>.json` maps each slug of the taxonomy to a list of terms. A multilingual
vocabulary names most things in a hundred languages: a head fitted on annotations and lexicon terms
says which of its words belong to a domain. The result is a lexicon that nobody had to write and that
holds no text of any web site (`DomainWords`, in files and cards "silver words").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from webfaq_domains.ground.errors import LabelerError, StagedError
from webfaq_domains.ground.files import write_text
from webfaq_domains.ground.records import Record, parse_json, read_record
from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.ground.text import unit_hash
from webfaq_domains.labelers.base import Probabilities
from webfaq_domains.labelers.calibration import Truth
from webfaq_domains.labelers.encoder import Reading, Vectors, encode
from webfaq_domains.labelers.measuring.labelled import truth_table
from webfaq_domains.labelers.teacher import fit_head
from webfaq_domains.labelers.training.annotations import Annotation, from_annotations

#: Language -> domain -> terms.
Lexicon = dict[str, dict[str, list[str]]]


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


#: What SentencePiece and byte-level BPE put before a piece that starts a word.
_STARTS = ("\u2581", "\u0120")
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u1780-\u17ff]{2,}")


@dataclass(frozen=True)
class WordRecipe:
    """When a word belongs to a domain, and how many are kept.

    `sure` is the least share of a domain in the head's scores of a word; a background word has no
    domain above `absent`. `lexicon_weight` is what a lexicon's term counts beside an annotation.
    """

    sure: float = 0.6
    absent: float = 0.3
    per_domain: int = 4000
    background: int = 6000
    lexicon_weight: float = 0.5
    head_strength: float = 10.0


class DomainWords(Record, frozen=True):
    """Words by domain, surest first; words of no domain; and how they were found."""

    words: dict[str, list[str]]
    background: list[str]
    recipe: dict[str, int | float]
    encoder: str

    def write(self, path: Path) -> None:
        value = msgspec.to_builtins(self)
        text = json.dumps(value, ensure_ascii=False, indent=0, sort_keys=True)
        write_text(path, text + "\n")

    @classmethod
    def read(cls, path: Path) -> DomainWords:
        """Read what `write` wrote.

        :raises LabelerError: if it is missing or has another form.
        """
        try:
            return read_record(parse_json(path.read_bytes(), str(path)), cls, str(path))
        except (OSError, StagedError) as error:
            raise LabelerError(f"{path} is not a file of domain words: {error}") from error


def vocabulary_words(tokenizer: Path) -> list[str]:
    """Return the whole words of a `tokenizer.json`: letters only, three or more, sorted.

    In scripts without spaces a piece counts as a word from two letters on, wherever it stands.

    :raises LabelerError: if the file holds no vocabulary.
    """
    try:
        vocabulary = json.loads(tokenizer.read_text(encoding="utf-8"))["model"]["vocab"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabelerError(f"{tokenizer} is not a tokenizer with a vocabulary: {error}") from error
    pieces = [entry if isinstance(entry, str) else entry[0] for entry in vocabulary]
    words = set()
    for piece in pieces:
        word = piece.removeprefix(_STARTS[0]).removeprefix(_STARTS[1])
        whole = word != piece and len(word) >= 3
        if word.isalpha() and (whole or _UNSPACED.fullmatch(word)):
            words.add(word)
    return sorted(words)


def lexicon_terms(lexicon: Lexicon) -> list[tuple[str, str]]:
    """Return (domain, term) of every language, in a stable order."""
    return [
        (slug, term)
        for language in sorted(lexicon)
        for slug, terms in sorted(lexicon[language].items())
        for term in terms
    ]


def word_scores(
    known: tuple[Vectors, Truth, Sequence[float]], words: Vectors, recipe: WordRecipe
) -> Probabilities:
    """Return each slug's share of a word's scores, by a head fitted on the known texts."""
    head = fit_head(*known, recipe.head_strength)
    scores = head(words)
    shares: Probabilities = scores / np.maximum(scores.sum(axis=1, keepdims=True), 1e-9)
    return shares


def sort_words(
    words: Sequence[str], shares: Probabilities, slugs: Sequence[str], fallback: str,
    recipe: WordRecipe,
) -> tuple[dict[str, list[str]], list[str]]:  # fmt: skip
    """Return the sure words of each slug, surest first, and a hashed sample of background words."""
    best = shares.argmax(axis=1)
    found = {}
    for column, slug in enumerate(slugs):
        mine = np.flatnonzero((best == column) & (shares[:, column] >= recipe.sure))
        order = mine[np.argsort(-shares[mine, column], kind="stable")]
        found[slug] = [words[int(number)] for number in order[: recipe.per_domain]]
    claimable = [column for column, slug in enumerate(slugs) if slug != fallback]
    plain = [
        words[int(n)] for n in np.flatnonzero(shares[:, claimable].max(axis=1) < recipe.absent)
    ]
    chance = np.argsort(unit_hash(pa.array(plain, pa.string()), "background"), kind="stable")
    return found, sorted(plain[number] for number in chance[: recipe.background])


def find_domain_words(
    body: Any, tokenizer: Path, texts: tuple[Sequence[Annotation], Lexicon],
    reading: Reading, taxonomy_slugs: tuple[tuple[str, ...], str], recipe: WordRecipe,
) -> DomainWords:  # fmt: skip
    """Sort the vocabulary of an encoder into domains; `body` is the encoder before tuning."""
    rows, lexicon = texts
    slugs, fallback = taxonomy_slugs
    terms = lexicon_terms(lexicon)
    words = vocabulary_words(tokenizer)
    truth = known_truth(rows, terms, slugs)
    weights = [1.0] * len(rows) + [recipe.lexicon_weight] * len(terms)
    vectors = encode(body, [row.text for row in rows] + [term for _, term in terms], reading)
    shares = word_scores((vectors, truth, weights), encode(body, words, reading), recipe)
    found, background = sort_words(words, shares, slugs, fallback, recipe)
    return DomainWords(found, background, asdict(recipe), "")


def known_truth(
    rows: Sequence[Annotation], terms: Sequence[tuple[str, str]], slugs: tuple[str, ...]
) -> Truth:
    """Return which slugs are right for annotations, then terms; shape (rows + terms, slugs)."""
    of_terms = np.array([[slug == name for name in slugs] for slug, _ in terms], np.bool_)
    return np.concatenate(
        [truth_table(from_annotations(rows), slugs), of_terms.reshape(len(terms), len(slugs))]
    )
