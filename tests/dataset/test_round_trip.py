"""What a user loads from the Hub, whole, streaming or offline, is what was staged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hubserver import HubServer
from revised import Rows, revise, rows_of

from webfaq_domains.dataset.layout import Config, configs_of
from webfaq_domains.ground.hub import links_to_blob
from webfaq_domains.ground.manifest import Manifest
from webfaq_domains.ground.schema import combined, rows_digest
from webfaq_domains.labelers.load import builtin_folder
from webfaq_domains.release.check import check_folder
from webfaq_domains.release.publish import PublishOptions, publish_folder
from webfaq_domains.release.remove import remove_rows
from webfaq_domains.steps.remove import Requests

REPO, MODEL = "org/faq", "org/faq-labeler"
READ = """
import json, sys
from pathlib import Path
from datasets import load_dataset
from huggingface_hub import snapshot_download
from webfaq_domains.release.check import check_folder
from webfaq_domains.ground.schema import combined, rows_digest
from webfaq_domains.labelers.load import load_labeler

def whole(*where, **how):
    splits = load_dataset(*where, **how).values()
    return combined(rows_digest(rows.with_format("arrow")[:]) for rows in splits)

def flowing(*where, **how):
    splits = load_dataset(*where, streaming=True, **how).values()
    return combined(
        rows_digest(batch)
        for rows in splits for batch in rows.with_format("arrow").iter(batch_size=50)
    )

asked, met = json.loads(sys.argv[1]), {}
for tag in asked["tags"]:
    folder = snapshot_download("org/faq", repo_type="dataset", revision=tag)
    met[tag] = {"check": check_folder(Path(folder), load=False).text(), "folder": folder}
    for config in asked["configs"]:
        ways = {"snapshot": whole(folder, config), "snapshot streaming": flowing(folder, config)}
        if asked["online"]:
            ways["whole"] = whole("org/faq", config, revision=tag)
            ways["streaming"] = flowing("org/faq", config, revision=tag)
        met[tag][config] = ways
labeler = snapshot_download("org/faq-labeler", revision="v1.0.0")
met["labeler"] = {
    "check": check_folder(Path(labeler)).text(), "folder": labeler,
    "label": load_labeler(labeler).probabilities(["Where is my order?"]).tolist(),
}
if asked["online"]:
    local = snapshot_download("org/faq", repo_type="dataset", revision="v1.0.0", local_dir="local")
    met["local"] = check_folder(Path(local), load=False).text()
