"""Where a model is and which one exactly: a local folder, or a Hub model pinned to a commit."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from webfaq_domains.ground.files import folder_sha256
from webfaq_eval.errors import ModelError

_PICKLED = ("*.bin", "*.pt", "*.pth", "*.pkl")
#: What may be fetched: no pickle, no code.
_WANTED = ("*.json", "*.safetensors", "*.model", "*.txt", "*.md")


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
    folder = Path(model)
    if folder.is_dir():
        place = Place(folder, folder.resolve().name, folder_sha256(folder))
    else:
        place = _fetch(model)
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


def blocks(folder: Path) -> int:
    """Return how many transformer blocks a checkpoint has, by its config.json.

    :raises ModelError: if the file does not say.
    """
    path = folder / "config.json"
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["num_hidden_layers"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} does not say how many layers there are: {error!r}") from error


def _fetch(model: str) -> Place:
    from huggingface_hub import HfApi, snapshot_download

    name, _, revision = model.partition("@")
    try:
        # A full sha needs no question to the Hub, so that a model in the cache loads offline.
        pinned = re.fullmatch(r"[0-9a-f]{40}", revision)
        sha = revision if pinned else str(HfApi().model_info(name, revision=revision or None).sha)
        folder = snapshot_download(name, revision=sha, allow_patterns=list(_WANTED))
    except (
        Exception
    ) as error:  # the Hub's, the network's and the cache's errors have no common base
        raise ModelError(
            f"{model} is neither a folder nor a model that the Hub gives: {error}"
        ) from error
    return Place(Path(folder), name, sha)
