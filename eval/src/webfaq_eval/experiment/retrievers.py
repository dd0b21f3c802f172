"""Retrievers of the cells, with one load of the encoder where cells differ in a head alone."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from webfaq_domains.ground.files import file_sha256
from webfaq_eval.models.encoder import Place, Settings, find_model
from webfaq_eval.models.retrievers import Dense, Retriever, open_retriever
from webfaq_eval.models.sentence import Head, SentenceEncoder, cut_head

#: Modules of a head that a folder's configuration describes wholly.
_HEAD = ("Dense", "Normalize")
#: What beside these lies in a model folder decides no vector: cards, records, figures.
_READ = (".json", ".safetensors", ".model", ".txt")
_RECORDS = ("training.json", "condition.json", "modules.json")


class SharedEncoder:
    """Holds the encoder that was scored last; a model with the same one gets it with its own head."""

    def __init__(self) -> None:
        self._held: tuple[dict[str, str], Settings, SentenceEncoder] | None = None

    def retriever(self, settings: Settings, vectors: Path) -> Retriever:
        """Open a model folder for scoring, as `open_retriever` does.

        :raises ModelError: if it cannot be used as stated.
        """
        place = find_model(settings.model)
        heads = _head_modules(place.folder)
        if not heads:
            self._held = None
            return open_retriever(settings, vectors)
        files, usage = _body_files(place.folder, heads), replace(settings, model="")
        if self._held is None or self._held[:2] != (files, usage):
            self._held = None
            self._held = files, usage, SentenceEncoder(place, settings)
        encoder = _with_head(self._held[2], place, heads)
        return Dense(encoder, settings, vectors)


def _head_modules(folder: Path) -> list[dict[str, Any]]:
    """Return the modules from the first Dense on; none if there is no Dense, or another kind of module."""
    path = folder / "modules.json"
    modules = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    kinds = [str(module["type"]).rpartition(".")[2] for module in modules]
    first = kinds.index("Dense") if "Dense" in kinds else len(kinds)
    return modules[first:] if all(kind in _HEAD for kind in kinds[first:]) else []


def _body_files(folder: Path, heads: list[dict[str, Any]]) -> dict[str, str]:
    """Return the sha256 of the files that the encoder before a head is read from."""
    beside = {folder / module["path"] for module in heads}
    return {
        path.relative_to(folder).as_posix(): file_sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.suffix in _READ and path.name not in _RECORDS and not beside & set(path.parents)
    }


def _with_head(encoder: SentenceEncoder, place: Place, heads: list[dict[str, Any]]) -> Any:
    """Return the encoder as the model of another folder: its head and its name."""
    other = copy.copy(encoder)
    other.head = _load_head(place.folder, heads)
    other.model = replace(encoder.model, name=place.name, revision=place.revision)
    return other


def _load_head(folder: Path, heads: list[dict[str, Any]]) -> Head | None:
    from sentence_transformers.base.modules import Dense as Linear
    from sentence_transformers.base.modules import Normalize
    from torch import nn

    loaded = [
        Linear.load(str(folder), subfolder=module["path"], local_files_only=True)
        if str(module["type"]).endswith("Dense")
        else Normalize()
        for module in heads
    ]
    return cut_head(nn.Sequential(*loaded))
