"""A raw XLM-R or BERT checkpoint with a stated pooling and layer, as XTREME uses them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from webfaq_eval.errors import ModelError
from webfaq_eval.models import batches
from webfaq_eval.models.base import POOLINGS, Settings
from webfaq_eval.models.batches import choose
from webfaq_eval.models.place import Place, blocks
from webfaq_eval.results import Model

#: Bodies whose unused head on top can be left out.
_POOLERS = {"bert", "roberta", "xlm-roberta", "xlm-roberta-xl", "camembert"}


class TransformerEncoder:
    """Encodes texts as the pooled output of one transformer block, as vectors of length 1.

    :raises ModelError: if pooling is not stated, the layer is not there, or the checkpoint cannot be
        loaded without remote code or pickle.
    """

    normalize, similarity = True, "cosine"

    def __init__(self, place: Place, settings: Settings, quiet: bool = True) -> None:
        if settings.pooling not in POOLINGS:
            raise ModelError(
                f"{place.name} is a raw checkpoint: state how to pool it with --pooling "
                f"{'|'.join(POOLINGS)}"
            )
        there = blocks(place.folder)
        self.layer = there if settings.layer is None else settings.layer
        if not 0 <= self.layer <= there:
            raise ModelError(f"--layer {self.layer}: {place.name} has the layers 0 to {there}")
        self.pooling, self.quiet = settings.pooling, quiet
        self.dtype, self.device = choose(settings.dtype, settings.device)
        self.tokenizer, body = _load(place)
        parameters = sum(one.numel() for one in body.parameters())
        self.body = _cut(body, self.layer).to(self.device, self.dtype).eval()
        self.max_length = _max_length(self.tokenizer, body.config, settings.max_length)
        size = int(body.config.hidden_size)
        self.model = Model(place.name, place.revision, "transformers", size, parameters)

    def encode(self, texts: Sequence[str]) -> batches.Floats:
        tokens = self.tokenizer(
            list(texts), truncation=True, max_length=self.max_length, return_attention_mask=False
        )["input_ids"]
        vectors = batches.encode(
            tokens, self.tokenizer.pad_token_id, self._forward, self.device, self.quiet
        )
        return batches.normalized(vectors)

    def _forward(self, batch: dict[str, Any]) -> Any:
        states = self.body(**batch, output_hidden_states=True).hidden_states[self.layer]
        return pool(states, batch["attention_mask"], self.pooling)


def pool(states: Any, mask: Any, how: str) -> Any:
    """Pool token states (batch, tokens, size) into (batch, size); padding is on the right."""
    import torch

    if how == "cls":
        return states[:, 0]
    if how == "last":
        return states[torch.arange(len(states), device=states.device), mask.sum(dim=1) - 1]
    wide = mask.unsqueeze(-1).to(torch.float32)
    return (states.float() * wide).sum(dim=1) / wide.sum(dim=1)


def _load(place: Place) -> tuple[Any, Any]:
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    folder = os.fspath(place.folder.resolve())
    local: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    try:
        kind = AutoConfig.from_pretrained(folder, **local).model_type
        extra = {"add_pooling_layer": False} if kind in _POOLERS else {}
        tokenizer = AutoTokenizer.from_pretrained(folder, **local)
        body = AutoModel.from_pretrained(folder, use_safetensors=True, **extra, **local)
    except Exception as error:  # whatever the library raises, the model cannot be used
        reason = next(iter(str(error).splitlines()), "")
        raise ModelError(
            f"{place.name} cannot be loaded: {type(error).__name__}: {reason}"
        ) from error
    return tokenizer, body


def _cut(body: Any, layer: int) -> Any:
    """Leave out the blocks above the layer: their work would be thrown away."""
    stack = getattr(getattr(body, "encoder", None), "layer", None)
    if stack is not None:
        body.encoder.layer = stack[: max(layer, 1)]
    return body


def _max_length(tokenizer: Any, config: Any, asked: int | None) -> int:
    """Return the length that texts are cut to: positions less RoBERTa's offset, 512 at most.

    :raises ModelError: if more is asked than the model has positions for.
    """
    positions = int(getattr(config, "max_position_embeddings", 512))
    if "roberta" in str(config.model_type):
        positions -= int(config.pad_token_id) + 1
    known = min(positions, int(tokenizer.model_max_length))
    if asked and asked > known:
        raise ModelError(f"--max-length {asked}: the model reads {known} tokens at most")
    return asked or min(known, 512)
