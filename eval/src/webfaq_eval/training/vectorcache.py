"""Vectors of texts on disk, by the text's hash: encoded once, whatever trains on them.

    FOLDER/<encoder and settings, 16>/<texts, 16>.npy         float32 [n, d]
    FOLDER/<encoder and settings, 16>/<texts, 16>.keys.npy    16 bytes a text

A part of 1,024 texts is written whole, vectors before keys, so a run that was killed goes on with the
next part, and several runs may share the folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from webfaq_eval.errors import VectorError
from webfaq_eval.files import replacing, value_sha256
from webfaq_eval.training.embedders import TextEmbedder, by_length, encode

if TYPE_CHECKING:
    from webfaq_eval.training.encoder import Opened

_PART = 1024
_TOGETHER = 32


class VectorCache:
    """The vectors of one encoder. `rows_of` encodes what is new; `take` reads rows."""

    def __init__(self, folder: Path, opened: Opened) -> None:
        self.opened = opened
        named = [
            opened.revision,
            opened.model.max_seq_length,
            opened.model.get_embedding_dimension(),
        ]
        self.folder = folder / value_sha256(named)[:16]
        self.dimensions = int(opened.model.get_embedding_dimension() or 0)
        self._row: dict[bytes, int] = {}
        self._parts: list[npt.NDArray[np.float32]] = []
        self._starts: list[int] = []
        self._count = 0
        for keys in sorted(self.folder.glob("*.keys.npy")):
            self._open(keys)

    def _open(self, keys_path: Path) -> None:
        path = keys_path.with_name(keys_path.name.replace(".keys.npy", ".npy"))
        try:
            keys = np.load(keys_path, allow_pickle=False)
            vectors = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise VectorError(
                f"{path} cannot be read ({error}); remove it and its .keys.npy"
            ) from error
        if vectors.shape != (len(keys), self.dimensions):
            raise VectorError(f"{path} has shape {vectors.shape} for {len(keys)} texts; remove it")
        for number, key in enumerate(keys):
            self._row.setdefault(key.tobytes(), self._count + number)
        self._parts.append(vectors)
        self._starts.append(self._count)
        self._count += len(keys)

    def rows_of(self, texts: Sequence[str]) -> list[int]:
        """Return the row of each text, after encoding those that are new."""
        keys = [_key(text) for text in texts]
        new: dict[bytes, str] = {}
        for key, text in zip(keys, texts, strict=True):
            if key not in self._row:
                new[key] = text
        self._encode(new)
        return [self._row[key] for key in keys]

    def _encode(self, new: dict[bytes, str]) -> None:
        from tqdm import tqdm

        # By length, ties by hash: the parts are the same after a kill, and little is padded.
        ordered = sorted(new.items(), key=lambda item: item[0])
        order = by_length([text for _, text in ordered])
        embedder = TextEmbedder(self.opened.model)
        progress = tqdm(total=len(order), desc="encode", unit="text", disable=not len(order))
        for start in range(0, len(order), _PART):
            part = [ordered[place] for place in order[start : start + _PART]]
            self._write([key for key, _ in part], encode(embedder, [t for _, t in part], _TOGETHER))
            progress.update(len(part))
        progress.close()

    def _write(self, keys: list[bytes], vectors: npt.NDArray[np.float32]) -> None:
        name = hashlib.sha256(b"".join(keys)).hexdigest()[:16]
        named = np.frombuffer(b"".join(keys), np.dtype("V16"))
        values: tuple[tuple[str, Any], ...] = (
            (f"{name}.npy", vectors),
            (f"{name}.keys.npy", named),
        )
        for file, value in values:
            with replacing(self.folder / file) as temporary, temporary.open("wb") as sink:
                np.save(sink, value, allow_pickle=False)
        self._open(self.folder / f"{name}.keys.npy")

    def take(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the vectors of some rows, [n, d] float32."""
        places = np.searchsorted(self._starts, rows, side="right") - 1
        result = np.empty((len(rows), self.dimensions), np.float32)
        for part in np.unique(places):
            inside = places == part
            result[inside] = self._parts[part][rows[inside] - self._starts[part]]
        return result


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
