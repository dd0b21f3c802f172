"""How a batch becomes vectors: through the whole encoder, or cached vectors through a head.

Both have `module`, the weights that train, and turn *items* into vectors of unit length. An item is a
text with its prefix, or the row of a cached vector.

Opening a multilingual encoder takes seconds, most of them for a vocabulary of 250,000, and saving it
writes half a gigabyte. Runs that share are given the encoder that is open, and their models' files of
the encoder are hard links to those of the first: each folder is a whole model, on disk it is there once.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from webfaq_eval.models import batches
from webfaq_eval.models.batches import choose
from webfaq_eval.models.sentence import encode_texts
from webfaq_eval.models.vectors import VectorStore
from webfaq_eval.training.encoder import Opened, open_encoder
from webfaq_eval.training.settings import EncoderSettings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


Floats = npt.NDArray[np.float32]


class Embedder(Protocol):
    """What the step and the validation need to know of a model."""

    @property
    def module(self) -> nn.Module: ...

    @property
    def device(self) -> torch.device: ...

    def prepare(self, texts: Sequence[str]) -> list[Any]:
        """Return the items of some texts (with their prefixes)."""

    def embed(self, items: Sequence[Any]) -> Tensor:
        """Return the vectors [n, d] of some items."""


class TextEmbedder:
    """Texts through the whole encoder."""

    def __init__(self, model: SentenceTransformer) -> None:
        self.module: nn.Module = model

    @property
    def device(self) -> torch.device:
        return next(self.module.parameters()).device

    def prepare(self, texts: Sequence[str]) -> list[Any]:
        return list(texts)

    def embed(self, items: Sequence[Any]) -> Tensor:
        features = self.module.preprocess(list(items))  # type: ignore[operator]
        on_device = {name: _to(value, self.device) for name, value in features.items()}
        vectors: Tensor = self.module(on_device)["sentence_embedding"]
        return functional.normalize(vectors, dim=-1)


def _to(value: Any, device: torch.device) -> Any:
    return value.to(device) if isinstance(value, Tensor) else value


class Residual(nn.Module):
    """The head: x + Dx with D zero at first, so that training starts from the encoder as it is."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.change = nn.Parameter(torch.zeros(dimensions, dimensions))

    def forward(self, vectors: Tensor) -> Tensor:
        return functional.normalize(vectors + vectors @ self.change.T, dim=-1)


class HeadEmbedder:
    """Cached vectors of the frozen encoder through a linear head; an item is a row of the cache."""

    def __init__(self, cache: VectorRows) -> None:
        self.cache = cache
        self.module: nn.Module = Residual(cache.dimensions)

    @property
    def device(self) -> torch.device:
        return next(self.module.parameters()).device

    def prepare(self, texts: Sequence[str]) -> list[Any]:
        return self.cache.rows_of(texts)

    def embed(self, items: Sequence[Any]) -> Tensor:
        rows = np.asarray(items, np.int64)
        vectors: Tensor = self.module(torch.from_numpy(self.cache.take(rows)).to(self.device))
        return vectors


class VectorRows(Protocol):
    """Vectors of texts by row (`vectorcache.VectorCache`)."""

    @property
    def dimensions(self) -> int: ...

    def rows_of(self, texts: Sequence[str]) -> list[int]: ...

    def take(self, rows: npt.NDArray[np.int64]) -> Floats: ...


def add_head(model: SentenceTransformer, head: Residual) -> None:
    """Append a trained head to the encoder as a Dense module, saved as safetensors with it."""
    from sentence_transformers.base.modules import Dense, Normalize

    weight = head.change.detach().cpu() + torch.eye(len(head.change))
    size = len(weight)
    dense = Dense(size, size, bias=False, activation_function=nn.Identity(), init_weight=weight)
    last = len(model)
    model.add_module(str(last), dense)
    model.add_module(str(last + 1), Normalize())
    model.to(model.device)


def encode(embedder: Embedder, items: Sequence[Any], size: int) -> Floats:
    """Return the vectors of many items without gradients, in parts of similar length."""
    if not items:
        return np.zeros((0, 1), np.float32)
    was = embedder.module.training
    embedder.module.eval()
    order = by_length(items)
    found: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(order), size):
            part = [items[place] for place in order[start : start + size]]
            found.append(embedder.embed(part).float().cpu())
    embedder.module.train(was)
    vectors = torch.cat(found).numpy()
    result = np.empty_like(vectors)
    result[order] = vectors
    return result


def by_length(items: Sequence[Any]) -> npt.NDArray[np.int64]:
    """Return the order of items by length, longest first: little padding, and no memory is met late."""
    lengths = np.array([len(item) if isinstance(item, str) else 1 for item in items])
    return np.argsort(-lengths, kind="stable")


_ADDED = 2  # Modules of a head: a Dense and a Normalize.


class Shared:
    """Holds the encoder of the last run that only trained a head, and where its files lie."""

    def __init__(self) -> None:
        self._opened: tuple[EncoderSettings, str, Opened] | None = None
        self._saved: Path | None = None
        self._parts: list[tuple[str, bool]] = []

    def open(self, settings: EncoderSettings, device: str, seed: int) -> Opened:
        """Open an encoder, or return the one that is open if only a head is trained on it."""
        heads = settings.mode == "head"
        if heads and self._opened and self._opened[:2] == (settings, device):
            return self._opened[2]
        self._opened, self._saved = None, None
        # Weights that a folder lacks (an unused pooler) are drawn as it is opened; heads share theirs.
        torch.manual_seed(0 if heads else seed)
        opened = open_encoder(settings, device)
        if heads:
            self._opened = settings, device, opened
        return opened

    def save(self, opened: Opened, head: Residual, place: Path) -> None:
        """Save the encoder with a head behind it as a model folder; the encoder stays as it was."""
        with _headed(opened.model, head) as model:
            number = len(model) - _ADDED
            own = f"{number}_Dense"
            if self._link(place):
                dense: Any = model[number]
                (place / own).mkdir()
                dense.save(str(place / own))
                return
            model.save(str(place), create_model_card=False)
        found = sorted(
            path for path in place.rglob("*") if own not in path.relative_to(place).parts
        )
        self._parts = [(path.relative_to(place).as_posix(), path.is_dir()) for path in found]

    def saved(self, out: Path) -> None:
        """Say where the model that was just saved has come to lie."""
        if self._opened:
            self._saved = self._saved or out

    def _link(self, place: Path) -> bool:
        """Fill a folder with links to the files of the model before; False if they cannot be had."""
        if not self._saved:
            return False
        try:
            place.mkdir(parents=True)
            for name, is_folder in self._parts:
                if is_folder:
                    (place / name).mkdir()
                else:
                    os.link(self._saved / name, place / name)
        except OSError:  # another file system, or one without links, or the model was removed
            shutil.rmtree(place, ignore_errors=True)
            self._saved = None
        return self._saved is not None


@contextmanager
def _headed(model: SentenceTransformer, head: Residual) -> Iterator[SentenceTransformer]:
    """Put a head behind an encoder for a while."""
    names = list(model._modules)
    add_head(model, head)
    try:
        yield model
    finally:
        for name in [name for name in model._modules if name not in names]:
            del model._modules[name]


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
