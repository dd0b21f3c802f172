"""The tasks' public data sets on the Hub, each at a revision that the user states."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from webfaq_eval.errors import TaskDataError
from webfaq_eval.intermediate.source import Source


def fetch(source: Source, revisions: Mapping[str, str]) -> Path:
    """Download the Parquet files of a source's config and return their folder.

    `revisions` maps a data set's name to a 40-hex commit: a branch can move, and some of these data
    sets have Parquet files only since a certain commit, or on `refs/convert/parquet`.

    :raises TaskDataError: if the source is not on the Hub, its revision is not stated or not a sha,
        or there is no Parquet file at it.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    if source.hub is None:
        raise TaskDataError(
            f"{source.name} is not on the Hub; give --data a folder of your own copy"
        )
    name, config = source.hub
    revision = revisions.get(name, "")
    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise TaskDataError(
            f"{source.name} needs the commit of its data set, met {revision!r}: "
            f"add --revision {name}=<40 hex digits>"
        )
    patterns = [f"{folder}/*.parquet" for folder in _folders(config)] or ["*.parquet"]
    try:
        place = snapshot_download(
            name, repo_type="dataset", revision=revision, allow_patterns=patterns
        )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise TaskDataError(f"{name}@{revision} cannot be fetched from the Hub: {error}") from error
    return config_folder(Path(place), name, config)


def config_folder(place: Path, name: str, config: str) -> Path:
    """Return the folder of a snapshot that holds a config's Parquet files.

    :raises TaskDataError: if it holds none.
    """
    # Other tasks' configs of the data set may lie beside it: only its own folder is looked into.
    for folder in [place / part for part in _folders(config)] or [place]:
        if any(folder.rglob("*.parquet")):
            return folder
    raise TaskDataError(
        f"{name} has no Parquet file of config {config or 'default'!r} at this revision; state one "
        "that has, such as a commit of refs/convert/parquet"
    )


def _folders(config: str) -> list[str]:
    """Return the folders that a config may lie in; none where a data set has but one, anywhere.

    What its owners keep in `data` is in `default` on `refs/convert/parquet`.
    """
    return ["data", "default"] if config == "data" else [config] if config else []


def parse_revisions(pairs: Iterable[str]) -> dict[str, str]:
    """Read `org/name=sha` pairs.

    :raises TaskDataError: if one is not such a pair.
    """
    found = {}
    for pair in pairs:
        name, equals, revision = pair.partition("=")
        if not (equals and name.count("/") == 1):
            raise TaskDataError(f"--revision {pair!r}: expected org/name=<40 hex digits>")
        found[name] = revision
    return found
