"""Stock clients in processes of their own, whose environment points at the server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from huggingface_hub import HfApi

    from hubserver.server import HubServer

_FIXED = {
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_UPDATE_DOWNLOAD_COUNTS": "0",
    "NO_PROXY": "*",
    "OMP_NUM_THREADS": "1",
}


class Clients:
    """Runs Python code and the `hf` command against a server."""

    def __init__(self, hub: HubServer, home: Path) -> None:
        self.hub, self.home = hub, home
        self.token = hub.writer.value

    @property
    def env(self) -> dict[str, str]:
        """The environment of a client: nothing of the machine's own Hub settings or proxies."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HF_", "HUGGING_FACE", "MTEB_"))
            and not name.lower().endswith("_proxy")
        }
        own = {"HF_ENDPOINT": self.hub.endpoint, "HF_HOME": str(self.home / "hf")}
        token = {"HF_TOKEN": self.token} if self.token else {}
        return {**kept, **_FIXED, **own, **token, "HOME": str(self.home)}

    def api(self, token: str | None = None) -> HfApi:
        """Return an `HfApi` in this process. Downloads need an own `cache_dir` or `local_dir`."""
        from huggingface_hub import HfApi

        return HfApi(endpoint=self.hub.endpoint, token=token or self.hub.writer.value)

    def run(
        self, command: list[str], env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the client's home and return what it said, whatever its exit status."""
        self.home.mkdir(parents=True, exist_ok=True)
        return subprocess.run(
            command,
            env={**self.env, **(env or {})},
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def python(self, code: str, *args: str, **env: str) -> str:
        """Run Python code and return its standard output; an exit status but 0 fails the test."""
        done = self.run([sys.executable, "-c", textwrap.dedent(code), *args], env)
        if done.returncode:
            raise AssertionError(f"exit {done.returncode}\n{done.stdout}\n{done.stderr[-6000:]}")
        return done.stdout

    def json(self, code: str, *args: str, **env: str) -> Any:
        """Run Python code and return the JSON on the last line that it prints."""
        lines = self.python(code, *args, **env).strip().splitlines()
        return json.loads(lines[-1])

    def hf(self, *words: str) -> str:
        """Run the `hf` command and return its standard output."""
        done = self.run([str(Path(sys.executable).with_name("hf")), *words])
        if done.returncode:
            raise AssertionError(f"hf {' '.join(words)}\n{done.stdout}\n{done.stderr[-6000:]}")
        return done.stdout
