"""What a user loads of a published retrieval repository is what was staged."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hubserver import HubServer
from toybuild import Toy
from webfaq_domains.builders.retrieval import RetrievalOptions, build

from webfaq_domains.ground.manifest import Manifest
from webfaq_domains.ground.records import to_json
from webfaq_domains.release.publish import PublishOptions, publish_folder
from webfaq_domains.retrieval.layout import Place

REPO, TAG = "org/faq-retrieval", "v0.1.0"
SPLIT = '[about]\nlicense = "apache-2.0"\n[split]\nvalidation = 0.02\ntest = 0.95\n'
READ = """
import json, sys
from pathlib import Path
from datasets import load_dataset
from huggingface_hub import snapshot_download
from webfaq_domains.release.check import check_folder
from webfaq_domains.ground.schema import combined
from webfaq_domains.retrieval.layout import Place, table_digest

asked = json.loads(sys.argv[1])
repo, tag = asked["repo"], asked["tag"]
folder = snapshot_download(repo, repo_type="dataset", revision=tag)

def digest(streaming):
    found = []
    for config, split, path in asked["whole"]:
        rows = load_dataset(repo, config, revision=tag, split=split, streaming=streaming)
        rows = rows.with_format("arrow")
        place = Place.of_path(path)
        batches = rows.iter(batch_size=20) if streaming else [rows[:]]
        found += [table_digest(place, batch) for batch in batches]
    return combined(found)

config, split = asked["domain"]
met = {
    "check": check_folder(Path(folder), load=False, quiet=True).text(),
    "digest": digest(False), "streaming": digest(True),
    "domain": load_dataset(repo, config, revision=tag, split=split).to_list(),
}
print(json.dumps(met))
"""


@dataclass(frozen=True)
class Story:
    """A staged folder, what of it was read, and what a user of the Hub met."""

    folder: Path
    domain: dict[str, Any]
    met: dict[str, Any]
    hub: HubServer

    @property
    def manifest(self) -> Manifest:
        return Manifest.read(self.folder)


def whole_configs(manifest: Manifest) -> list[tuple[str, str, str]]:
    """Return (config, split, file) of the configs that hold every row of every table once."""
    found: dict[Place, tuple[str, str, str]] = {}
    for subset in to_json(manifest.retrieval.subsets):
        if subset["domain"] is None:
            for part, read in subset["read"].items():
                again = "_dup" if part == "qrels" and subset["duplicates"] else ""
                (path,) = read["files"]
                config = f"{subset['name']}-{part}{again}"
                found.setdefault(Place.of_path(path), (config, subset["split"], path))
    assert {path for _, _, path in found.values()} == {file.path for file in manifest.files}
    return list(found.values())


@pytest.fixture(scope="module")
def story(
    toy: Toy, make_hub: Callable[[], HubServer], tmp_path_factory: pytest.TempPathFactory
) -> Story:
    base, hub = tmp_path_factory.mktemp("retrieval-release"), make_hub()
    (base / "split.toml").write_text(SPLIT, "utf-8")
    pairs = toy.build(base / "faq", recipe=base / "split.toml", languages=("eng",)).out
    folder = build(RetrievalOptions(pairs, base / "out", min_queries=4)).out
    options = PublishOptions(REPO, TAG, create="private", load=False, quiet=True)
    publish_folder(folder, options, go=True, api=hub.clients.api())
    manifest = Manifest.read(folder)
    subsets = to_json(manifest.retrieval.subsets)
    domain = next(subset for subset in subsets if subset["domain"] and subset["pool"] == "domain")
    asked = {
        "repo": REPO, "tag": TAG, "whole": whole_configs(manifest),
        "domain": [f"{domain['name']}-corpus", domain["split"]],
    }  # fmt: skip
    return Story(folder, domain, hub.clients.json(READ, json.dumps(asked)), hub)


def test_whole_and_streaming_give_the_content_digest(story: Story) -> None:
    digest = story.manifest.content_digest
    assert (story.met["digest"], story.met["streaming"]) == (digest, digest)


def test_a_domains_pool_is_filtered_alike_from_the_hub(story: Story) -> None:
    read = story.domain["read"]["corpus"]
    filters = [tuple(condition) for condition in read["filters"]]
    (path,) = read["files"]
    here = pq.read_table(story.folder / path, filters=filters).to_pylist()
    assert 0 < len(here) == story.domain["corpus"] < pq.read_metadata(story.folder / path).num_rows
    assert story.met["domain"] == here


def test_the_snapshot_passes_the_check(story: Story) -> None:
    assert (
        f": fine ({len(story.manifest.files)} files, {story.manifest.rows} rows"
        in (story.met["check"])
    )


@pytest.mark.needs("mteb")
def test_mtebs_loader_reads_it_from_the_hub(story: Story) -> None:
    code = """
import json, sys
from mteb.abstasks.retrieval_dataset_loaders import RetrievalDatasetLoader
repo, tag, config, split = json.loads(sys.argv[1])
loaded = RetrievalDatasetLoader(repo, tag, split=split, config=config).load()
print(json.dumps([len(loaded[part]) for part in ("corpus", "queries", "relevant_docs")]))
"""
    name, split = story.domain["name"], story.domain["split"]
    met = story.hub.clients.json(code, json.dumps([REPO, TAG, name, split]))
    assert met == [story.domain["corpus"], story.domain["queries"], story.domain["queries"]]
    assert story.hub.unserved == []
    assert story.hub.log.leaks(story.hub.host, story.hub.writer.value) == []
