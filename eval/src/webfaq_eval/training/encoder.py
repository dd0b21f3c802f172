"""The encoder to train: opened as a SentenceTransformer, without code or pickles from its folder."""

from __future__ import annotations

import warnings
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from webfaq_eval.errors import ModelError, TrainingError
from webfaq_eval.models.batches import choose
from webfaq_eval.models.encoder import Place, find_model
from webfaq_eval.models.sentence import body_sha256
from webfaq_eval.training.settings import EncoderSettings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import nn


@dataclass(frozen=True)
class Opened:
    """An encoder and what names it: `revision` is a commit, or the sha256 of the folder's files."""

    model: SentenceTransformer
    name: str
    revision: str
    query_prefix: str
    passage_prefix: str

    @cached_property
    def body_sha256(self) -> str:
        """The hash of all that decides a vector, as the encoder was when it was first asked for."""
        return body_sha256(self.model)

    @cached_property
    def reader(self) -> SentenceTransformer:
        """A copy in the device's precision, to read texts: the encoder is saved as exact as it came."""
        dtype, _ = choose("auto", str(self.model.device))
        return deepcopy(self.model).to(dtype).eval()


def open_encoder(settings: EncoderSettings, device: str) -> Opened:
    """Open the encoder of the settings; a folder or Hub name without pooling gets mean pooling.

    :raises ModelError: if there is no encoder, or only one with pickled weights.
    """
    place = find_model(settings.encoder)
    model = load_model(place, device)
    longest = model.max_seq_length or settings.max_length
    model.max_seq_length = min(settings.max_length, longest)
    query, passage = _prefixes(model, settings)
    model.prompts = {"query": query, "document": passage, "passage": passage}
    return Opened(model, place.name, place.revision, query, passage)


def load_model(place: Place, device: str | None, normalize: bool = True) -> SentenceTransformer:
    """Load an encoder to be trained: as safetensors, in float32, able to put texts into one batch.

    Since transformers 5 a checkpoint opens in the format that it was saved in. In half precision
    most updates of a training step are smaller than the last digit of a weight, and are lost.
    A plain transformer gets mean pooling, with `normalize` also vectors of length 1.

    :raises ModelError: if it cannot be loaded so, or its tokenizer has no padding token.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    folder, exact = str(place.folder), {"use_safetensors": True, "dtype": torch.float32}
    try:
        if place.is_sentence_transformer or not normalize:
            model = SentenceTransformer(folder, device=device, model_kwargs=exact)
        else:
            body = Transformer(folder, model_kwargs=exact)
            pooling = Pooling(body.get_embedding_dimension(), pooling_mode="mean")
            model = SentenceTransformer(modules=[body, pooling, Normalize()], device=device)
        tokenizer = model.tokenizer
    except (OSError, ValueError, KeyError, AttributeError, ImportError) as error:
        raise ModelError(
            f"{place.name} cannot be loaded as a transformer with safetensors weights: {error}"
        ) from error
    if getattr(tokenizer, "pad_token_id", None) is None:
        raise ModelError(
            f"{place.name}: its tokenizer has no padding token, so texts of different length cannot share "
            "a batch; give it one (tokenizer.pad_token = tokenizer.eos_token) and save it"
        )
    return model.float()


def weight_formats(model: nn.Module) -> str:
    """Return the number format of the weights that train, for the record; `none` if none does."""
    formats = {str(p.dtype).removeprefix("torch.") for p in model.parameters() if p.requires_grad}
    return ", ".join(sorted(formats)) or "none"


def _prefixes(model: SentenceTransformer, settings: EncoderSettings) -> tuple[str, str]:
    own = {name: text for name, text in (model.prompts or {}).items() if text}
    query, passage = settings.query_prefix, settings.passage_prefix
    if query is None:
        query = own.get("query", "")
    if passage is None:
        passage = own.get("passage", own.get("document", ""))
    return query, passage


def prepare(model: SentenceTransformer, settings: EncoderSettings) -> None:
    """Freeze what the mode does not train, or add LoRA matrices.

    :raises TrainingError: if peft is missing for `lora`.
    """
    if settings.mode == "lora":
        _add_lora(model, settings.lora_rank)
    if settings.mode == "frozen-embeddings":
        body: Any = model.transformers_model
        body.get_input_embeddings().weight.requires_grad_(False)
    if settings.mode == "head":
        model.requires_grad_(False)


def _add_lora(model: Any, rank: int) -> None:
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise TrainingError("mode lora needs peft: pip install 'webfaq-eval[lora]'") from error
    # Hu et al. 2021 adapt the attention's projections; every linear layer costs little more here.
    config = LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules="all-linear")
    with warnings.catch_warnings():
        # peft reads a property that transformers 5 has renamed.
        warnings.simplefilter("ignore", FutureWarning)
        model[0].model = get_peft_model(model[0].model, config)


def merge_adapter(model: Any) -> None:
    """Add LoRA matrices into the weights, so that the saved model needs no peft."""
    body = model[0].model
    if hasattr(body, "merge_and_unload"):
        model[0].model = body.merge_and_unload()
