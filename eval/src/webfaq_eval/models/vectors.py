"""A store of vectors on disk, so that no text is encoded twice: not over subsets, pools or runs.

    <folder>/<content key, 16>/meta.json                 what the vectors depend on, whole
    <folder>/<content key, 16>/<part>.npy  .ids.npy      float32 (n, d); 128-bit hashes of the texts
    <folder>/<content key, 16>/<part>.json               rows and sha256 of both files, written last

A part is named by the texts in it, so several processes may fill one store.

The content key is the hash of everything but the text that can change a vector: model, pooling,
layer, prefix, maximal length, normalisation, precision. Another value is another folder, so a stale
vector is never found. A part whose files are cut short or changed is encoded again, and that is said.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from webfaq_domains.ground.files import file_sha256, replacing, value_sha256, write_json
from webfaq_eval.benchmark.search import Floats, Rows
from webfaq_eval.errors import VectorError

Encode = Callable[[Sequence[str]], Floats]
#: Texts of one part: what is lost when a run is killed, at most.
PART = 8_192
_META = "meta.json"
_log = logging.getLogger(__name__)


class VectorStore:
    """The vectors of one content key. Open it once and ask for `rows`.

    :raises VectorError: if the folder's meta.json is not that of the key.
    """

    def __init__(self, folder: Path, key: dict[str, Any]) -> None:
        self.key = key
        self.folder = folder / value_sha256(key)[:16]
        self.encoded = 0
        self._parts: list[Floats] = []
        self._starts: list[int] = []
        self._place: dict[bytes, int] = {}
        self._check_meta()
        for marker in sorted(self.folder.glob("*.json")):
            if marker.name != _META:
                self._open(marker)

    def rows(self, texts: Sequence[str], encode: Encode) -> Rows:
        """Return the vectors of texts; those that are not there are encoded first, each once.

        :raises VectorError: if the encoder returns NaN, infinity or the wrong number of rows; what
            was stored before stays.
        """
        hashes = [_hash(text) for text in texts]
        missing: dict[bytes, str] = {}
        for key, text in zip(hashes, texts, strict=True):
            if key not in self._place:
                missing.setdefault(key, text)
        names = list(missing)
        for start in range(0, len(names), PART):
            part = names[start : start + PART]
            self._add(part, encode([missing[name] for name in part]))
        places = np.fromiter((self._place[key] for key in hashes), np.int64, len(hashes))
        return Rows(self._parts, np.asarray(self._starts, np.int64), places)

    def take(self, places: npt.NDArray[np.int64]) -> Floats:
        """Return the vectors at some places of `Rows.places`, (n, d) float32."""
        return Rows(self._parts, np.asarray(self._starts, np.int64), places)[:]

    def _check_meta(self) -> None:
        path = self.folder / _META
        if not path.exists():
            write_json(path, self.key)
        try:
            met = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise VectorError(f"{path} cannot be read: {error}; remove {self.folder}") from error
        if met != self.key:
            raise VectorError(
                f"{path} describes other vectors than those asked for; remove {self.folder}"
            )

    def _open(self, marker: Path) -> None:
        vectors, ids = marker.with_suffix(".npy"), marker.with_suffix(".ids.npy")
        try:
            said = json.loads(marker.read_text(encoding="utf-8"))
            for path in (vectors, ids):
                if file_sha256(path) != said["sha256"][path.name]:
                    raise VectorError(f"{path.name} is cut short or changed")
            self._take(np.load(vectors, mmap_mode="r", allow_pickle=False), np.load(ids))
        except (OSError, ValueError, KeyError, TypeError, VectorError) as error:
            _log.warning("%s: %s; its texts are encoded again", marker.with_suffix(""), error)
            for path in (marker, vectors, ids):
                path.unlink(missing_ok=True)

    def _take(self, vectors: Floats, ids: npt.NDArray[np.bytes_]) -> None:
        if vectors.ndim != 2 or vectors.dtype != np.float32 or len(vectors) != len(ids):
            raise VectorError(f"{vectors.shape} {vectors.dtype} vectors for {len(ids)} texts")
        start = self._starts[-1] + len(self._parts[-1]) if self._parts else 0
        self._parts.append(vectors)
        self._starts.append(start)
        for row, name in enumerate(ids.tolist()):
            self._place.setdefault(name, start + row)

    def _add(self, names: list[bytes], vectors: Floats) -> None:
        if vectors.ndim != 2 or len(vectors) != len(names):
            raise VectorError(f"the encoder returned {vectors.shape} for {len(names)} texts")
        broken = int((~np.isfinite(vectors)).any(axis=1).sum())
        if broken:
            raise VectorError(
                f"the encoder returned NaN or infinity for {broken} of {len(names)} texts; nothing of "
                "them is stored; try --dtype float32, or look at the model's weights"
            )
        base = self.folder / f"{hashlib.sha256(b''.join(names)).hexdigest()[:16]}.npy"
        ids = np.asarray(names, dtype="S32")
        for path, array in (
            (base, vectors.astype(np.float32)),
            (base.with_suffix(".ids.npy"), ids),
        ):
            with replacing(path) as temporary, temporary.open("wb") as file:
                np.save(file, array, allow_pickle=False)
        hashes = {p.name: file_sha256(p) for p in (base, base.with_suffix(".ids.npy"))}
        write_json(base.with_suffix(".json"), {"rows": len(names), "sha256": hashes})
        self._take(np.load(base, mmap_mode="r", allow_pickle=False), ids)
        self.encoded += len(names)


def _hash(text: str) -> bytes:
    return (
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest().encode()
    )
