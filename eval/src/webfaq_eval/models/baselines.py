"""Baselines without an encoder: random vectors, and BM25 by bm25s."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from webfaq_domains.ground.files import value_sha256
from webfaq_eval.benchmark.folder import Qrels
from webfaq_eval.benchmark.search import Ints, Run
from webfaq_eval.errors import ModelError
from webfaq_eval.identity import Model
from webfaq_eval.models.batches import Floats, normalized
from webfaq_eval.models.encoder import Encoder, Settings

_SIZE = 64


class RandomEncoder(Encoder):
    """Gives each text a random direction: what a figure is when nothing is understood."""

    def __init__(self, settings: Settings) -> None:
        self.seed = settings.seed
        revision = value_sha256({"random": _SIZE, "seed": self.seed})
        self.model = Model(f"random-{self.seed}", revision, "random", _SIZE, 0)

    def encode_body(self, texts: Sequence[str]) -> Floats:
        out = np.empty((len(texts), _SIZE), np.float32)
        for row, text in enumerate(texts):
            digest = hashlib.sha256(
                f"{self.seed}\0{text}".encode("utf-8", "surrogatepass")
            ).digest()
            out[row] = np.random.default_rng(list(digest)).standard_normal(_SIZE)
        return normalized(out)


#: Words of letters, digits and marks; in scripts without spaces each character is a word.
_WORD = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]|\w+")
_PARAMETERS = {"k1": 1.2, "b": 0.75, "method": "lucene"}


class Lexical:
    """BM25 with Lucene's formula, k1 = 1.2, b = 0.75; no stop words, no stemming, lower case."""

    def __init__(self, settings: Settings) -> None:
        try:
            import bm25s
        except ImportError as error:
            raise ModelError("--model bm25 needs bm25s: pip install 'webfaq-eval[bm25]'") from error
        self.library = bm25s
        recipe = {**_PARAMETERS, "words": _WORD.pattern}
        self.model = Model("bm25", value_sha256(recipe), "bm25")
        self.seconds = {"encode": 0.0, "search": 0.0}
        self.losses: list[float] = []
        self.usage: dict[str, Any] = {
            "pooling": "none", "layer": None, "normalize": False, "similarity": "bm25",
            "query_prefix": "", "passage_prefix": "", "max_length": None, "dtype": "float32",
            "index": "exact",
        }  # fmt: skip
        if settings.query_prefix or settings.passage_prefix or settings.pooling:
            raise ModelError("bm25 has no prefixes and no pooling; leave these options out")

    def search(self, queries: Sequence[str], corpus: Sequence[str], depth: int) -> Run:
        start, depth = time.perf_counter(), min(depth, len(corpus))
        index = self._index(corpus)
        rows = np.empty((len(queries), depth), np.int64)
        scores = np.empty((len(queries), depth), np.float32)
        for at, query in enumerate(queries):
            found = self._scores(index, query, len(corpus))
            order = np.lexsort((np.arange(len(corpus)), -found))[:depth]
            rows[at], scores[at] = order, found[order]
        self.seconds["search"] += time.perf_counter() - start
        return Run(rows, scores)

    def first_ranks(self, queries: Sequence[str], corpus: Sequence[str], qrels: Qrels) -> Ints:
        index = self._index(corpus)
        ranks = np.zeros(len(queries), np.int64)
        for at, query in enumerate(queries):
            found = self._scores(index, query, len(corpus))
            place = np.empty(len(corpus), np.int64)
            place[np.lexsort((np.arange(len(corpus)), -found))] = np.arange(1, len(corpus) + 1)
            ranks[at] = place[qrels.corpus[qrels.query == at]].min()
        return ranks

    def _index(self, corpus: Sequence[str]) -> Any:
        index = self.library.BM25(**_PARAMETERS)
        words = [_words(text) for text in corpus]
        if not any(words):
            return None
        index.index(words, show_progress=False)
        return index

    @staticmethod
    def _scores(index: Any, query: str, size: int) -> Any:
        words = _words(query)
        known = [word for word in words if index is not None and word in index.vocab_dict]
        return index.get_scores(known) if known else np.zeros(size, np.float32)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
