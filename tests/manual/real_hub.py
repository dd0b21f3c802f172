"""Publish to the real Hub, once with Xet and once without, and remove what was made.

    HF_TOKEN=... python tests/manual/real_hub.py YOUR_NAMESPACE

Needs the network and a token that may write in the namespace. It makes private repositories whose
names start with `webfaq-domains-smoke-`, says what it checks, and deletes them at the end.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = {"with Xet": {}, "without Xet": {"HF_HUB_DISABLE_XET": "1"}}


def main() -> None:
    if len(sys.argv) == 2 and os.environ.get("HF_TOKEN"):
        failed = [name for name, env in ROUNDS.items() if not _round(sys.argv[1], name, env)]
        sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
    if len(sys.argv) == 3 and sys.argv[1] == "--one":
        sys.exit(one_round(sys.argv[2]))
    sys.exit(__doc__)


def _round(namespace: str, name: str, env: dict[str, str]) -> bool:
    """Run one round in a process of its own: the client reads its settings when it is imported."""
    print(f"== {name}")
    repo = f"{namespace}/webfaq-domains-smoke-{secrets.token_hex(4)}"
    done = subprocess.run([sys.executable, __file__, "--one", repo], env={**os.environ, **env})
    return done.returncode == 0


def one_round(repo: str) -> int:
    from huggingface_hub import HfApi
    from webfaq_domains.builders.demo import build_demo

    api = HfApi()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "demo"
        build_demo(folder, quiet=True)
        try:
            check(repo, folder, api)
            check_large(repo, Path(place) / "space")
        finally:
            for kind in ("dataset", "space"):
                api.delete_repo(repo, repo_type=kind, missing_ok=True)
            print(f"deleted {repo}")
    return 0


def check_large(repo: str, folder: Path) -> None:
    """Publish a Space with a file that is large enough to be handed over by its path."""
    from huggingface_hub import hf_hub_download

    from webfaq_domains.release.publish import PublishOptions, publish_folder

    folder.mkdir()
    (folder / "README.md").write_text(
        "---\ntitle: Smoke\nlicense: apache-2.0\nsdk: static\n---\n# Smoke\n", "utf-8"
    )
    (folder / "index.html").write_text("<!doctype html><title>Smoke</title>", "utf-8")
    content = secrets.token_bytes(12_000_000)
    (folder / "large.bin").write_bytes(content)
    print(publish_folder(folder, PublishOptions(repo, "1.0.0", create="private"), True).text())
    with tempfile.TemporaryDirectory() as place:
        fetched = hf_hub_download(
            repo, "large.bin", repo_type="space", revision="v1.0.0", local_dir=place
        )
        assert Path(fetched).read_bytes() == content
    print("12 MB in one file: the same bytes came back\n")


def check(repo: str, folder: Path, api: object) -> None:
    from huggingface_hub import HfApi

    from webfaq_domains.ground.errors import PublishError
    from webfaq_domains.release.publish import PublishOptions, publish_folder

    assert isinstance(api, HfApi)

    def publish(version: str, go: bool = True, **asked: object) -> object:
        start = time.monotonic()
        options = PublishOptions(repo, version, create="private", load=False, **asked)
        result = publish_folder(folder, options, go)
        print(f"{result.text()}\n({time.monotonic() - start:.1f} s)\n")
        return result

    publish("1.0.0", go=False)
    first = publish("1.0.0")
    assert first.state == "published"
    assert publish("1.0.0").state == "published already"
    refs = api.list_repo_refs(repo, repo_type="dataset")
    assert {tag.name: tag.target_commit for tag in refs.tags} == {"v1.0.0": first.sha}
    _same_as_published(repo, "v1.0.0", folder)

    assert publish("1.0.1", create_pr=True).state == "proposed"
    assert publish("1.0.1", create_pr=True).state == "proposed"
    pulls = list(api.get_repo_discussions(repo, repo_type="dataset"))
    assert len(pulls) == 1, "a second pull request was opened"

    assert publish("1.1.0").state == "published"
    _same_as_published(repo, "v1.1.0", folder)
    _same_as_published(repo, "main", folder)

    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace('"extra": {}', '"extra": {"smoke": 1}'))
    try:
        publish("1.1.0")
    except PublishError as error:
        assert "is published with other content" in str(error), error
        print(f"refused, as it should be: {str(error).splitlines()[0]}\n")
    else:
        raise AssertionError("a changed folder was published under a tag that was there")


def _same_as_published(repo: str, revision: str, folder: Path) -> None:
    """Fetch a revision and check it as a folder; its rows must be those of the local one."""
    from huggingface_hub import snapshot_download

    from webfaq_domains.ground.manifest import Manifest
    from webfaq_domains.release.check import check_folder

    with tempfile.TemporaryDirectory() as place:
        snapshot_download(repo, repo_type="dataset", revision=revision, local_dir=place)
        checked = check_folder(Path(place), load=False)
        odd = [problem for problem in checked.problems if not problem.place.startswith(".cache")]
        assert not odd, checked.text()
        assert Manifest.read(Path(place)).content_digest == Manifest.read(folder).content_digest
    print(f"{revision}: fetched, checked, same rows\n")


if __name__ == "__main__":
    main()
