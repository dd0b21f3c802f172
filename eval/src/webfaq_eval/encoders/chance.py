"""The random baseline: a vector that depends on the text and the seed alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from webfaq_eval.encoders.batches import Floats, normalized
from webfaq_eval.encoders.settings import Settings
from webfaq_eval.files import value_sha256
from webfaq_eval.results import Model

_SIZE = 64


class RandomEncoder:
    """Gives each text a random direction: what a figure is when nothing is understood."""

    normalize, similarity, pooling, dtype = True, "cosine", "none", "float32"
    layer: int | None = None
    max_length: int | None = None

    def __init__(self, settings: Settings) -> None:
        self.seed = settings.seed
        revision = value_sha256({"random": _SIZE, "seed": self.seed})
        self.model = Model(f"random-{self.seed}", revision, "random", _SIZE, 0)

    def encode(self, texts: Sequence[str]) -> Floats:
        out = np.empty((len(texts), _SIZE), np.float32)
        for row, text in enumerate(texts):
            digest = hashlib.sha256(
                f"{self.seed}\0{text}".encode("utf-8", "surrogatepass")
            ).digest()
            out[row] = np.random.default_rng(list(digest)).standard_normal(_SIZE)
        return normalized(out)
