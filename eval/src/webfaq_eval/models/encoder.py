"""An encoder: how it is to be used, where its files are, and what it offers to a search."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webfaq_domains.ground.files import folder_sha256
from webfaq_eval.benchmark.search import Floats
from webfaq_eval.errors import ModelError
from webfaq_eval.identity import Model
from webfaq_eval.places import find_folder

POOLINGS = ("mean", "cls", "last")
DTYPES = ("auto", "float32", "bfloat16", "float16")
_log = logging.getLogger(__name__)
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.pkl")
#: What may be fetched: no pickle, no code.
_WANTED = ("*.json", "*.safetensors", "*.model", "*.txt", "*.md")


@dataclass(frozen=True)
class Settings:
    """A model and how it is used. `pooling` and `layer` None: as the model's own folder says.

    `layer` counts transformer blocks from 1; 0 is the embedding layer. XTREME's `specific_layer` 13
    is our 14. A prefix of None is the model's own prompt if it has one (`own_prefixes`), an empty one
    is no prefix. `max_length` None: as the model says.
    """

    model: str
    pooling: str | None = None
    layer: int | None = None
    query_prefix: str | None = None
    passage_prefix: str | None = None
    max_length: int | None = None
    dtype: str = "auto"
    device: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class Place:
    """A model folder, the name to show, and its revision: 40-hex of the Hub or sha256 of the files."""

    folder: Path
    name: str
    revision: str

    @property
    def is_sentence_transformer(self) -> bool:
        return (self.folder / "modules.json").is_file()


def find_model(model: str) -> Place:
    """Resolve a folder, `org/name` or `org/name@revision`.

    :raises ModelError: if there is none, or its weights are not safetensors.
    """
    folder, sha = find_folder(model, ModelError, "model", _WANTED)
    name = model.partition("@")[0] if sha else folder.resolve().name
    place = Place(folder, name, sha or folder_sha256(folder))
    if not (place.folder / "config.json").is_file() and not place.is_sentence_transformer:
        raise ModelError(
            f"{model} has neither config.json nor modules.json: it is not a model folder"
        )
    folders = {path.parent for path in place.folder.rglob("*.safetensors")}
    pickled = [p for end in _PICKLED for p in place.folder.rglob(end) if p.parent not in folders]
    if not folders or pickled:
        raise ModelError(
            f"{model} has no safetensors weights{f' beside {pickled[0].name}' if pickled else ''}; "
            "pickled weights can run code and are never loaded: convert them with "
            "`model.save_pretrained(DIR)`"
        )
    return place


def own_prefixes(
    prompts: tuple[str, str], stated: tuple[str | None, str | None], name: str
) -> tuple[str, str]:
    """Return what is put before queries and before passages: one rule for training and scoring.

    A prefix that is stated counts, an empty one too. Where none is stated (None), the model's own
    prompt is used, and that is said; the record of a score or a training has what was used.
    """
    own = [
        None if given is not None else prompt for prompt, given in zip(prompts, stated, strict=True)
    ]
    if any(own):
        _log.warning(
            "%s names its own prompts, which are used: queries %r, passages %r; state other prefixes, "
            "or empty ones for none", name, own[0] or stated[0], own[1] or stated[1],
        )  # fmt: skip
    query, passage = (
        given if given is not None else prompt
        for prompt, given in zip(prompts, stated, strict=True)
    )
    return query, passage


class Encoder:
    """Turns texts into vectors, float32 (texts, dimensions); its attributes say how it does so.

    What `encode_body` gives is stored, under `body_revision` and the attributes. Where `finishes` is
    set, `finish` makes the model's own vectors of the stored ones: several models share a body.
    `prompts` are the texts that the model itself wants before queries and before passages.
    """

    model: Model
    pooling: str = "none"
    layer: int | None = None
    normalize: bool = True
    similarity: str = "cosine"
    max_length: int | None = None
    dtype: Any = "float32"
    prompts: tuple[str, str] = ("", "")
    finishes: bool = False

    @property
    def body_revision(self) -> str:
        return self.model.revision

    @property
    def key(self) -> dict[str, Any]:
        """What beside the recorded protocol decides the stored vectors."""
        return {}

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return the model's vectors of texts."""
        return self.finish(self.encode_body(texts))

    def encode_body(self, texts: Sequence[str]) -> Floats:
        raise NotImplementedError

    def finish(self, vectors: Floats) -> Floats:
        return vectors
