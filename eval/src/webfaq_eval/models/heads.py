"""A sentence-transformers model in two: a body that reads texts, and a head that only sees vectors.

A head trained on cached vectors stands behind an encoder that did not change. The vectors of the body
are stored under the body's own hash, so all models that share it encode a text once.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from webfaq_domains.ground.files import value_sha256
from webfaq_eval.models.batches import Floats

_BLOCK = 65_536
#: Parts of a configuration that say how a folder was written and change no vector.
_WRITER = ("_name_or_path", "transformers_version", "dtype", "torch_dtype", "architectures")


@dataclass(frozen=True)
class Head:
    """The modules from the first Dense on; `linear`: the length of a vector changes no direction."""

    modules: tuple[Any, ...]
    linear: bool

    def __call__(self, vectors: Floats) -> Floats:
        """Return the vectors behind the head, (n, d) to (n, e), block by block."""
        import torch

        done = []
        with torch.inference_mode():
            for start in range(0, len(vectors), _BLOCK):
                block = np.ascontiguousarray(vectors[start : start + _BLOCK])
                features = {"sentence_embedding": torch.from_numpy(block)}
                for module in self.modules:
                    features = module(features)
                done.append(features["sentence_embedding"].numpy())
        return np.concatenate(done) if done else np.zeros((0, vectors.shape[1]), np.float32)


def cut_head(model: Any) -> Head | None:
    """Take the modules from the first Dense on out of a model, and return them; None if it has none."""
    from sentence_transformers.base.modules import Dense

    names = list(model._modules)
    first = next((at for at, name in enumerate(names) if isinstance(model[at], Dense)), None)
    if first is None:
        return None
    modules = tuple(model._modules.pop(name).float().cpu().eval() for name in names[first:])
    dense = [one for one in modules if isinstance(one, Dense)]
    plain = all(
        one.linear.bias is None and type(one.activation_function).__name__ == "Identity"
        for one in dense
    )
    return Head(modules, plain)


def body_sha256(model: Any) -> str:
    """Return the hash of what decides a body's vectors: weights, configuration, tokenizer, modules.

    A pooler is left out: sentence-transformers does not use it, and draws it anew where a folder has
    none.
    """
    weights = {}
    for name, tensor in sorted(model.state_dict().items()):
        if "pooler." not in name:
            digest = hashlib.sha256(tensor.detach().cpu().contiguous().numpy().tobytes())
            weights[name] = [str(tensor.dtype), list(tensor.shape), digest.hexdigest()]
    config = model[0].auto_model.config.to_dict()
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    tokens: Any = sorted(model.tokenizer.get_vocab().items())
    if backend:
        tokens = json.loads(backend.to_str())
        for name in ("truncation", "padding"):  # how the last caller wanted its texts cut
            tokens.pop(name)
    modules = [
        [type(one).__name__, one.get_config_dict() if hasattr(one, "get_config_dict") else {}]
        for one in list(model)[1:]
    ]
    kept = {name: value for name, value in config.items() if name not in _WRITER}
    return value_sha256(
        {"weights": weights, "config": kept, "modules": modules, "tokens": value_sha256(tokens)}
    )
