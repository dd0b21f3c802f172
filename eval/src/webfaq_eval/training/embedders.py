"""How a batch becomes vectors: texts through the whole encoder, or cached vectors through a head.

Both have `module`, the weights that train, and turn *items* into vectors of unit length. An item is a
text with its prefix, or the row of a cached vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

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
