"""`versions`, and `diff` of what is on a Hub: resolved once, and no more read than is needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hubserver import Fault, HubServer
from hubserver.requestlog import RequestLog
from revised import revise, rows_of

from webfaq_domains.ground.manifest import Manifest
from webfaq_domains.labelers.load import builtin_folder
from webfaq_domains.release.diff import diff
from webfaq_domains.release.publish import PublishOptions, publish_folder

REPO, MODEL, SPACE = "org/faq", "org/labeler", "org/board"
RUN = """
import json, sys
from click.testing import CliRunner
from webfaq_domains.cli import main

def run(arguments):
    done = CliRunner().invoke(main, arguments)
    return {"exit": done.exit_code, "out": done.stdout, "err": done.stderr}

print(json.dumps({name: run(line.split()) for name, line in json.loads(sys.argv[1]).items()}))
"""


@dataclass(frozen=True)
class Story:
    """A Hub with releases, and what the commands said of them."""

    hub: HubServer
    first: Path
    second: Path
    said: dict[str, Any]
    requests: dict[str, RequestLog]

    def json(self, name: str) -> Any:
        met = self.said[name]
        assert met["exit"] == 0, met["err"]
        return json.loads(met["out"])


@pytest.fixture(scope="module")
def story(
    small: Path, make_hub: Callable[[], HubServer], tmp_path_factory: pytest.TempPathFactory
) -> Story:
    hub, place = make_hub(), tmp_path_factory.mktemp("releases")
    second = revise(small, place / "second", lambda rows: rows[2:])
    for folder, version in ((small, "1.0.0"), (second, "1.1.0")):
        options = PublishOptions(REPO, version, create="public", load=False, quiet=True)
        publish_folder(folder, options, go=True, api=hub.clients.api())
    options = PublishOptions(MODEL, "1.0.0", create="public", load=False, quiet=True)
    publish_folder(builtin_folder(), options, go=True, api=hub.clients.api())
    page = {"README.md": b"---\ntitle: Board\nsdk: static\n---\n", "index.html": b"<p>one</p>"}
    hub.publish(SPACE, page, kind="space", tag="v1.0.0")
    hub.publish(SPACE, {"index.html": b"<p>two</p>", "app.js": b"1"}, kind="space", tag="v1.1.0")
    hub.publish(REPO, {"notes.txt": b"after the releases"}, tag="old-name")
    hub.publish("org/plain", {"README.md": b"---\nlicense: mit\n---\n"})
    lines = {
        "dataset": f"versions {REPO} --json",
        "text": f"versions {REPO}",
        "model": f"versions {MODEL} --json",
        "space": f"versions spaces/{SPACE} --json",
        "none": "versions org/plain",
        "unknown": "versions org/nothing",
        "no name": "versions org/faq@v1.0.0",
        "diff": f"diff {REPO}@v1.0.0 {REPO}@v1.1.0 --json",
        "to folder": f"diff datasets/{REPO}@v1.0.0 {second} --json",
        "same": f"diff {REPO}@v1.0.0 {small} --json",
        "labeler": f"diff {MODEL}@v1.0.0 {builtin_folder()} --json",
        "pages": f"diff {SPACE}@v1.0.0 {SPACE}@v1.1.0 --json",
        "no revision": f"diff {REPO}@v9.9.9 {small}",
    }
    said, requests = {}, {}
    for names in (["diff"], [name for name in lines if name != "diff"]):
        hub.log.take()
        asked = {name: lines[name] for name in names}
        said.update(hub.clients.json(RUN, json.dumps(asked)))
        requests[names[0]] = hub.log.take()
    return Story(hub, small, second, said, requests)


def test_versions_lists_tags_commits_dates_and_rows(story: Story) -> None:
    found = story.json("dataset")
    assert (found["kind"], found["repo"]) == ("dataset", REPO)
    assert [release["tag"] for release in found["versions"]] == ["v1.1.0", "v1.0.0", "old-name"]
    refs = story.hub.repo(REPO).refs
    for release, folder in zip(found["versions"], (story.second, story.first), strict=False):
        assert release["sha"] == refs[f"refs/tags/{release['tag']}"]
        assert release["rows"] == Manifest.read(folder).rows
        assert release["date"].startswith("2026-01-01T00:")
    changes = found["versions"][0]["changes"]
    assert "rows -2" in changes
    assert any(line.startswith("changed") for line in changes)
    assert found["versions"][1]["changes"] == []


def test_versions_is_shown_as_text(story: Story) -> None:
    lines = story.said["text"]["out"].splitlines()
    sha = story.hub.repo(REPO).refs["refs/tags/v1.1.0"]
    assert lines[0] == f"dataset {REPO}"
    rows = Manifest.read(story.second).rows
    assert lines[1].split() == ["v1.1.0", sha[:12], "2026-01-01", str(rows), "rows"]
    assert lines[2].strip() == "rows -2"


def test_models_and_spaces_have_versions_too(story: Story) -> None:
    (release,) = story.json("model")["versions"]
    assert (release["tag"], release["rows"], release["changes"]) == ("v1.0.0", None, [])
    new, old = story.json("space")["versions"]
    assert (new["tag"], old["tag"]) == ("v1.1.0", "v1.0.0")
    assert new["changes"] == ["+ app.js", "changed: index.html"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "unknown",
            "there is no dataset, model or Space org/nothing on the Hub, or it is private",
        ),
        ("no name", "org/faq@v1.0.0: expected a repository org/name"),
        (
            "no revision",
            "org/faq has no revision 'v9.9.9'; list them with `webfaq-domains versions",
        ),
    ],
)
def test_what_is_not_there_is_said_in_one_line(story: Story, name: str, text: str) -> None:
    met = story.said[name]
    assert (met["exit"], met["out"]) == (1, "")
    assert met["err"].startswith("Error: ") and text in met["err"]
    assert len(met["err"].splitlines()) == 1


def test_a_repository_without_a_tag_says_so(story: Story) -> None:
    assert story.said["none"]["out"] == "the dataset org/plain has no version yet\n"


def test_a_diff_of_two_revisions_is_that_of_the_folders(story: Story) -> None:
    here = diff(str(story.first), str(story.second), quiet=True).to_json()
    for name in ("diff", "to folder"):
        met = story.json(name)
        assert met["rows"] == here["rows"]
        assert sum(entry["rows"] for entry in met["rows"]["removed"]) == 2
        assert (met["level"], met["version"], met["suggested"]) == ("minor", "1.0.0", "1.1.0")


def test_a_release_does_not_differ_from_its_folder(story: Story) -> None:
    for name in ("same", "labeler"):
        met = story.json(name)
        assert (met["level"], met["suggested"]) == ("none", None), met


def test_spaces_are_compared_file_by_file(story: Story) -> None:
    met = story.json("pages")
    assert (met["kind"], met["level"]) == ("space", "minor")
    assert met["files"] == ["+ app.js", "index.html differs"]


def test_only_files_that_differ_are_read(story: Story) -> None:
    """And only by ranges: a data file is never fetched whole."""
    one, other = Manifest.read(story.first), Manifest.read(story.second)
    both = {(file.path, file.sha256) for file in one.files} & {
        (file.path, file.sha256) for file in other.files
    }
    differing = {file.path for file in (*one.files, *other.files)} - {path for path, _ in both}
    gone = {row["id"] for row in rows_of(story.first)} - {
        row["id"] for row in rows_of(story.second)
    }
    assert len(gone) == 2 and len(differing) <= 2
    downloads = story.requests["diff"].find(r"^GET .*/data/.*\.parquet")
    assert {entry.path.partition("/data/")[2] for entry in downloads} == {
        path.removeprefix("data/") for path in differing
    }
    assert all("range" in entry.headers for entry in downloads)


@pytest.mark.parametrize("kind", ["503", "reset", "truncated"])
def test_a_fault_while_reading_is_mended_or_told_in_one_line(
    story: Story, small: Path, kind: str
) -> None:
    """A wrong count is worse than none: the result is the right one, or there is none."""
    story.hub.faults.add(Fault(kind, when=r"GET .*\.parquet"))
    line = f"diff {REPO}@v1.1.0 {small} --json"
    try:
        met = story.hub.clients.json(RUN, json.dumps({"diff": line}))["diff"]
    finally:
        story.hub.faults.clear()
    assert story.hub.faults.fired[-1][1].kind == kind
    if met["exit"]:
        assert f"{REPO}@" in met["err"] and len(met["err"].splitlines()) == 1
    else:
        added = json.loads(met["out"])["rows"]["added"]
        assert sum(entry["rows"] for entry in added) == 2


def test_nothing_went_wrong_on_the_wire(story: Story) -> None:
    assert story.hub.unserved == []
    assert story.hub.log.leaks(story.hub.host, story.hub.writer.value) == []
