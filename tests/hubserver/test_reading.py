"""huggingface_hub reads: information, trees, pages, downloads, ranges, and who may see what."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from huggingface_hub import HfApi, HfFileSystem, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from hubserver import HubServer
from hubserver.fixtures import PublishDataset

REPO = "org/faq"
ROWS = bytes(range(256)) * 40
FILES = {
    "README.md": b"---\nlicense: cc-by-4.0\n---\n",
    "data/eng/train.parquet": ROWS,
    "data/deu/train.parquet": ROWS[::-1],
    "notes.txt": "größe\n".encode(),
}


@pytest.fixture
def sha(hub_dataset: PublishDataset) -> str:
    return hub_dataset(REPO, FILES, tag="v1.0.0")


@pytest.fixture
def api(hub: HubServer, sha: str) -> HfApi:
    return hub.clients.api()


def test_information_names_sizes_and_hashes(api: HfApi, sha: str):
    info = api.dataset_info(REPO, revision="v1.0.0", files_metadata=True)
    assert info.sha == sha
    files = {entry.rfilename: entry for entry in info.siblings or []}
    assert set(files) == {".gitattributes", *FILES}
    parquet, notes = files["data/eng/train.parquet"], files["notes.txt"]
    assert parquet.lfs is not None and parquet.lfs.sha256 == hashlib.sha256(ROWS).hexdigest()
    assert (parquet.size, notes.size, notes.lfs) == (len(ROWS), 7 + 1, None)
    git = hashlib.sha1(b"blob 8\0" + FILES["notes.txt"]).hexdigest()
    assert notes.blob_id == git
    assert api.resolve_revision(REPO, revision=sha, repo_type="dataset").resolved == sha
    plain = api.dataset_info(REPO, revision=sha[:10])
    assert plain.sha == sha and {entry.size for entry in plain.siblings or []} == {None}


def test_a_tree_is_listed_by_level_or_whole_page_by_page(hub: HubServer, api: HfApi):
    def paths(**more) -> list[str]:
        return [entry.path for entry in api.list_repo_tree(REPO, repo_type="dataset", **more)]

    assert paths() == [".gitattributes", "README.md", "data", "notes.txt"]
    assert paths(path_in_repo="data/eng", revision="v1.0.0") == ["data/eng/train.parquet"]
    everything = [*FILES, ".gitattributes", "data", "data/deu", "data/eng"]
    assert paths(recursive=True) == sorted(everything)
    hub.log.clear()
    hub.settings.page_size = 3
    assert paths(recursive=True) == sorted(everything)
    assert len(hub.log.find("/tree/main")) == 3
    with pytest.raises(EntryNotFoundError):
        paths(path_in_repo="nowhere")


def test_an_expanded_tree_tells_the_last_commit_of_each_path(hub: HubServer, api: HfApi, sha: str):
    later = hub.publish(REPO, {"notes.txt": b"new"})
    tree = api.list_repo_tree(REPO, repo_type="dataset", expand=True)
    last = {entry.path: entry.last_commit.oid for entry in tree if entry.last_commit}
    assert (last["notes.txt"], last["data"]) == (later, sha)


def test_paths_that_do_not_exist_are_left_out(api: HfApi):
    asked = ["notes.txt", "data", "missing.txt"]
    met = api.get_paths_info(REPO, asked, repo_type="dataset", expand=True)
    assert [entry.path for entry in met] == ["notes.txt", "data"]
    assert all(entry.last_commit for entry in met)


def test_commits_come_newest_first_page_by_page(hub: HubServer, api: HfApi):
    shas = [hub.publish(REPO, {"notes.txt": str(n).encode()}) for n in range(5)]
    hub.settings.page_size = 2
    met = [commit.commit_id for commit in api.list_repo_commits(REPO, repo_type="dataset")]
    assert met[:5] == shas[::-1] and len(met) == 7


def test_a_file_is_downloaded_with_the_sha_of_its_tag(
    hub: HubServer, api: HfApi, sha: str, tmp_path: Path
):
    path = api.hf_hub_download(
        REPO, "notes.txt", repo_type="dataset", revision="v1.0.0", cache_dir=tmp_path
    )
    assert Path(path).read_bytes() == FILES["notes.txt"]
    assert f"/snapshots/{sha}/" in path
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(REPO, "missing.txt", repo_type="dataset", cache_dir=tmp_path)
    assert (tmp_path / "datasets--org--faq" / ".no_exist" / sha / "missing.txt").exists()


@pytest.mark.parametrize("redirect", [False, True])
def test_a_snapshot_holds_every_file_and_its_checksums_hold(
    hub: HubServer, api: HfApi, tmp_path: Path, redirect: bool
):
    hub.settings.redirect_lfs = redirect
    folder = Path(
        api.snapshot_download(
            REPO, repo_type="dataset", revision="v1.0.0", local_dir=tmp_path / "s"
        )
    )
    assert {path: (folder / path).read_bytes() for path in FILES} == FILES
    checked = api.verify_repo_checksums(REPO, repo_type="dataset", local_dir=folder)
    assert checked.mismatches == [] and checked.missing_paths == []
    storage = hub.log.find("^GET /storage")
    assert len(storage) == (2 if redirect else 0)
    assert hub.log.leaks(hub.host, hub.writer.value) == []


def test_a_file_system_reads_ranges_only(hub: HubServer, api: HfApi):
    system = HfFileSystem(endpoint=hub.endpoint, token=hub.writer.value, skip_instance_cache=True)
    hub.log.clear()
    with system.open(f"datasets/{REPO}@v1.0.0/data/eng/train.parquet", block_size=100) as stream:
        stream.seek(5000)
        assert stream.read(16) == ROWS[5000:5016]
        stream.seek(-8, 2)
        assert stream.read() == ROWS[-8:]
    answers = hub.log.find("^GET .*/resolve/")
    assert answers and {entry.status for entry in answers} == {206}
    assert sum(entry.sent for entry in answers) < 1000
    assert system.glob(f"datasets/{REPO}/data/*/*.parquet") == [
        f"datasets/{REPO}/data/{name}/train.parquet" for name in ("deu", "eng")
    ]


@pytest.mark.parametrize(
    ("repo", "revision", "error"),
    [
        ("org/none", "main", RepositoryNotFoundError),
        (REPO, "v9", RevisionNotFoundError),
        (REPO, "f" * 40, RevisionNotFoundError),
    ],
)
def test_what_is_missing_has_a_name(
    api: HfApi, repo: str, revision: str, error: type[Exception], tmp_path: Path
):
    where = {"repo_type": "dataset", "revision": revision, "cache_dir": tmp_path}
    with pytest.raises(error):
        api.dataset_info(repo, revision=revision)
    with pytest.raises(error):
        api.hf_hub_download(repo, "notes.txt", **where)


def test_a_private_repository_is_not_there_for_others(hub: HubServer, api: HfApi):
    hub.repo(REPO).private = True
    assert api.dataset_info(REPO).private
    for token in (hub.stranger.value, False):
        with pytest.raises(RepositoryNotFoundError):
            HfApi(endpoint=hub.endpoint).dataset_info(REPO, token=token)


def test_a_gated_repository_shows_its_list_and_not_its_files(
    hub: HubServer, api: HfApi, tmp_path: Path
):
    hub.repo(REPO).gated = "manual"
    where = {"repo_type": "dataset", "cache_dir": tmp_path, "endpoint": hub.endpoint}
    stranger = hub.stranger.value
    assert hub.clients.api(stranger).dataset_info(REPO).gated == "manual"
    for token in (stranger, False):
        with pytest.raises(GatedRepoError):
            hf_hub_download(REPO, "notes.txt", token=token, **where)
    assert hf_hub_download(REPO, "notes.txt", token=hub.reader.value, **where)
    hub.settings.gate_info = True
    with pytest.raises(GatedRepoError):
        snapshot_download(REPO, token=stranger, **{**where, "cache_dir": tmp_path / "new"})


def test_tokens_are_known_or_refused(hub: HubServer, api: HfApi):
    assert api.whoami()["name"] == "tester"
    assert [org["name"] for org in api.whoami()["orgs"]] == ["org"]
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        hub.clients.api("hf_unknown").whoami()
    with pytest.raises(HfHubHTTPError, match="Invalid credentials"):
        hub.clients.api("hf_unknown").dataset_info(REPO)
    reader = hub.clients.api(hub.reader.value)
    assert reader.dataset_info(REPO).id == REPO
    with pytest.raises(HfHubHTTPError, match="403"):
        reader.create_tag(REPO, tag="v2", repo_type="dataset")
    with pytest.raises(HfHubHTTPError, match="403"):
        reader.create_repo("org/new", repo_type="dataset")
    api.auth_check(REPO, repo_type="dataset", write=True)
