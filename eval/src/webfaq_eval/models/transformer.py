"""A raw XLM-R or BERT checkpoint with a stated pooling and layer, as XTREME uses them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from webfaq_eval.errors import ModelError
from webfaq_eval.identity import Model
from webfaq_eval.models import batches
from webfaq_eval.models.batches import checked_tokenizer, choose, usable_length
from webfaq_eval.models.encoder import POOLINGS, Encoder, Place, Settings

#: Bodies whose unused head on top can be left out.
_POOLERS = {"bert", "roberta", "xlm-roberta", "xlm-roberta-xl", "camembert"}


class TransformerEncoder(Encoder):
    """Encodes texts as the pooled output of one transformer block, as vectors of length 1.

    :raises ModelError: if pooling is not stated, the layer is not there, or the checkpoint cannot be
        loaded without remote code or pickle.
    """

    def __init__(self, place: Place, settings: Settings, quiet: bool = True) -> None:
        if settings.pooling not in POOLINGS:
            raise ModelError(
                f"{place.name} is a raw checkpoint: state how to pool it with --pooling "
                f"{'|'.join(POOLINGS)}"
            )
        there = blocks(place)
        self.layer = there if settings.layer is None else settings.layer
        if not 0 <= self.layer <= there:
            raise ModelError(f"--layer {self.layer}: {place.name} has the layers 0 to {there}")
        self.pooling, self.quiet = settings.pooling, quiet
        self.dtype, self.device = choose(settings.dtype, settings.device)
        tokenizer, body = _load(place)
        self.tokenizer = checked_tokenizer(tokenizer, place.name)
        parameters = sum(one.numel() for one in body.parameters())
        self.body = _cut(body, self.layer).to(self.device, self.dtype).eval()
        self.max_length = usable_length(body, tokenizer, settings.max_length)
        if settings.max_length is None:  # XTREME's; longer texts would only be slower
            self.max_length = min(self.max_length or 512, 512)
        size = int(body.config.hidden_size)
        self.model = Model(place.name, place.revision, "transformers", size, parameters)

    def encode_body(self, texts: Sequence[str]) -> batches.Floats:
        vectors = batches.encode_texts(
            self.tokenizer, texts, self.max_length, self._forward, self.device, self.quiet
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


def blocks(place: Place) -> int:
    """Return how many transformer blocks a checkpoint has.

    :raises ModelError: if its configuration cannot be read, or does not say.
    """
    count = getattr(_config(place), "num_hidden_layers", None)
    if not isinstance(count, int):
        raise ModelError(
            f"{place.name} has a configuration that does not say how many layers there are; save it "
            "with a current transformers, or use it as a sentence-transformers model"
        )
    return count


_LOCAL: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}


def _config(place: Place) -> Any:
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(os.fspath(place.folder.resolve()), **_LOCAL)
    except Exception as error:  # whatever the library raises, the model cannot be used
        raise _unusable(place, error) from error


def _load(place: Place) -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer

    folder, config = os.fspath(place.folder.resolve()), _config(place)
    extra = {"add_pooling_layer": False} if config.model_type in _POOLERS else {}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **_LOCAL)
        body = AutoModel.from_pretrained(folder, use_safetensors=True, **extra, **_LOCAL)
    except Exception as error:  # whatever the library raises, the model cannot be used
        raise _unusable(place, error) from error
    return tokenizer, body.get_encoder() if config.is_encoder_decoder else body


def _unusable(place: Place, error: Exception) -> ModelError:
    reason = next(iter(str(error).splitlines()), "")
    return ModelError(f"{place.name} cannot be loaded: {type(error).__name__}: {reason}")


def _cut(body: Any, layer: int) -> Any:
    """Leave out the blocks above the layer: their work would be thrown away."""
    stack = getattr(getattr(body, "encoder", None), "layer", None)
    if stack is not None:
        body.encoder.layer = stack[: max(layer, 1)]
    return body
