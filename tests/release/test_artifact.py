"""Every kind of artifact answers the same questions, in a folder and on the Hub."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hubserver import HubServer
from publishing import write_files

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.kinds import Kind
from webfaq_domains.labelers.load import builtin_folder
from webfaq_domains.release.data import DataSet
from webfaq_domains.release.kinds import open_artifact
from webfaq_domains.release.semver import Version

SPACE = {
    "README.md": b"---\ntitle: Board\nlicense: mit\nsdk: static\n---\n# Board, not yet published\n",
    "index.html": b"<p>one</p>",
}


@pytest.fixture
def space(tmp_path: Path) -> Path:
    return write_files(tmp_path / "space", SPACE)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return write_files(tmp_path / "plain", {"README.md": b"# Notes", "a.txt": b"x"})


@pytest.mark.parametrize(
    ("name", "kind", "repo_type", "described_in", "others"),
    [
        ("small", Kind.PAIRS, "dataset", "manifest.json", {"taxonomy.toml"}),
        ("builtin", Kind.LABELER, "model", "labeler.json", {"model.ftz", "measured.json"}),
        ("space", Kind.SPACE, "space", None, {"index.html"}),
        ("plain", Kind.FILES, "dataset", None, {"a.txt"}),
    ],
)
def test_each_kind_says_what_it_is(
    request: pytest.FixtureRequest, name: str, kind: Kind, repo_type: str,
    described_in: str | None, others: set[str],
) -> None:  # fmt: skip
    folder = builtin_folder() if name == "builtin" else request.getfixturevalue(name)
    artifact = open_artifact(folder)
    assert (artifact.kind, artifact.repo_type) == (kind, repo_type)
    assert artifact.described_in == described_in
    assert artifact.other_paths() >= others and "README.md" not in artifact.other_paths()
    assert (artifact.rows is None) == (not isinstance(artifact, DataSet))
    assert artifact.version is None
    assert all(len(sha256) == 64 for sha256 in artifact.pinned_files.values())


def test_the_version_is_written_where_it_belongs(small: Path, space: Path) -> None:
    for folder, names in (
        (small, {"README.md", "manifest.json"}),
        (builtin_folder(), {"labeler.json"}),
        (space, {"README.md"}),
    ):
        artifact = open_artifact(folder)
        versioned = artifact.versioned_files("3.2.1")
        assert versioned.keys() == names
        assert b"3.2.1" in b"".join(versioned.values())
        if artifact.described_in is not None:
            described = json.loads(versioned[artifact.described_in])
            assert described == {**artifact.description, "version": "3.2.1"}


def test_files_without_a_description_are_refused_by_check(plain: Path) -> None:
    with pytest.raises(StagedError, match="it is not a staged folder"):
        open_artifact(plain).check()


def test_a_tag_says_the_version_before_the_description(
    hub: HubServer, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the Hub, where the same questions get the same answers."""
    files = {
        path.relative_to(small).as_posix(): path for path in small.rglob("*") if path.is_file()
    }
    hub.publish("org/faq", {name: path.read_bytes() for name, path in files.items()}, tag="v2.0.0")
    said = hub.clients.json(
        """
import json
from webfaq_domains.release.kinds import open_artifact
met = open_artifact("org/faq")
checked = met.check(load=False, quiet=True)
print(json.dumps([str(met.version), met.kind.value, met.rows, checked.fine]))
"""
    )
    here = open_artifact(small)
    assert said == [str(Version(2, 0, 0)), here.kind.value, here.rows, True]
