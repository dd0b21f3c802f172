"""What is never published, what a Hub says no to, and where the token never goes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hubserver import Fault, HubServer, routes
from hubserver.wire import Refusal
from publishing import (
    CARD,
    REPO,
    first_files,
    publish,
    release_of,
    remote_of,
    shown,
    tags,
    write_files,
)

from webfaq_domains.dataset.check import Checked
from webfaq_domains.ground.errors import HubError, PublishError, RecipeError, StagedError
from webfaq_domains.release.contents import Release, Target, list_files, read_release
from webfaq_domains.release.data import Pairs
from webfaq_domains.release.kinds import open_artifact
from webfaq_domains.release.publish import PublishOptions, publish_folder
from webfaq_domains.release.snapshot import FolderSnapshot

DATASET = Target(REPO, "dataset")
WRITES = "^(POST|PUT|DELETE) "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "first", first_files())


@pytest.fixture
def first(folder: Path) -> Release:
    return release_of(folder, "1.0.0")


# Files


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (".git/config", r"\.git is hidden"),
        (".env", r"\.env is hidden"),
        ("data/.DS_Store", r"data/\.DS_Store is hidden"),
        ("head.pkl", "may hold a pickle"),
        ("deep/er/model.PT", "may hold a pickle"),
        ("faq.py", "is code, which runs when it is loaded"),
        ("two\nlines", r"'two\\nlines' has a character that cannot be seen"),
        ("right\u202eleft", r"right\\u202eleft' has a character that cannot be seen"),
        ("zero\u200bwidth", "cannot be seen"),
        ("back\\slash", "or a backslash"),
        ("end ", "starts or ends with a space"),
    ],
)
def test_names_and_kinds_of_files_that_are_refused(folder: Path, name: str, told: str) -> None:
    write_files(folder, {name: b"x"})
    with pytest.raises(PublishError, match=told) as met:
        list_files(folder)
    assert "\n" not in str(met.value)


def test_a_name_that_is_not_unicode_is_refused(folder: Path) -> None:
    (folder / os.fsdecode(b"\xff.txt")).write_bytes(b"x")
    with pytest.raises(PublishError, match="cannot be seen"):
        list_files(folder)


def test_links_are_refused_wherever_they_lead(folder: Path, tmp_path: Path) -> None:
    for target in ("/etc/passwd", "manifest.json", "data", "nowhere"):
        (folder / "link").symlink_to(target)
        with pytest.raises(PublishError, match="link is a symbolic link: replace it"):
            list_files(folder)
        (folder / "link").unlink()


def test_a_pipe_is_refused(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(PublishError, match="pipe is neither a file nor a folder"):
        list_files(folder)


def test_the_hubs_own_attributes_are_fine(folder: Path) -> None:
    write_files(folder, {".gitattributes": b""})
    assert set(list_files(folder)) == {*first_files(), ".gitattributes"}


def test_a_link_that_takes_a_files_place_is_refused(hub: HubServer, first: Release) -> None:
    path = first.folder / "manifest.json"

    def swap() -> None:
        path.rename(first.folder.parent / "moved")
        path.symlink_to(first.folder.parent / "moved")

    hub.faults.add(Fault("action", when="^PUT", action=swap))
    with pytest.raises(PublishError, match=r"manifest.json (changed|is a symbolic link)"):
        publish(hub, first)
    assert shown(hub) == {}


@pytest.mark.parametrize("version", ["1.2", "1.2.3.4", "01.2.3", "1.2.x", "", "latest", "1.2.3-rc"])
def test_a_version_is_three_numbers(folder: Path, version: str) -> None:
    with pytest.raises(RecipeError, match=r"is not a version; expected MAJOR\.MINOR\.PATCH"):
        read_release(open_artifact(folder), DATASET, version)


@pytest.mark.parametrize(
    "repo", ["faq", "a/b/c", "org/", "org/../faq", "org/f q", "org/a--b", "-/x/"]
)
def test_a_repository_has_two_names(repo: str) -> None:
    with pytest.raises(PublishError, match="expected ORG/NAME"):
        Target(repo, "dataset")


def test_a_folder_that_is_not_staged_is_refused(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    with pytest.raises(StagedError, match="it is not a staged folder"):
        read_release(open_artifact(folder), DATASET, "1.0.0")


def test_a_folder_with_a_problem_is_refused_with_all_of_them(hub: HubServer, staged: Path) -> None:
    (staged / "README.md").write_text("# edited")
    write_files(staged, {"left-over.csv": b"x"})
    options = PublishOptions(REPO, "1.0.0", create="private", quiet=True)
    with pytest.raises(PublishError, match="mend it first") as met:
        publish_folder(staged, options, go=True, api=hub.clients.api())
    assert "left-over.csv: not in the manifest" in str(met.value)
    assert "README.md: differs from what the manifest gives" in str(met.value)
    assert hub.log.find(WRITES) == []


def test_a_manifest_that_names_a_file_outside_is_refused(staged: Path) -> None:
    (staged.parent / "outside.parquet").write_bytes(b"x")
    manifest = json.loads((staged / "manifest.json").read_text("utf-8"))
    manifest["files"][0]["path"] = "../outside.parquet"
    (staged / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(StagedError, match=r"files\[0\]\.path: expected"):
        read_release(open_artifact(staged), DATASET, "1.0.0", load=False, quiet=True)


def test_a_data_file_that_changes_after_the_check_is_refused(staged: Path) -> None:
    (path, *_) = sorted(staged.rglob("*.parquet"))

    class EditedMeanwhile(Pairs):
        def check(self, load: bool = True, quiet: bool = False) -> Checked:
            checked = super().check(load, quiet)
            path.write_bytes(path.read_bytes() + b"more")
            return checked

    artifact = EditedMeanwhile(FolderSnapshot(staged))
    with pytest.raises(PublishError, match=r"\.parquet changed while the folder"):
        read_release(artifact, DATASET, "1.0.0", load=False, quiet=True)


# The Hub says no


def test_a_missing_repository_is_not_made_unasked(hub: HubServer, first: Release) -> None:
    with pytest.raises(PublishError, match="to make it, add --create private or --create public"):
        publish(hub, first, create=None)
    assert hub.log.find("^POST") == []


def test_a_public_repository_is_made_where_that_is_asked(hub: HubServer, first: Release) -> None:
    publish(hub, first, create="public")
    assert not hub.repo(REPO).private


def test_a_token_that_may_not_write(hub: HubServer, first: Release) -> None:
    hub.publish(REPO, {"README.md": b"x"})
    for token in (hub.reader.value, hub.stranger.value):
        with pytest.raises(
            HubError, match=r"the token may not write there .* or, if .* --create-pr"
        ) as met:
            publish(hub, first, remote_of(hub, first, token=token))
        assert met.value.status == 403 and token not in str(met.value)


@pytest.mark.parametrize("go", [False, True])
def test_whether_one_may_write_is_asked_before_the_folder_is_checked(
    hub: HubServer, staged: Path, go: bool
) -> None:
    """The folder has a problem too: what the Hub says comes first, since a check takes long."""
    (staged / "README.md").write_text("# edited")
    options = PublishOptions(REPO, "1.0.0", create="private", quiet=True)

    def refused(token: str, told: str) -> None:
        with pytest.raises(HubError, match=told) as met:
            publish_folder(staged, options, go, hub.clients.api(token))
        assert met.value.status == 403 and token not in str(met.value)

    refused(hub.reader.value, "cannot be made: the token may only read")
    refused(hub.stranger.value, "is that of stranger, who is no member of org")
    hub.publish(REPO, {"README.md": b"x"})
    for token in (hub.reader.value, hub.stranger.value):
        refused(token, "the token may not write there")
    assert hub.log.find(WRITES) == []


@pytest.mark.parametrize("there", [False, True])
def test_a_hub_that_cannot_say_whether_one_may_write_is_asked_by_writing(
    hub: HubServer, first: Release, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    """Another Hub-compatible server may not know the two questions."""

    def no_such_route(*_: object) -> None:
        raise Refusal(404, "no such route")

    known = routes.find

    def find(method: str, path: str) -> object:
        asked = "auth-check" in path or "whoami" in path
        return (no_such_route, {}) if asked else known(method, path)

    monkeypatch.setattr(routes, "find", find)
    if there:
        hub.publish(REPO, {"README.md": b"x"})
    remote_of(hub, first).check_access(create=True)
    assert publish(hub, first).state == "published"


def test_a_token_that_nobody_knows(hub: HubServer, first: Release) -> None:
    hub.publish(REPO, {"README.md": b"x"})
    with pytest.raises(HubError, match=r"does not know the token .* `hf auth login`") as met:
        publish(hub, first, remote_of(hub, first, token="hf_wrong"))
    assert "hf_wrong" not in str(met.value)


def test_a_private_repository_of_others_looks_missing(hub: HubServer, first: Release) -> None:
    hub.publish(REPO, {"README.md": b"x"})
    hub.repo(REPO).private = True
    with pytest.raises(PublishError, match="or is private and the token may not see it"):
        publish(hub, first, remote_of(hub, first, token=hub.stranger.value), create=None)


def test_a_gated_repository_of_others(hub: HubServer, first: Release) -> None:
    hub.publish(REPO, {"README.md": b"x"})
    hub.repo(REPO).gated, hub.settings.gate_info = "manual", True
    with pytest.raises(HubError, match="is gated: ask for access on its page"):
        publish(hub, first, remote_of(hub, first, token=hub.stranger.value))


def test_a_card_that_the_hub_does_not_take(hub: HubServer, first: Release) -> None:
    hub.settings.yaml_errors.append('"license" must be one of these')
    with pytest.raises(HubError, match=r'the Hub does not take the card.s YAML: .*"license" must'):
        publish(hub, first)
    assert len(hub.log.find("validate-yaml")) == 1 and shown(hub) == {}


def test_what_is_too_large_for_the_hub_is_said_at_once(
    hub: HubServer, first: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*_: object) -> None:
        raise Refusal(413, "Payload Too Large")

    known = routes.find
    monkeypatch.setattr(
        routes, "find", lambda m, path: (too_large, {}) if "/commit/" in path else known(m, path)
    )
    with pytest.raises(HubError, match=r"more than the Hub takes .*; make the card smaller"):
        publish(hub, first)
    assert len(hub.log.find("/commit/main")) == 1


def test_offline_is_said(hub: HubServer, first: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set"):
        publish(hub, first)
    assert hub.log.entries == []


# The token


@pytest.mark.parametrize("part_size", [0, 100])
def test_the_token_stays_on_the_hubs_host(hub: HubServer, first: Release, part_size: int) -> None:
    """Contents go to another host, as on the real Hub; multi-part ones too."""
    hub.settings.part_size, hub.settings.redirect_lfs = part_size, True
    publish(hub, first)
    elsewhere = [entry for entry in hub.log.entries if entry.host != hub.host]
    assert len(elsewhere) >= (12 if part_size else 3)
    assert not any(entry.authorized for entry in elsewhere)
    assert hub.log.leaks(hub.host, hub.writer.value) == []


def test_the_token_is_not_repeated_when_the_hub_says_it(hub: HubServer, first: Release) -> None:
    hub.settings.yaml_errors.append(f"what is {hub.writer.value}?")
    with pytest.raises(HubError, match=r"what is \*\*\*\?") as met:
        publish(hub, first)
    chain = [met.value, met.value.__cause__]
    assert not any(hub.writer.value in str(error) for error in chain)


@pytest.mark.parametrize("name", ["README.md", "manifest.json", "data/notes.parquet"])
def test_a_file_with_the_token_in_it_is_refused(hub: HubServer, folder: Path, name: str) -> None:
    text = f"{CARD.format(1)} hf token: {hub.writer.value}"
    release = release_of(write_files(folder, {name: text.encode()}), "1.0.0")
    with pytest.raises(PublishError, match="holds the Hub token: take it out") as met:
        publish(hub, release)
    assert hub.writer.value not in str(met.value)
    assert (shown(hub), tags(hub)) == ({}, [])
    assert hub.log.leaks(hub.host, hub.writer.value) == []
