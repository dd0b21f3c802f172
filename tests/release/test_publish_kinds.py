"""Datasets, labelers and Spaces, published from real folders and by the command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hubserver import HubServer
from publishing import QUICK, REPO, shown, tags, write_files
from toybuild import command, sha256_of

from webfaq_domains.cli import main
from webfaq_domains.ground.errors import PublishError, StagedError
from webfaq_domains.ground.manifest import Manifest
from webfaq_domains.labelers.load import builtin_folder
from webfaq_domains.release.check import check_folder
from webfaq_domains.release.plan import Plan
from webfaq_domains.release.publish import Published, PublishOptions, publish_folder


def run(hub: HubServer, folder: Path, version: str, **asked: object) -> Plan | Published:
    go = bool(asked.pop("go", True))
    asked = {"create": "private", "load": False, "quiet": True, **asked}
    options = PublishOptions(REPO, version, **asked)
    return publish_folder(folder, options, go, hub.clients.api(), QUICK)


def fetched(hub: HubServer, folder: Path, revision: str, kind: str) -> Path:
    write_files(folder, shown(hub, revision, kind=kind))
    return folder


def test_a_dataset_carries_its_version_and_its_folder_is_not_touched(
    hub: HubServer, small: Path, tmp_path: Path
) -> None:
    before = sha256_of(small)
    run(hub, small, "1.2.0")
    assert sha256_of(small) == before
    published = fetched(hub, tmp_path / "fetched", "v1.2.0", "dataset")
    manifest = Manifest.read(published)
    assert manifest.version == "1.2.0"
    assert manifest.content_digest == Manifest.read(small).content_digest
    assert "**Version:** 1.2.0 (schema" in (published / "README.md").read_text("utf-8")
    assert check_folder(published, load=False).fine
    changed = {name for name, sha in sha256_of(published).items() if before[name] != sha}
    assert changed == {"README.md", "manifest.json"}
    assert run(hub, published, "v1.2.0").to_json()["state"] == "published already"


def test_another_version_of_the_same_rows_sends_no_data(hub: HubServer, small: Path) -> None:
    run(hub, small, "1.0.0")
    hub.log.clear()
    plan = run(hub, small, "1.0.1", go=False)
    changes = plan.to_json()["changes"]
    assert [change["path"] for change in changes] == ["README.md", "manifest.json"]
    run(hub, small, "1.0.1")
    assert hub.log.find("^PUT") == [] and tags(hub) == ["v1.0.0", "v1.0.1"]


def test_a_labeler_is_a_model(hub: HubServer, tmp_path: Path) -> None:
    folder = tmp_path / "labeler"
    shutil.copytree(builtin_folder(), folder)
    checked = check_folder(folder)
    if not checked.fine:
        pytest.skip(f"the builtin folder is no whole labeler: {checked.text()}")
    run(hub, folder, "2.0.0")
    published = fetched(hub, tmp_path / "fetched", "v2.0.0", "model")
    assert json.loads((published / "labeler.json").read_text("utf-8"))["version"] == "2.0.0"
    assert check_folder(published).fine
    assert "labeler.json sha256:" in hub.repo(REPO, "model").tag_messages["v2.0.0"]


SPACE = {
    "README.md": b"---\ntitle: Board\nlicense: apache-2.0\nsdk: static\n---\n# Board, not yet published\n",
    "index.html": b"<!doctype html><title>Board</title>",
    "manifest.json": b'{"artifact": "webfaq-domains-leaderboard", "version": null}',
    "submissions/one.json": b"{}",
}


def test_a_static_space(hub: HubServer, tmp_path: Path) -> None:
    run(hub, write_files(tmp_path / "space", SPACE), "0.1.0")
    assert hub.repo(REPO, "space").sdk == "static"
    seen = shown(hub, "v0.1.0", kind="space")
    assert set(seen) == set(SPACE) and b"# Board, 0.1.0" in seen["README.md"]
    assert json.loads(seen["manifest.json"])["version"] == "0.1.0"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"README.md": b"---\ntitle: B\nlicense: mit\nsdk: docker\n---\n"}, "only static Spaces"),
        ({"README.md": b"---\nsdk: static\n---\n"}, "its YAML has no title"),
        ({"README.md": SPACE["README.md"].replace(b"sdk", b"app_file: a.html\nsdk")}, "a.html"),
        ({"manifest.json": b"{"}, "is not JSON"),
        ({"manifest.json": b"[]"}, "is not a JSON object"),
    ],
)
def test_a_space_that_would_not_work(
    hub: HubServer, tmp_path: Path, changed: dict[str, bytes], told: str
) -> None:
    with pytest.raises(PublishError, match=told):
        run(hub, write_files(tmp_path / "space", {**SPACE, **changed}), "0.1.0")
    assert hub.log.find("^(POST|PUT)") == []


@pytest.mark.parametrize(
    ("card", "told"),
    [
        (b"\xef\xbb\xbf" + SPACE["README.md"], "line 1 starts with a byte order mark"),
        (SPACE["README.md"].replace(b"Board\n", b"Board: one\n", 1), "README.md line 2: its YAML"),
        (b"---\n- sdk\n- static\n---\n", "README.md line 2: its YAML is a list"),
        (b"---\ntitle: B\nsdk: 'static\n---\n", "README.md line 3: its YAML"),
    ],
)
def test_a_card_that_cannot_be_read_names_the_line(tmp_path: Path, card: bytes, told: str) -> None:
    files = {name: SPACE[name] for name in ("index.html", "submissions/one.json")}
    folder = write_files(tmp_path / "space", {**files, "README.md": card})
    with pytest.raises(StagedError, match=told):
        check_folder(folder)


def test_a_card_with_the_line_ends_of_windows_is_fine(hub: HubServer, tmp_path: Path) -> None:
    card = SPACE["README.md"].replace(b"\n", b"\r\n")
    run(hub, write_files(tmp_path / "space", {**SPACE, "README.md": card}), "0.1.0")
    assert hub.repo(REPO, "space").sdk == "static"


def test_a_plan_loads_no_config_and_says_so(
    hub: HubServer, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading takes most of the time, and publishing does it."""
    words = [small, "--repo", REPO, "--version", "1.0.0", "--create", "private"]
    planned = cli(hub, monkeypatch, *words)
    assert planned.exit_code == 0, planned.stderr
    assert "its configs were not loaded: --yes loads them first" in planned.stdout
    assert "load configs" not in planned.stderr