print(json.dumps(met))
"""


@dataclass(frozen=True)
class Story:
    """Two versions of a data set and a labeler on a Hub, and what a user met of them."""

    hub: HubServer
    folders: dict[str, Path]
    configs: list[str]
    online: dict[str, Any]
    offline: dict[str, Any]
    requests_offline: int


def two_domains(rows: Rows) -> Rows:
    """Keep few files: each costs every way of loading some requests."""
    return [row for row in rows if row["domain"] in ("education", "health")]


def publish(hub: HubServer, folder: Path, repo: str, version: str, kind: str) -> None:
    api = hub.clients.api()
    api.create_repo(repo, repo_type=kind, exist_ok=True, space_sdk=None)
    options = PublishOptions(repo, version, kind, load=False, quiet=True)
    publish_folder(folder, options, go=True, api=api)


@pytest.fixture(scope="module")
def story(
    small: Path, make_hub: Callable[[], HubServer], tmp_path_factory: pytest.TempPathFactory
) -> Story:
    hub, place = make_hub(), tmp_path_factory.mktemp("versions")
    first = revise(small, place / "first", two_domains)
    remove_rows(first, place / "second", Requests.of([], [], [rows_of(first)[0]["id"]]), quiet=True)
    folders = {"v1.0.0": first, "v1.1.0": place / "second"}
    for tag, folder in folders.items():
        publish(hub, folder, REPO, tag, "dataset")
    publish(hub, builtin_folder(), MODEL, "1.0.0", "model")
    configs = ["default", "eng-education"]
    asked = {"tags": list(folders), "configs": configs, "online": True}
    online = hub.clients.json(READ, json.dumps(asked))
    before = len(hub.log.entries)
    offline = hub.clients.json(
        READ, json.dumps({**asked, "online": False}), HF_HUB_OFFLINE="1",
        HF_DATASETS_CACHE=str(place / "datasets"),
    )  # fmt: skip
    return Story(hub, folders, configs, online, offline, len(hub.log.entries) - before)


def config_of(folder: Path, name: str) -> Config:
    manifest = Manifest.read(folder)
    planned = configs_of(manifest)
    return next(config for config in planned if config.name == name)


def digest_of(folder: Path, config: Config) -> str:
    paths = (path for pattern in config.paths.values() for path in folder.glob(pattern))
    return combined(rows_digest(pq.read_table(path)) for path in paths)


@pytest.mark.parametrize("tag", ["v1.0.0", "v1.1.0"])
@pytest.mark.parametrize("network", ["online", "offline"])
def test_every_way_gives_the_rows_of_the_folder(story: Story, tag: str, network: str) -> None:
    met, folder = getattr(story, network)[tag], story.folders[tag]
    ways = ["snapshot", "snapshot streaming"]
    ways += ["whole", "streaming"] * (network == "online")
    for config in story.configs:
        digest = digest_of(folder, config_of(folder, config))
        assert met[config] == dict.fromkeys(ways, digest), config
    assert met["default"]["snapshot"] == Manifest.read(folder).content_digest


def test_the_two_versions_differ(story: Story) -> None:
    assert story.online["v1.0.0"]["default"] != story.online["v1.1.0"]["default"]


def test_offline_means_no_request(story: Story) -> None:
    assert story.requests_offline == 0


def test_a_snapshot_in_the_cache_passes_the_check(story: Story) -> None:
    """Its files are links into the cache of the repository."""
    for met in (story.online, story.offline):
        for tag, folder in story.folders.items():
            manifest = Manifest.read(folder)
            counted = f"{len(manifest.files)} files, {manifest.rows} rows"
            assert met[tag]["check"].endswith(f": fine ({counted}, 0 configs loaded)")
            readme = Path(met[tag]["folder"]) / "README.md"
            assert readme.is_symlink()
        assert ": fine (" in met["labeler"]["check"]
    assert ": fine (" in story.online["local"]


def test_a_labeler_from_the_hub_labels_as_it_did(story: Story) -> None:
    from webfaq_domains.labelers.load import load_labeler

    here = load_labeler("builtin").probabilities(["Where is my order?"]).tolist()
    assert story.online["labeler"]["label"] == story.offline["labeler"]["label"] == here


def test_nothing_went_wrong_on_the_wire(story: Story) -> None:
    assert story.hub.unserved == []
    assert story.hub.log.leaks(story.hub.host, story.hub.writer.value) == []


@pytest.fixture
def snapshot(story: Story, tmp_path: Path) -> Path:
    """A copy of the cache of the repository, to be tampered with; the folder of its first version."""
    folder = Path(story.online["v1.0.0"]["folder"])
    copy = shutil.copytree(folder.parents[1], tmp_path / folder.parents[1].name, symlinks=True)
    return Path(copy, *folder.parts[-2:])


def said(folder: Path) -> dict[str, str]:
    return {problem.place: problem.what for problem in check_folder(folder, load=False).problems}


def test_a_copied_cache_passes(snapshot: Path) -> None:
    assert said(snapshot) == {}


@pytest.mark.parametrize(
    "target", ["/etc/hostname", "../../../other", "../../refs/v1.0.0", "../../blobs", "nowhere"]
)
def test_a_link_that_leads_elsewhere_is_refused(snapshot: Path, target: str) -> None:
    (snapshot.parents[2] / "other").write_text("not of this repository")
    (snapshot / "notes").symlink_to(target)
    assert said(snapshot) == {"notes": "a symbolic link"}


def test_a_blob_of_another_repository_is_refused(snapshot: Path) -> None:
    """Neither a blobs folder that is a link itself nor another repository's."""
    link = snapshot / "README.md"
    blob = link.resolve()
    other = snapshot.parents[2] / "datasets--org--other" / "blobs"
    other.mkdir(parents=True)
    shutil.copy(blob, other / blob.name)
    link.unlink()
    link.symlink_to(other / blob.name)
    assert said(snapshot)["README.md"] == "a symbolic link"
    shutil.move(snapshot.parents[1] / "blobs", snapshot.parents[2] / "moved")
    (snapshot.parents[1] / "blobs").symlink_to(snapshot.parents[2] / "moved")
    assert set(said(snapshot).values()) == {"a symbolic link"}


def test_a_folder_that_is_no_cache_has_no_blobs(tmp_path: Path) -> None:
    for place in ("snapshots/x", "datasets--a--b/other/x"):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        blobs = folder.parents[1] / "blobs"
        blobs.mkdir(exist_ok=True)
        (blobs / ("0" * 40)).write_text("x")
        (folder / "file").symlink_to(blobs / ("0" * 40))
        assert not links_to_blob(folder, folder / "file")


def test_a_labeler_with_a_link_that_leaves_it_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(builtin_folder(), tmp_path / "labeler"))
    (folder / "README.md").rename(tmp_path / "README.md")
    (folder / "README.md").symlink_to(tmp_path / "README.md")
    assert said(folder) == {"README.md": "a symbolic link"}
