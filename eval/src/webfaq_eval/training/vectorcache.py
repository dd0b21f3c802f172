"""Vectors of texts under a frozen encoder, for heads: the store of scoring, filled from training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from webfaq_eval.encoders import batches
from webfaq_eval.encoders.precision import choose
from webfaq_eval.encoders.sentence import encode_texts
from webfaq_eval.vectors import VectorStore

if TYPE_CHECKING:
    from webfaq_eval.training.encoder import Opened


class VectorCache:
    """The unit vectors of one encoder. `rows_of` encodes what is new; `take` reads rows."""

    def __init__(self, folder: Path, opened: Opened) -> None:
        self.opened = opened
        self.dtype, self.device = choose("auto", str(opened.model.device))
        self.dimensions = int(opened.model.get_embedding_dimension() or 0)
        key = {
            "model": opened.body_sha256,
            "max_length": opened.model.max_seq_length,
            "dtype": str(self.dtype),
            "normalize": True,
        }
        self.store = VectorStore(folder, key)

    def rows_of(self, texts: Sequence[str]) -> list[int]:
        """Return the row of each text, after encoding those that are new."""
        rows: list[int] = self.store.rows(texts, self._encode).places.tolist()
        return rows

    def take(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the vectors of some rows, [n, d] float32."""
        return self.store.take(rows)

    def _encode(self, texts: Sequence[str]) -> batches.Floats:
        longest, reader = self.opened.model.max_seq_length, self.opened.reader
        return batches.normalized(encode_texts(reader, texts, longest, self.device, False))
