"""How a model is used: everything that can change a vector, stated and recorded."""

from __future__ import annotations

from dataclasses import dataclass

POOLINGS = ("mean", "cls", "last")
DTYPES = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True)
class Settings:
    """A model and how it is used. `pooling` and `layer` None: as the model's own folder says.

    `layer` counts transformer blocks from 1; 0 is the embedding layer. XTREME's `specific_layer` 13
    is our 14. An empty prefix is no prefix. `max_length` None: as the model says.
    """

    model: str
    pooling: str | None = None
    layer: int | None = None
    query_prefix: str = ""
    passage_prefix: str = ""
    max_length: int | None = None
    dtype: str = "auto"
    device: str | None = None
    seed: int = 0
