"""What every retriever offers, and how one is opened by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from webfaq_eval.benchmark import Qrels
from webfaq_eval.encoders.settings import Settings
from webfaq_eval.results import Model
from webfaq_eval.search import Ints, Run


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
    from webfaq_eval.encoders.dense import Dense, Encoder

    if settings.model == "bm25":
        from webfaq_eval.encoders.lexical import Lexical

        return Lexical(settings)
    encoder: Encoder
    if settings.model == "random":
        from webfaq_eval.encoders.chance import RandomEncoder

        encoder = RandomEncoder(settings)
    else:
        encoder = _load(settings, quiet)
    return Dense(encoder, settings, vectors, index, quiet)


def _load(settings: Settings, quiet: bool) -> Any:
    from webfaq_eval.encoders.place import find_model

    place = find_model(settings.model)
    if place.is_sentence_transformer and not settings.pooling and settings.layer is None:
        from webfaq_eval.encoders.sentence import SentenceEncoder

        return SentenceEncoder(place, settings, quiet)
    from webfaq_eval.encoders.transformer import TransformerEncoder

    return TransformerEncoder(place, settings, quiet)
