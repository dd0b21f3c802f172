"""The teacher's body: any sentence-transformers model, loaded from one folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from webfaq_domains.ground.errors import LabelerError, MissingExtra
from webfaq_domains.ground.model_folders import refuse_code

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Reading:
    """How a body reads texts: characters kept, tokens kept, and what is put before each text.

    E5 models (Wang et al. 2024) were trained with a prefix and need it at every use.
    """

    characters: int = 400
    tokens: int = 96
    prefix: str = "query: "
    batch: int = 64

    def __post_init__(self) -> None:
        for name in ("characters", "tokens", "batch"):
            if not 1 <= getattr(self, name) <= 1_000_000:
                raise ValueError(f"{name} is {getattr(self, name)}; expected 1 to 1,000,000")

    def of(self, texts: Sequence[str]) -> list[str]:
        return [self.prefix + text[: self.characters].replace("\n", " ") for text in texts]


def local_encoder(encoder: str, revision: str = "") -> Path:
    """Return the folder of an encoder: itself, or a Hub model fetched at one 40-hex revision.

    :raises LabelerError: if a Hub model is named without a full revision, or cannot be fetched.
    """
    if Path(encoder).is_dir():
        return Path(encoder)
    if len(revision) != 40:
        raise LabelerError(
            f"{encoder} is no folder; a Hub model needs its 40-hex revision (met {revision!r}), "
            "so that body and head stay one model"
        )
    from huggingface_hub import snapshot_download

    try:
        # Pickles are left behind: nothing here needs one, and loading one runs its code.
        ignored = ["*.pkl", "*.bin", "*.h5", "*.msgpack", "onnx/*", "openvino/*"]
        return Path(snapshot_download(encoder, revision=revision, ignore_patterns=ignored))
    except Exception as error:
        raise LabelerError(f"cannot fetch {encoder} at {revision}: {error}") from error


def load_body(folder: Path, reading: Reading) -> Any:
    """Load a sentence-transformers model from a folder, without reaching for the network.

    Weights that the folder lacks (often those of a pooler that nothing uses) are drawn by
    transformers at random: here from a fixed seed, so that the same folder is the same body.
    """
    try:
        import torch
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise MissingExtra("sentence-transformers", "teacher") from error
    if not (folder / "modules.json").is_file():
        raise LabelerError(f"{folder} is not a sentence-transformers model: it has no modules.json")
    refuse_code(folder, LabelerError)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        body = SentenceTransformer(str(folder), device=_device(), local_files_only=True)
    body.max_seq_length = reading.tokens
    return body


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


#: From so many texts on, encoding shows how far it is.
_LONG = 1000


def encode(body: Any, texts: Sequence[str], reading: Reading) -> Vectors:
    """Return one vector per text, shape (len(texts), dimensions)."""
    if not texts:
        return np.zeros((0, 1), np.float32)
    vectors = body.encode(
        reading.of(texts),
        batch_size=reading.batch,
        convert_to_numpy=True,
        show_progress_bar=len(texts) >= _LONG,
    )
    return np.ascontiguousarray(vectors, np.float32)


def freeze_word_embeddings(body: Any) -> int:
    """Freeze the word embeddings; return how many parameters stay trainable.

    They are 80 % of a small multilingual model, and tuning on few texts only moves the words that
    occur in them.
    """
    body[0].auto_model.get_input_embeddings().requires_grad_(False)
    return sum(p.numel() for p in body.parameters() if p.requires_grad)


def body_name(folder: Path) -> str:
    """Return the name an encoder's own configuration gives, or the folder's."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return folder.name
    return str(config.get("_name_or_path") or folder.name)
