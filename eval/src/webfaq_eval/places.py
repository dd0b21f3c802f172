"""Where a data set or a model is: a folder, or a repository on the Hub at one commit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from webfaq_eval.errors import EvalError


def find_folder(
    place: str | Path,
    error: type[EvalError],
    repo_type: str = "dataset",
    patterns: Sequence[str] | None = None,
    revision_needed: bool = False,
) -> tuple[Path, str | None]:
    """Return the folder that is named, and the 40-hex commit if it was fetched from the Hub.

    A folder that is there comes first. `patterns` says which files are fetched; none given: all.

    :raises EvalError: of the class `error`, if it is neither a folder nor a repository.
    """
    folder = Path(place)
    if folder.is_dir():
        return folder, None
    name, _, revision = str(place).partition("@")
    if str(place).startswith((".", "/", "~")) or name.count("/") > 1:
        raise error(f"{place} is neither a folder that exists nor <org>/<name>@<revision>")
    if revision_needed and not (revision and "/" in name):
        raise error(
            f"{str(place)!r} is neither a folder that exists nor <org>/<name>@<revision>: name a "
            "folder, or state the revision"
        )
    return _fetch(name, revision, error, repo_type, patterns)


def _fetch(
    name: str,
    revision: str,
    error: type[EvalError],
    repo_type: str,
    patterns: Sequence[str] | None,
) -> tuple[Path, str]:
    from huggingface_hub import HfApi, snapshot_download

    try:
        # A full sha needs no question to the Hub, so that what is in the cache opens offline.
        sha = revision
        if not re.fullmatch(r"[0-9a-f]{40}", revision):
            info = HfApi().repo_info(name, repo_type=repo_type, revision=revision or None)
            sha = str(info.sha)
        kept = None if patterns is None else list(patterns)
        folder = snapshot_download(name, repo_type=repo_type, revision=sha, allow_patterns=kept)
        return Path(folder), sha
    except Exception as cause:  # the Hub's, the network's and the cache's errors share no base
        raise error(
            f"{name} is neither a folder that exists nor a {repo_type} that the Hub gives: {cause}"
        ) from cause
