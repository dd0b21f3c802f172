"""What every retriever offers, how it is used, and how one is opened by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from webfaq_eval.benchmark.folder import Qrels
from webfaq_eval.benchmark.search import Ints, Run
from webfaq_eval.results import Model


class Retriever(Protocol):
    """Ranks candidates for queries. `usage` is its part of the recorded protocol."""

    model: Model
    usage: dict[str, Any]

    def search(self, queries: Sequence[str], corpus: Sequence[str], depth: int) -> Run:
        """Return the best candidates of each query, ties broken by row."""
        ...

    def first_ranks(self, queries: Sequence[str], corpus: Sequence[str], qrels: Qrels) -> Ints:
        """Return the rank of each query's best right answer in the whole ranking."""
        ...


def open_retriever(
    settings: Settings, vectors: Path, index: str = "exact", quiet: bool = True
) -> Retriever:
    """Open `bm25`, `random`, or a model folder or Hub id; vectors are kept under `vectors`.

    :raises ModelError: if there is no such model or it cannot be used as stated.
    """
    from webfaq_eval.models.dense import Dense, Encoder

    if settings.model == "bm25":
        from webfaq_eval.models.baselines import Lexical

        return Lexical(settings)
    encoder: Encoder
    if settings.model == "random":
        from webfaq_eval.models.baselines import RandomEncoder

        encoder = RandomEncoder(settings)
    else:
        encoder = _load(settings, quiet)
    return Dense(encoder, settings, vectors, index, quiet)


def _load(settings: Settings, quiet: bool) -> Any:
    from webfaq_eval.models.place import find_model

    place = find_model(settings.model)
    if place.is_sentence_transformer and not settings.pooling and settings.layer is None:
        from webfaq_eval.models.sentence import SentenceEncoder

        return SentenceEncoder(place, settings, quiet)
    from webfaq_eval.models.transformer import TransformerEncoder

    return TransformerEncoder(place, settings, quiet)


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
