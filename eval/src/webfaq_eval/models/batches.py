"""Texts to vectors: tokens, batches of like length, and the device and number format that are stated."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from webfaq_eval.errors import ModelError

if TYPE_CHECKING:
    import torch


Floats = npt.NDArray[np.float32]
Forward = Callable[[dict[str, "torch.Tensor"]], "torch.Tensor"]
#: Tokens of one batch, padding included: a CPU's cache likes small ones, a GPU large ones.
CPU_TOKENS, CUDA_TOKENS = 2_048, 65_536


def checked_tokenizer(tokenizer: Any, name: str) -> Any:
    """Return a model's tokenizer, set to pad on the right, where all code here expects it.

    :raises ModelError: if it is no transformers tokenizer, or has no padding token.
    """
    if not callable(tokenizer) or not hasattr(tokenizer, "pad_token_id"):
        raise ModelError(
            f"{name} has no transformers tokenizer: it is not a text encoder of the kind that can be "
            "used here"
        )
    if tokenizer.pad_token_id is None:
        raise ModelError(
            f"{name} has a tokenizer without a padding token, so texts cannot be put into batches: "
            "set one, such as `tokenizer.pad_token = tokenizer.eos_token`, and save the tokenizer"
        )
    tokenizer.padding_side = "right"
    return tokenizer


#: A tokenizer without a limit of its own states a number larger than this.
_NO_LIMIT = 10**6


def usable_length(body: Any, tokenizer: Any, asked: int | None = None) -> int | None:
    """Return how many tokens of a text a model can read; None where nothing limits it.

    The smallest of what the tokenizer states, the positions that the transformer `body` has, and
    `asked`. The family of RoBERTa counts positions from behind the padding token's number: of XLM-R's
    514 positions 512 are for tokens, whatever its tokenizer states.

    :raises ModelError: if more is asked than there is.
    """
    positions = getattr(body.config, "max_position_embeddings", None)
    for name, module in body.named_modules():
        padding = getattr(module, "padding_idx", None)
        if positions and padding is not None and name.endswith("position_embeddings"):
            positions -= padding + 1
            break
    limits = [int(tokenizer.model_max_length), int(positions or _NO_LIMIT + 1)]
    known = min(limits)
    if asked and asked > known:
        raise ModelError(f"--max-length {asked}: the model reads {known} tokens at most")
    return asked or (known if known <= _NO_LIMIT else None)


def plan(lengths: Sequence[int], budget: int) -> Iterator[npt.NDArray[np.int64]]:
    """Yield rows in batches: longest texts first, rows times the longest at most `budget` tokens.

    A text longer than the budget is a batch of its own.
    """
    order = np.argsort(-np.asarray(lengths), kind="stable")
    start = 0
    while start < len(order):
        rows = max(1, budget // max(1, lengths[order[start]]))
        yield order[start : start + rows]
        start += rows


def encode_texts(
    tokenizer: Any,
    texts: Sequence[str],
    max_length: int | None,
    forward: Forward,
    device: torch.device,
    quiet: bool = True,
) -> Floats:
    """Return what `forward` gives for texts, cut to `max_length` tokens; float32 (texts, dimensions).

    `forward` gets `input_ids` and `attention_mask`, padded on the right. On a GPU a batch is copied
    from pinned memory without waiting for it, and the vectors come back in one transfer at the end.

    :raises ModelError: if a text has no token: nothing can be said of it.
    """
    tokens = tokenizer(
        list(texts), truncation=True, max_length=max_length, return_attention_mask=False
    )["input_ids"]
    empty = [text for text, one in zip(texts, tokens, strict=True) if not one]
    if empty:
        raise ModelError(
            f"the tokenizer finds no token in {len(empty)} texts, first {empty[0]!r}, so they have no "
            "vector: leave them out, or use a model whose tokenizer adds tokens of its own"
        )
    pad = tokenizer.pad_token_id
    import torch

    cuda = device.type == "cuda"
    lengths = [len(one) for one in tokens]
    done, parts = [], []
    with (
        torch.inference_mode(),
        tqdm(total=len(tokens), desc="encode", unit="text", disable=quiet) as progress,
    ):
        for rows in plan(lengths, CUDA_TOKENS if cuda else CPU_TOKENS):
            batch = {
                name: tensor.pin_memory().to(device, non_blocking=True) if cuda else tensor
                for name, tensor in _padded([tokens[row] for row in rows], pad).items()
            }
            parts.append(forward(batch).float())
            done.append(rows)
            progress.update(len(rows))
        vectors: Floats = torch.cat(parts).cpu().numpy()
    out = np.empty_like(vectors)
    out[np.concatenate(done)] = vectors
    return out


def _padded(tokens: list[list[int]], pad: int) -> dict[str, torch.Tensor]:
    import torch

    ids = np.full((len(tokens), max(map(len, tokens))), pad, np.int64)
    mask = np.zeros_like(ids)
    for row, one in enumerate(tokens):
        ids[row, : len(one)] = one
        mask[row, : len(one)] = 1
    return {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}


def normalized(vectors: Floats) -> Floats:
    """Return vectors of length 1; a zero vector stays zero."""
    length = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1)).astype(np.float32)


_log = logging.getLogger(__name__)


def choose(dtype: str, device: str | None) -> tuple[torch.dtype, torch.device]:
    """Return the format and device to use.

    `auto` is bfloat16 where the hardware multiplies it (AVX512-BF16 or AMX, CUDA from Ampere on), else
    float32, and says so. bfloat16 keeps 8 bits of a number: vectors change in the third digit, so the
    record names the format.

    :raises ModelError: if the device or format is not there.
    """
    import torch

    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if place.type == "cuda" and not torch.cuda.is_available():
        raise ModelError("--device cuda: this torch sees no CUDA device; use --device cpu")
    fast = has_bfloat16(place)
    if dtype == "auto" and not fast:
        _log.warning("%s does not multiply bfloat16 in hardware: encoding in float32", place)
    if dtype == "float16" and place.type == "cpu":
        raise ModelError("float16 on a CPU is slower and less exact than bfloat16 or float32")
    name = ("bfloat16" if fast else "float32") if dtype == "auto" else dtype
    return getattr(torch, name), place


def has_bfloat16(device: torch.device) -> bool:
    """Return whether the hardware multiplies bfloat16 matrices itself."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # oneDNN also accepts bfloat16 where it must emulate it, which is slower than float32.
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
