"""The `hf` command: who am I, create, upload, tag, download, information."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hubserver import HubServer

REPO = "org/faq"
CARD = "---\nlicense: cc-by-4.0\n---\n# FAQ\n"


@pytest.fixture(scope="module")
def hub(make_hub: Callable[[], HubServer]) -> HubServer:
    """One server for the whole story below, told in order."""
    return make_hub()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("upload")
    (root / "README.md").write_text(CARD)
    (root / "data").mkdir()
    (root / "data" / "eng.parquet").write_bytes(b"PAR1" + bytes(range(256)))
    return root


@pytest.fixture(scope="module")
def uploaded(hub: HubServer, folder: Path) -> str:
    """Create a repository and upload a folder to it by the command."""
    created = hub.clients.hf("repos", "create", REPO, "--repo-type", "dataset")
    assert f"{hub.endpoint}/datasets/{REPO}" in created
    out = hub.clients.hf("upload", REPO, str(folder), "--repo-type", "dataset")
    assert "Uploaded" in out
    return hub.repo(REPO).refs["refs/heads/main"]


def test_it_says_who_the_token_is(hub: HubServer):
    out = hub.clients.hf("auth", "whoami")
    assert "tester" in out and "org" in out


def test_it_uploads_a_folder_in_one_commit(hub: HubServer, uploaded: str, folder: Path):
    files = hub.read(REPO, uploaded)
    assert files["README.md"] == CARD.encode()
    assert files["data/eng.parquet"] == (folder / "data" / "eng.parquet").read_bytes()
    assert len(hub.repo(REPO).commits) == 2


def test_it_uploads_to_a_branch_that_it_makes(hub: HubServer, uploaded: str, folder: Path):
    words = ("README.md", "notes.md", "--repo-type", "dataset", "--revision", "next")
    hub.clients.hf("upload", REPO, str(folder / words[0]), *words[1:])
    assert "notes.md" in hub.read(REPO, "next") and "notes.md" not in hub.read(REPO)


def test_it_tags_and_lists_and_deletes_tags(hub: HubServer, uploaded: str):
    tag = ("repos", "tag")
    hub.clients.hf(*tag, "create", REPO, "v1.0.0", "--repo-type", "dataset", "-m", "first")
    assert hub.repo(REPO).refs["refs/tags/v1.0.0"] == uploaded
    assert hub.repo(REPO).tag_messages == {"v1.0.0": "first"}
    hub.clients.hf(*tag, "create", REPO, "v1.0.1", "--repo-type", "dataset")
    listed = hub.clients.hf(*tag, "list", REPO, "--repo-type", "dataset")
    assert "v1.0.0" in listed and "v1.0.1" in listed
    hub.clients.hf(*tag, "delete", REPO, "v1.0.1", "--repo-type", "dataset", "-y")
    assert "refs/tags/v1.0.1" not in hub.repo(REPO).refs


def test_it_downloads_a_revision(hub: HubServer, uploaded: str, tmp_path: Path):
    hub.clients.hf(
        "download", REPO, "--repo-type", "dataset", "--revision", uploaded, "--local-dir",
        str(tmp_path),
    )  # fmt: skip
    got = {path: (tmp_path / path).read_bytes() for path in ("README.md", "data/eng.parquet")}
    assert got.items() <= hub.read(REPO, uploaded).items()


def test_it_shows_a_dataset_and_asked_for_nothing_unserved(hub: HubServer, uploaded: str):
    assert uploaded in hub.clients.hf("datasets", "info", REPO)
    assert {target.split("?")[0] for target in hub.unserved} <= {"GET /api/agent-harnesses"}
    assert hub.log.leaks(hub.host, hub.writer.value) == []