def test_the_kind_can_be_said(hub: HubServer, tmp_path: Path) -> None:
    run(hub, write_files(tmp_path / "space", SPACE), "1.0.0", kind="dataset")
    assert tags(hub, kind="dataset") == ["v1.0.0"]


@pytest.fixture
def space(tmp_path: Path) -> Path:
    return write_files(tmp_path / "space", SPACE)


def cli(hub: HubServer, monkeypatch: pytest.MonkeyPatch, *words: object) -> Result:
    """Run the command in this process, where the Hub's address was read at import."""
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.endpoint)
    monkeypatch.setenv("HF_TOKEN", hub.clients.token)
    return CliRunner().invoke(main, ["publish", *map(str, words)])


def test_the_command_in_a_process_of_its_own(hub: HubServer, space: Path) -> None:
    words = ["publish", space, "--repo", REPO, "--version", "1.0.0", "--create", "public", "--yes"]
    done = hub.clients.run(command(*words))
    assert done.returncode == 0, done.stderr
    assert "the space org/faq v1.0.0: published, commit " in done.stdout
    assert hub.clients.token not in done.stdout + done.stderr
    assert hub.log.leaks(hub.host, hub.clients.token) == []


def test_the_command_shows_the_plan_and_does_it_when_told(
    hub: HubServer, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [small, "--repo", REPO, "--version", "1.0.0", "--create", "private", "--no-load"]
    shown_plan = cli(hub, monkeypatch, *words)
    assert shown_plan.exit_code == 0, shown_plan.stderr
    assert "the dataset org/faq, tag v1.0.0, on top of nothing yet" in shown_plan.stdout
    assert "the repository will be made, private" in shown_plan.stdout
    assert "nothing was changed; add --yes to publish" in shown_plan.stdout
    assert hub.log.find("^(POST|PUT)") == []
    done = cli(hub, monkeypatch, *words, "--yes", "--json", "--message", "The first")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["state"], found["tag"]) == ("published", "v1.0.0")
    repo = hub.repo(REPO)
    assert repo.commits[found["sha"]].title == "The first"
    assert repo.refs["refs/tags/v1.0.0"] == repo.refs["refs/heads/main"] == found["sha"]
    for said in (shown_plan, done):
        assert hub.clients.token not in said.stdout + said.stderr


def test_the_command_says_what_is_wrong_in_one_line(
    hub: HubServer, space: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = cli(hub, monkeypatch, space, "--repo", REPO, "--version", "1.0.0", "--yes")
    assert done.exit_code == 1 and done.stdout == ""
    assert done.stderr.startswith("Error: the space org/faq is not on the Hub")
    assert "Traceback" not in done.stderr and hub.clients.token not in done.stderr
