"""A sentence-transformers model, used as its folder says: its own pooling, length and prompts.

It is parted in two: a body that reads texts, and a head that only sees vectors. A head trained on
cached vectors stands behind an encoder that did not change. The vectors of the body are stored under
the body's own hash, so all models that share it encode a text once.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from webfaq_domains.ground.files import value_sha256
from webfaq_eval.errors import ModelError
from webfaq_eval.identity import Model
from webfaq_eval.models import batches
from webfaq_eval.models.batches import checked_tokenizer, choose, usable_length
from webfaq_eval.models.encoder import Encoder, Place, Settings

_BLOCK = 65_536
#: Parts of a configuration that say how a folder was written and change no vector.
_WRITER = ("_name_or_path", "transformers_version", "dtype", "torch_dtype", "architectures")
_log = logging.getLogger(__name__)
#: Texts of two lengths, so that padding counts; on them the own forward pass is held against encode().
_PROBES = ("Where is it?", "A sentence that is longer, so that the other one beside it is padded.")
_TOLERANCE = 1e-3


class SentenceEncoder(Encoder):
    """Encodes texts as `SentenceTransformer.encode` would, in batches of like length.

    That is proven once, when a model is opened, on two texts; a model for which it is not so is used
    through `encode()`, and that is said. `head` is what of the model only sees vectors, if there is
    such; `body_revision` the hash of the rest, under which its vectors are stored.

    :raises ModelError: if the folder cannot be loaded without remote code or pickle.
    """

    pooling = "model"

    def __init__(self, place: Place, settings: Settings, quiet: bool = True) -> None:
        if settings.pooling or settings.layer is not None:
            raise ModelError(
                f"{place.name} is a sentence-transformers model and states its own pooling and layer; "
                "leave --pooling and --layer out, or name a raw checkpoint"
            )
        self.dtype, self.device = choose(settings.dtype, settings.device)
        self.quiet = quiet
        self.body = _load(place, self.device)
        size = self.body.get_embedding_dimension()
        parameters = sum(one.numel() for one in self.body.parameters())
        self.model = Model(place.name, place.revision, "sentence-transformers", size, parameters)
        self.similarity = _similarity(self.body)
        self.prompts = prompts_of(self.body)
        self.max_length = _max_length(self.body, settings.max_length, place.name)
        self.truncated: int | None = self.body.truncate_dim
        self.head: Head | None = None
        self.whole = False
        self._take_apart(place)
        self.body = self.body.to(self.dtype).eval()

    def _take_apart(self, place: Place) -> None:
        """Part the body from its head, or keep the model whole where that would change its vectors."""
        if getattr(self.body[0], "auto_model", None) is None:
            self.whole, self._body_revision = True, self.model.revision
            _log.warning("%s has no transformer: encode() is used", place.name)
            return
        self.body.max_seq_length = self.max_length
        expected = self._encode_whole(_PROBES)
        self.head = cut_head(self.body)
        found = self.finish(self.encode_body(_PROBES))
        if self.similarity == "cosine":
            expected = batches.normalized(expected)
        away = float(np.abs(found - expected).max()) if found.shape == expected.shape else np.inf
        if away > _TOLERANCE * max(1.0, float(np.abs(expected).max())):
            _log.warning(
                "%s: vectors made of its modules differ from those of encode() by %.2g; encode() is "
                "used, which is slower", place.name, away,
            )  # fmt: skip
            self.body, self.head, self.whole = _load(place, self.device), None, True
            self.body.max_seq_length = self.max_length
        self._body_revision = self.model.revision if self.whole else body_sha256(self.body)

    @property
    def body_revision(self) -> str:
        return self._body_revision

    @property
    def raw(self) -> bool:
        """Whether the body's vectors keep their length: a head that is not linear needs it."""
        return self.head is not None and not self.head.linear

    @property
    def key(self) -> dict[str, Any]:
        return {**({"raw": True} if self.raw else {}), **({"whole": True} if self.whole else {})}

    @property
    def finishes(self) -> bool:  # type: ignore[override]
        return not self.whole and (self.head is not None or self.truncated is not None)

    def finish(self, vectors: batches.Floats) -> batches.Floats:
        """Return the model's vectors from its body's."""
        if not self.finishes:
            return vectors
        if self.head is not None:
            vectors = self.head(vectors)
        vectors = vectors[:, : self.truncated]
        return batches.normalized(vectors) if self.similarity == "cosine" else vectors

    def encode_body(self, texts: Sequence[str]) -> batches.Floats:
        """Return the body's vectors, of unit length where only their direction counts."""
        if self.whole:
            vectors = self._encode_whole(texts)
        else:
            vectors = encode_texts(self.body, texts, self.max_length, self.device, self.quiet)
        counts = self.similarity == "cosine" and not self.raw
        return batches.normalized(vectors) if counts else vectors

    def _encode_whole(self, texts: Sequence[str]) -> batches.Floats:
        """Return what the library gives, without the prompt that it would add by itself."""
        vectors = self.body.encode(
            list(texts), prompt="", convert_to_tensor=True, show_progress_bar=not self.quiet
        )
        return np.asarray(vectors.float().cpu().numpy(), np.float32)


def prompts_of(model: Any) -> tuple[str, str]:
    """Return what a SentenceTransformer names as its prompts for queries and for passages, if any."""
    named = {name: text for name, text in (model.prompts or {}).items() if text}
    return named.get("query", ""), named.get("passage", named.get("document", ""))


def encode_texts(
    body: Any, texts: Sequence[str], max_length: int | None, device: Any, quiet: bool
) -> batches.Floats:
    """Return what a SentenceTransformer gives for texts, as it gives it; float32 (texts, dimensions)."""
    return batches.encode_texts(
        body.tokenizer,
        texts,
        max_length,
        lambda batch: body({**batch, "modality": "text"})["sentence_embedding"],
        device,
        quiet,
    )


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


def _max_length(model: Any, asked: int | None, name: str) -> int | None:
    """Return the length that texts are cut to: the model's own, and never more than it can read.

    :raises ModelError: if more is asked than that, or texts cannot be put into batches.
    """
    own: int | None = model.max_seq_length
    body = getattr(model[0], "auto_model", None)
    if body is None:  # no transformer, such as a table of word vectors: encode() does it all
        return own
    usable = usable_length(body, checked_tokenizer(model.tokenizer, name), asked)
    if asked and own and asked > own:
        raise ModelError(f"--max-length {asked}: the model reads {own} tokens at most")
    limits = [one for one in (own, usable) if one]
    return asked or (min(limits) if limits else None)


def _similarity(body: Any) -> str:
    name = str(body.similarity_fn_name or "cosine")
    if name not in ("cosine", "dot"):
        raise ModelError(f"the model compares by {name!r}; cosine and dot are supported")
    return name


@dataclass(frozen=True)
class Head:
    """The modules from the first Dense on; `linear`: the length of a vector changes no direction."""

    modules: tuple[Any, ...]
    linear: bool

    def __call__(self, vectors: batches.Floats) -> batches.Floats:
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
