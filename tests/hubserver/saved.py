"""Contents by sha256 and the state file, in memory or in a folder."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hubserver.store import Repo


class Contents:
    """Bytes by their sha256; in files under `root/objects` where a root is given."""

    def __init__(self, root: Path | None) -> None:
        self._memory: dict[str, bytes] = {}
        self._folder = root / "objects" if root is not None else None
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)

    def put(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        if self._folder is None:
            self._memory[sha256] = content
        elif not (self._folder / sha256).exists():
            _write_whole(self._folder / sha256, content)
        return sha256

    def get(self, sha256: str) -> bytes | None:
        if self._folder is None:
            return self._memory.get(sha256)
        path = self._folder / sha256
        return path.read_bytes() if path.exists() else None


def save_state(root: Path, repos: dict[str, Repo], ticks: int) -> None:
    """Write every repository to `root/state.json`, whole or not at all."""
    state = {"ticks": ticks, "repos": {name: asdict(repo) for name, repo in repos.items()}}
    _write_whole(root / "state.json", json.dumps(state).encode())


def load_state(root: Path) -> tuple[dict[str, Repo], int]:
    """Read what `save_state` wrote; an empty folder is an empty Hub."""
    path = root / "state.json"
    if not path.exists():
        return {}, 0
    state = json.loads(path.read_bytes())
    return {name: _repo(fields) for name, fields in state["repos"].items()}, state["ticks"]


def _repo(fields: dict[str, Any]) -> Repo:
    from hubserver.store import Blob, Commit, Discussion, Repo

    commits = {
        sha: Commit(
            **{**commit, "files": {path: Blob(**blob) for path, blob in commit["files"].items()}}
        )
        for sha, commit in fields["commits"].items()
    }
    discussions = [Discussion(**discussion) for discussion in fields["discussions"]]
    return Repo(**{**fields, "commits": commits, "discussions": discussions})


def _write_whole(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
    os.replace(temporary, path)
