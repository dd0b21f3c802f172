"""One encoder for many runs of a process: a head on cached vectors leaves it as it is.

Opening a multilingual encoder takes seconds, most of them for a vocabulary of 250,000, and saving it
writes half a gigabyte. Runs that share are given the encoder that is open, and their models' files of
the encoder are hard links to those of the first: each folder is a whole model, on disk it is there once.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from webfaq_eval.training.embedders import Residual, add_head
from webfaq_eval.training.encoder import EncoderSettings, Opened, open_encoder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_ADDED = 2  # Modules of a head: a Dense and a Normalize.


class Shared:
    """Holds the encoder of the last run that only trained a head, and where its files lie."""

    def __init__(self) -> None:
        self._opened: tuple[EncoderSettings, str, Opened] | None = None
        self._saved: Path | None = None
        self._parts: list[tuple[str, bool]] = []

    def open(self, settings: EncoderSettings, device: str, seed: int) -> Opened:
        """Open an encoder, or return the one that is open if only a head is trained on it."""
        heads = settings.mode == "head"
        if heads and self._opened and self._opened[:2] == (settings, device):
            return self._opened[2]
        self._opened, self._saved = None, None
        # Weights that a folder lacks (an unused pooler) are drawn as it is opened; heads share theirs.
        torch.manual_seed(0 if heads else seed)
        opened = open_encoder(settings, device)
        if heads:
            self._opened = settings, device, opened
        return opened

    def save(self, opened: Opened, head: Residual, place: Path) -> None:
        """Save the encoder with a head behind it as a model folder; the encoder stays as it was."""
        with _headed(opened.model, head) as model:
            number = len(model) - _ADDED
            own = f"{number}_Dense"
            if self._link(place):
                dense: Any = model[number]
                (place / own).mkdir()
                dense.save(str(place / own))
                return
            model.save(str(place), create_model_card=False)
        found = sorted(
            path for path in place.rglob("*") if own not in path.relative_to(place).parts
        )
        self._parts = [(path.relative_to(place).as_posix(), path.is_dir()) for path in found]

    def saved(self, out: Path) -> None:
        """Say where the model that was just saved has come to lie."""
        if self._opened:
            self._saved = self._saved or out

    def _link(self, place: Path) -> bool:
        """Fill a folder with links to the files of the model before; False if they cannot be had."""
        if not self._saved:
            return False
        try:
            place.mkdir(parents=True)
            for name, is_folder in self._parts:
                if is_folder:
                    (place / name).mkdir()
                else:
                    os.link(self._saved / name, place / name)
        except OSError:  # another file system, or one without links, or the model was removed
            shutil.rmtree(place, ignore_errors=True)
            self._saved = None
        return self._saved is not None


@contextmanager
def _headed(model: SentenceTransformer, head: Residual) -> Iterator[SentenceTransformer]:
    """Put a head behind an encoder for a while."""
    names = list(model._modules)
    add_head(model, head)
    try:
        yield model
    finally:
        for name in [name for name in model._modules if name not in names]:
            del model._modules[name]
