"""Which device and number format an encoder runs in."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from webfaq_eval.errors import ModelError

if TYPE_CHECKING:
    import torch

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
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
