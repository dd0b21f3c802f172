"""huggingface_hub on repositories: create, tags, branches, pull requests, squash, settings."""

from __future__ import annotations

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import (
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from hubserver import HubServer

REPO = "org/faq"
ROWS = b"PAR1" + bytes(range(256)) * 20


@pytest.fixture
def api(hub: HubServer) -> HfApi:
    api = hub.clients.api()
    api.create_repo(REPO, repo_type="dataset")
    return api


def add(api: HfApi, files: dict[str, bytes], **more) -> str:
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    return api.create_commit(
        REPO, operations, commit_message="add", repo_type="dataset", **more
    ).oid


@pytest.mark.parametrize("kind", ["model", "dataset", "space"])
def test_each_kind_of_repository_is_created_once(hub: HubServer, kind: str):
    api = hub.clients.api()
    sdk = {"space_sdk": "static"} if kind == "space" else {}
    url = api.create_repo("org/thing", repo_type=kind, **sdk)
    assert (url.repo_id, url.repo_type, url.endpoint) == ("org/thing", kind, hub.endpoint)
    assert api.create_repo("org/thing", repo_type=kind, exist_ok=True, **sdk) == url
    with pytest.raises(HfHubHTTPError) as met:
        api.create_repo("org/thing", repo_type=kind, **sdk)
    assert met.value.response.status_code == 409
    assert met.value.response.json()["url"] == str(url)
    assert api.repo_info("org/thing", repo_type=kind).id == "org/thing"
    assert [commit.title for commit in api.list_repo_commits("org/thing", repo_type=kind)] == [
        "initial commit"
    ]
    assert hub.unserved == []


def test_tags_are_never_moved(api: HfApi):
    first = add(api, {"a.txt": b"1"})
    api.create_tag(REPO, tag="v1.0.0", tag_message="build 1", revision=first, repo_type="dataset")
    second = add(api, {"a.txt": b"2"})
    with pytest.raises(HfHubHTTPError) as met:
        api.create_tag(REPO, tag="v1.0.0", revision=second, repo_type="dataset")
    assert met.value.response.status_code == 409
    assert api.dataset_info(REPO, revision="v1.0.0").sha == first
    refs = api.list_repo_refs(REPO, repo_type="dataset")
    assert [(tag.name, tag.ref, tag.target_commit) for tag in refs.tags] == [
        ("v1.0.0", "refs/tags/v1.0.0", first)
    ]
    assert [(branch.name, branch.target_commit) for branch in refs.branches] == [("main", second)]
    api.delete_tag(REPO, tag="v1.0.0", repo_type="dataset")
    with pytest.raises(RevisionNotFoundError):
        api.dataset_info(REPO, revision="v1.0.0")
    with pytest.raises(RevisionNotFoundError):
        api.create_tag(REPO, tag="v2.0.0", revision="nowhere", repo_type="dataset")


def test_a_branch_leaves_main_alone_until_it_is_merged_or_deleted(hub: HubServer, api: HfApi):
    main = add(api, {"a.txt": b"1"})
    api.create_branch(REPO, branch="release/1.0", revision=main, repo_type="dataset")
    with pytest.raises(HfHubHTTPError):
        api.create_branch(REPO, branch="release/1.0", repo_type="dataset")
    api.create_branch(REPO, branch="release/1.0", repo_type="dataset", exist_ok=True)
    sha = add(api, {"b.txt": b"2"}, revision="release/1.0")
    assert api.dataset_info(REPO).sha == main
    assert api.dataset_info(REPO, revision="release/1.0").sha == sha
    api.delete_branch(REPO, branch="release/1.0", repo_type="dataset")
    assert not api.revision_exists(REPO, "release/1.0", repo_type="dataset")


def test_a_stranger_proposes_by_pull_request_and_the_owner_merges(hub: HubServer, api: HfApi):
    main = add(api, {"a.txt": b"1"})
    stranger = hub.clients.api(hub.stranger.value)
    with pytest.raises(HfHubHTTPError, match="403"):
        stranger.create_commit(
            REPO, [CommitOperationAdd("b.txt", b"")], commit_message="m", repo_type="dataset"
        )
    made = stranger.create_commit(
        REPO,
        [CommitOperationAdd("data/b.parquet", ROWS)],
        commit_message="propose",
        repo_type="dataset",
        create_pr=True,
        parent_commit=main,
    )
    assert (made.pr_num, made.pr_revision) == (1, "refs/pr/1")
    refs = api.list_repo_refs(REPO, repo_type="dataset", include_pull_requests=True)
    assert [(pull.ref, pull.target_commit) for pull in refs.pull_requests or []] == [
        ("refs/pr/1", made.oid)
    ]
    assert api.dataset_info(REPO).sha == main
    assert api.dataset_info(REPO, revision="refs/pr/1").sha == made.oid
    pull = api.get_discussion_details(REPO, 1, repo_type="dataset")
    assert (pull.status, pull.author, pull.target_branch) == ("open", "stranger", "refs/heads/main")
    api.merge_pull_request(REPO, 1, repo_type="dataset")
    assert api.dataset_info(REPO).sha == made.oid
    assert [d.status for d in api.get_repo_discussions(REPO, repo_type="dataset")] == ["merged"]


def test_an_empty_pull_request_is_filled_by_commits_to_its_ref(api: HfApi):
    pull = api.create_pull_request(REPO, "later", repo_type="dataset")
    sha = add(api, {"c.txt": b"3"}, revision=f"refs/pr/{pull.num}")
    details = api.get_discussion_details(REPO, pull.num, repo_type="dataset")
    assert [event.oid for event in details.events if event.type == "commit"] == [sha]
    closed = api.change_discussion_status(REPO, pull.num, "closed", repo_type="dataset")
    assert closed.new_status == "closed"


def test_squashing_a_branch_keeps_what_tags_point_at(hub: HubServer, api: HfApi):
    first = add(api, {"a.txt": b"1"})
    api.create_tag(REPO, tag="v1", repo_type="dataset")
    add(api, {"a.txt": b"2"})
    api.super_squash_history(REPO, repo_type="dataset")
    assert len(api.list_repo_commits(REPO, repo_type="dataset")) == 1
    assert hub.read(REPO)["a.txt"] == b"2"
    assert api.dataset_info(REPO, revision="v1").sha == first


def test_settings_moves_and_deletion_reach_the_repository(api: HfApi):
    api.update_repo_settings(REPO, repo_type="dataset", gated="manual", private=True)
    info = api.dataset_info(REPO)
    assert (info.gated, info.private) == ("manual", True)
    api.delete_repo(REPO, repo_type="dataset")
    api.delete_repo(REPO, repo_type="dataset", missing_ok=True)
    with pytest.raises(RepositoryNotFoundError):
        api.dataset_info(REPO)
