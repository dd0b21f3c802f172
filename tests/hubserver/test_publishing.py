"""huggingface_hub commits: with and without LFS, deletions, copies, the parent, the card."""

from __future__ import annotations

import hashlib

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi
from huggingface_hub.errors import BadRequestError, EntryNotFoundError, HfHubHTTPError

from hubserver import HubServer

REPO = "org/faq"
CARD = b"---\nlicense: cc-by-4.0\n---\n# FAQ\n"
ROWS = b"PAR1" + bytes(range(256)) * 20


@pytest.fixture
def api(hub: HubServer) -> HfApi:
    api = hub.clients.api()
    api.create_repo(REPO, repo_type="dataset")
    hub.log.clear()
    return api


def add(api: HfApi, files: dict[str, bytes], **more) -> str:
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    return api.create_commit(
        REPO, operations, commit_message="add", repo_type="dataset", **more
    ).oid


def test_a_commit_puts_small_text_in_git_and_parquet_in_lfs(hub: HubServer, api: HfApi):
    sha = add(api, {"README.md": CARD, "data/eng.parquet": ROWS, "empty.gz": b""})
    assert hub.read(REPO, sha) | {".gitattributes": b""} == {
        ".gitattributes": b"",
        "README.md": CARD,
        "data/eng.parquet": ROWS,
        "empty.gz": b"",
    }
    calls = [target.split("?")[0].replace(REPO, "R") for target in hub.log.targets()]
    assert calls == [
        "POST /api/validate-yaml",
        "POST /api/datasets/R/preupload/main",
        "POST /datasets/R.git/info/lfs/objects/batch",
        f"PUT /storage/{hashlib.sha256(ROWS).hexdigest()}",
        "POST /datasets/R.git/info/lfs/objects/verify",
        "POST /api/datasets/R/commit/main",
    ]
    (upload,) = hub.log.find("^PUT")
    assert (upload.body_size, upload.authorized) == (len(ROWS), False)
    assert upload.host.startswith("localhost:")
    assert hub.log.leaks(hub.host, hub.writer.value) == []


def test_an_unchanged_file_makes_no_commit_and_no_second_upload(hub: HubServer, api: HfApi):
    first = add(api, {"a.txt": b"a", "data/eng.parquet": ROWS})
    hub.log.clear()
    assert add(api, {"a.txt": b"a", "data/eng.parquet": ROWS}) == first
    assert add(api, {"data/same-elsewhere.parquet": ROWS}) != first
    assert hub.log.find("^PUT") == []


def test_a_large_upload_goes_up_in_parts(hub: HubServer, api: HfApi):
    hub.settings.part_size = 2000
    sha = add(api, {"data/eng.parquet": ROWS})
    assert hub.read(REPO, sha)["data/eng.parquet"] == ROWS
    assert [entry.body_size for entry in hub.log.find("^PUT /storage")] == [2000, 2000, 1124]


def test_a_stale_parent_is_refused_and_nothing_changes(hub: HubServer, api: HfApi):
    parent = api.dataset_info(REPO).sha
    moved = add(api, {"a.txt": b"a"}, parent_commit=parent)
    with pytest.raises(HfHubHTTPError, match="A commit has happened since") as met:
        add(api, {"b.txt": b"b"}, parent_commit=parent)
    assert met.value.response.status_code == 412
    assert api.dataset_info(REPO).sha == moved
    assert "b.txt" not in hub.read(REPO)


def test_files_and_folders_are_deleted_with_the_same_commit(hub: HubServer, api: HfApi):
    add(api, {"eng/old-0.txt": b"0", "eng/old-1.txt": b"1", "deu.txt": b"d"})
    operations = [
        CommitOperationDelete("eng/", is_folder=True),
        CommitOperationDelete("deu.txt"),
        CommitOperationAdd("eng/new.txt", b"n"),
    ]
    api.create_commit(REPO, operations, commit_message="replace", repo_type="dataset")
    assert sorted(hub.read(REPO)) == [".gitattributes", "eng/new.txt"]
    with pytest.raises(EntryNotFoundError):
        api.delete_file("deu.txt", REPO, repo_type="dataset")


def test_a_copy_sends_no_bytes(hub: HubServer, api: HfApi):
    add(api, {"a.txt": b"a", "a.parquet": ROWS})
    hub.log.clear()
    copies = [CommitOperationCopy(f"a.{end}", f"b/c.{end}") for end in ("txt", "parquet")]
    api.create_commit(REPO, copies, commit_message="copy", repo_type="dataset")
    assert hub.read(REPO)["b/c.txt"] == b"a" and hub.read(REPO)["b/c.parquet"] == ROWS
    assert hub.log.find("^PUT") == []


def test_a_card_is_checked_before_anything_goes_up(hub: HubServer, api: HfApi):
    with pytest.warns(UserWarning, match="empty or missing yaml metadata"):
        add(api, {"README.md": b"# no front matter"})
    hub.settings.yaml_errors.append('"license" must be one of ...')
    hub.log.clear()
    with pytest.raises(ValueError, match=r"Invalid metadata in README\.md"):
        add(api, {"README.md": CARD})
    assert hub.log.targets() == ["POST /api/validate-yaml"]


@pytest.mark.parametrize("path", ["../up.txt", "a//b.txt", ".git/config", "a.txt/below.txt"])
def test_paths_that_git_could_not_hold_are_refused(api: HfApi, path: str):
    add(api, {"a.txt": b"1"})
    operation = CommitOperationAdd("placeholder", b"x")
    operation.path_in_repo = path  # past the client's own check
    with pytest.raises(BadRequestError):
        api.create_commit(REPO, [operation], commit_message="m", repo_type="dataset")
