"""A sentence-transformers model, used as its folder says: its own pooling and length."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from webfaq_eval.errors import ModelError
from webfaq_eval.models import batches
from webfaq_eval.models.base import Settings
from webfaq_eval.models.batches import choose
from webfaq_eval.models.heads import body_sha256, cut_head
from webfaq_eval.models.place import Place
from webfaq_eval.results import Model


class SentenceEncoder:
    """Encodes texts as `SentenceTransformer.encode` would, in batches of like length.

    `head` is what of the model only sees vectors, if there is such; `body_revision` the hash of the
    rest, under which its vectors are stored.

    :raises ModelError: if the folder cannot be loaded without remote code or pickle.
    """

    normalize = True

    def __init__(self, place: Place, settings: Settings, quiet: bool = True) -> None:
        if settings.pooling or settings.layer is not None:
            raise ModelError(
                f"{place.name} is a sentence-transformers model and states its own pooling and layer; "
                "leave --pooling and --layer out, or name a raw checkpoint"
            )
        self.dtype, self.device = choose(settings.dtype, settings.device)
        whole = _load(place, self.device)
        size = whole.get_embedding_dimension()
        parameters = sum(one.numel() for one in whole.parameters())
        self.similarity = _similarity(whole)
        self.head = cut_head(whole)
        self.body_revision = body_sha256(whole)
        self.body = whole.to(self.dtype).eval()
        if (
            not callable(self.body.tokenizer)
            or getattr(self.body.tokenizer, "pad_token_id", None) is None
        ):
            raise ModelError(
                f"{place.name} has no transformers tokenizer with a padding token: it is not a text "
                "encoder of the kind that can be scored here"
            )
        self.max_length = _max_length(self.body, settings.max_length)
        self.quiet = quiet
        self.pooling, self.layer = "model", None
        self.model = Model(place.name, place.revision, "sentence-transformers", size, parameters)

    @property
    def raw(self) -> bool:
        """Whether the body's vectors keep their length: a head that is not linear needs it."""
        return self.head is not None and not self.head.linear

    def encode(self, texts: Sequence[str]) -> batches.Floats:
        return self.finish(self.encode_body(texts))

    def finish(self, vectors: batches.Floats) -> batches.Floats:
        """Return the model's vectors from its body's."""
        if self.head is None:
            return vectors
        vectors = self.head(vectors)
        return batches.normalized(vectors) if self.similarity == "cosine" else vectors

    def encode_body(self, texts: Sequence[str]) -> batches.Floats:
        """Return the body's vectors, of unit length where only their direction counts."""
        vectors = encode_texts(self.body, texts, self.max_length, self.device, self.quiet)
        counts = self.similarity == "cosine" and not self.raw
        return batches.normalized(vectors) if counts else vectors


def encode_texts(
    body: Any, texts: Sequence[str], max_length: int | None, device: Any, quiet: bool
) -> batches.Floats:
    """Return what a SentenceTransformer gives for texts, as it gives it; float32 (texts, dimensions)."""
    tokens = body.tokenizer(
        list(texts), truncation=True, max_length=max_length, return_attention_mask=False
    )["input_ids"]

    def forward(batch: dict[str, Any]) -> Any:
        return body({**batch, "modality": "text"})["sentence_embedding"]

    return batches.encode(tokens, body.tokenizer.pad_token_id, forward, device, quiet)


def _load(place: Place, device: Any) -> Any:
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(
            os.fspath(place.folder.resolve()),
            device=str(device),
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True},
        )
    except Exception as error:  # whatever the library raises, the model cannot be used
        reason = next(iter(str(error).splitlines()), "")
        raise ModelError(
            f"{place.name} cannot be loaded: {type(error).__name__}: {reason}"
        ) from error


def _max_length(body: Any, asked: int | None) -> int | None:
    """Return the length that texts are cut to.

    :raises ModelError: if more is asked than the model has positions for.
    """
    known: int | None = body.max_seq_length
    if asked and known and asked > known:
        raise ModelError(f"--max-length {asked}: the model reads {known} tokens at most")
    return asked or known


def _similarity(body: Any) -> str:
    name = str(body.similarity_fn_name or "cosine")
    if name not in ("cosine", "dot"):
        raise ModelError(f"the model compares by {name!r}; cosine and dot are supported")
    return name
