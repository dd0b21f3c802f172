"""What the tests of publishing share: small releases, quick waits, and a look at what is visible."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hubserver import HubServer

from webfaq_domains.release.contents import Release, Target, hashed_file, list_files
from webfaq_domains.release.publish import Published, PublishOptions, publish_release
from webfaq_domains.release.remote import Remote, RetryPolicy

REPO = "org/faq"
QUICK = RetryPolicy(attempts=6, first_wait=0.01, longest_wait=2, timeout=5)
CARD = "---\nlicense: cc-by-4.0\n---\n# FAQ {}\n"

Files = dict[str, bytes]


def parquet(word: str) -> bytes:
    """Return bytes that the Hub keeps in LFS; nobody reads them as Parquet."""
    return b"PAR1" + word.encode() * 300 + b"PAR1"


def first_files() -> Files:
    return {
        "README.md": CARD.format("1.0.0").encode(),
        "manifest.json": json.dumps({"version": "1.0.0"}).encode(),
        "data/health/deu/train-00000-of-00001.parquet": parquet("a"),
        "data/legal/deu/train-00000-of-00002.parquet": parquet("b"),
        "data/legal/deu/train-00001-of-00002.parquet": parquet("c"),
    }


def second_files() -> Files:
    """Return the next version: card and manifest replaced, two shards gone, two new, one kept."""
    kept = "data/health/deu/train-00000-of-00001.parquet"
    return {
        "README.md": CARD.format("1.1.0").encode(),
        "manifest.json": json.dumps({"version": "1.1.0"}).encode(),
        kept: parquet("a"),
        "data/legal/deu/train-00000-of-00001.parquet": parquet("d"),
        "data/travel/deu/train-00000-of-00001.parquet": parquet("e"),
    }


def write_files(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def release_of(folder: Path, version: str, repo: str = REPO, kind: str = "dataset") -> Release:
    """Return the release that a folder makes as it is, without check and without writing in it."""
    files = tuple(hashed_file(name, path) for name, path in list_files(folder).items())
    return Release(folder, Target(repo, kind), version, files)


def remote_of(hub: HubServer, release: Release, **more: Any) -> Remote:
    api = hub.clients.api(more.pop("token", None))
    return Remote(release.target, api, more.pop("policy", QUICK), quiet=more.pop("quiet", True))


def publish(
    hub: HubServer, release: Release, remote: Remote | None = None, **asked: Any
) -> Published:
    """Publish a release to the test server, waiting little."""
    asked = {"create": "private", "quiet": True, **asked}
    options = PublishOptions(release.target.repo_id, release.version, **asked)
    return publish_release(release, remote or remote_of(hub, release), options)


def shown(hub: HubServer, revision: str = "main", repo: str = REPO, kind: str = "dataset") -> Files:
    """Return what a reader sees at a revision, but for what the Hub itself put there."""
    files = hub.read(repo, revision, kind)
    return {name: content for name, content in files.items() if name != ".gitattributes"}


def tags(hub: HubServer, repo: str = REPO, kind: str = "dataset") -> list[str]:
    refs = hub.repo(repo, kind).refs
    return sorted(name.removeprefix("refs/tags/") for name in refs if name.startswith("refs/tags/"))
