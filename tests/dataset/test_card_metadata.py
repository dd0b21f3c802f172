"""The YAML of every card: the Hub's own check, the values it knows, and what Croissant makes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hubserver import HubServer

from webfaq_domains.ground.manifest import Manifest
from webfaq_domains.labelers.load import builtin_folder
from webfaq_domains.release.check import check_folder

VALIDATE = """
import json, sys
from huggingface_hub import DatasetCard, ModelCard, SpaceCard

kinds = {"dataset": DatasetCard, "model": ModelCard, "space": SpaceCard}
met = {}
for name, (kind, path) in json.loads(sys.argv[1]).items():
    try:
        kinds[kind].load(path).validate(repo_type=kind)
        met[name] = "valid"
    except ValueError as error:
        met[name] = str(error)
print(json.dumps(met))
"""

#: What the Hub's specification of dataset cards (hub-docs, `datasetcard.md`) allows.
ALLOWED = {
    "annotations_creators": {"crowdsourced", "found", "expert-generated", "machine-generated"},
    "language_creators": {"crowdsourced", "found", "expert-generated", "machine-generated"},
    "multilinguality": {"monolingual", "multilingual", "translation"},
    "source_datasets": {"original", "extended"},
    "task_categories": {"question-answering", "text-retrieval", "text-classification"},
    "task_ids": {"document-retrieval", "topic-classification"},
    "size_categories": {"n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M"},
}
LICENSES = {"apache-2.0", "cc-by-4.0", "cc-by-sa-4.0", "other"}
COLORS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


class _Strict(yaml.SafeLoader):
    """Reads YAML and refuses a key that is there twice, of which plain readers keep the last."""


def _mapping(loader: _Strict, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    assert len(set(keys)) == len(keys), f"a key is there twice: {keys}"
    return loader.construct_mapping(node, deep=True)


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def front_matter(path: Path) -> dict[str, Any]:
    """Return the YAML of a card."""
    text = path.read_text("utf-8")
    assert text.startswith("---\n")
    found: dict[str, Any] = yaml.load(text.split("\n---\n")[0][4:], _Strict)
    return found


@pytest.fixture(scope="module")
def cards(small: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, Path]]:
    """The card of each kind of repository, rendered where it is a template."""
    place = tmp_path_factory.mktemp("cards")
    space, teacher = place / "space", place / "teacher"
    for folder, name in ((space, "webfaq-domains-leaderboard"), (teacher, "webfaq-domain-labeler")):
        folder.mkdir()
        text = files("webfaq_domains.cards").joinpath(f"{name}.md").read_text("utf-8")
        text = text.replace("$language_yaml", "- deu\n- eng")
        (folder / "README.md").write_text(text, "utf-8")
    return {
        "dataset": ("dataset", small / "README.md"),
        "student": ("model", builtin_folder() / "README.md"),
        "teacher": ("model", teacher / "README.md"),
        "space": ("space", space / "README.md"),
    }


@pytest.fixture(scope="module")
def validated(
    cards: dict[str, tuple[str, Path]], make_hub: Callable[[], HubServer]
) -> dict[str, dict[str, str]]:
    """What huggingface_hub says of the cards, where the Hub has no complaint and where it has one."""
    hub = make_hub()
    asked = json.dumps({name: (kind, str(path)) for name, (kind, path) in cards.items()})
    met = {"fine": hub.clients.json(VALIDATE, asked)}
    sent = hub.log.find("POST /api/validate-yaml")
    assert [json.loads(entry.body)["repoType"] for entry in sent] == [
        kind for kind, _ in cards.values()
    ]
    hub.settings.yaml_errors.append("license must be one of a list")
    met["refused"] = hub.clients.json(VALIDATE, asked)
    return met


def test_huggingface_hubs_own_validation_accepts_every_card(
    validated: dict[str, dict[str, str]], cards: dict[str, tuple[str, Path]]
) -> None:
    assert validated["fine"] == dict.fromkeys(cards, "valid")
    assert all("license must be one of" in text for text in validated["refused"].values())


def test_the_values_of_the_dataset_card_are_those_the_hub_knows(
    cards: dict[str, tuple[str, Path]],
) -> None:
    data = front_matter(cards["dataset"][1])
    assert data["license"] in LICENSES
    assert all(re.fullmatch("[a-z]{3}", code) for code in data["language"])
    for key, allowed in ALLOWED.items():
        assert data[key] and set(data[key]) <= allowed, key
    assert sum(config.get("default", False) for config in data["configs"]) == 1
    names = [config["config_name"] for config in data["configs"]]
    assert {info["config_name"] for info in data["dataset_info"]} <= set(names)
    for config in data["configs"]:
        for entry in config["data_files"]:
            assert re.fullmatch(r"\w+", entry["split"])


@pytest.mark.parametrize("name", ["student", "teacher"])
def test_the_values_of_a_labelers_card_are_those_the_hub_knows(
    cards: dict[str, tuple[str, Path]], name: str
) -> None:
    data = front_matter(cards[name][1])
    assert data["library_name"] == {"student": "fasttext", "teacher": "setfit"}[name]
    assert data["pipeline_tag"] == "text-classification"
    assert data["license"] in LICENSES
    assert all(re.fullmatch("[a-z]{2,3}", code) for code in data["language"])
    assert data["metrics"] and data["tags"]


def test_the_leaderboards_card_makes_a_static_space(cards: dict[str, tuple[str, Path]]) -> None:
    folder = cards["space"][1].parent
    data = front_matter(folder / "README.md")
    assert (data["sdk"], data["app_file"], data["license"]) == (
        "static",
        "index.html",
        "apache-2.0",
    )
    assert {data["colorFrom"], data["colorTo"]} <= COLORS
    assert len(data["short_description"]) <= 60
    assert not data["emoji"].isascii()
    assert [problem.place for problem in check_folder(folder).problems] == ["index.html"]
    (folder / "index.html").write_text("<!doctype html><title>x</title>", "utf-8")
    assert check_folder(folder).fine


def test_the_strict_reader_refuses_a_key_twice() -> None:
    with pytest.raises(AssertionError, match="twice"):
        yaml.load("license: a\nlicense: b", _Strict)


def croissant(folder: Path) -> dict[str, Any]:
    """Return JSON-LD as the Hub makes it of a data set: one FileSet and one RecordSet per config.

    The fields are those of the Parquet files; license, description and keywords those of the card.
    """
    import mlcroissant as mlc

    data = front_matter(folder / "README.md")
    manifest = Manifest.read(folder)
    schema = pq.read_schema(folder / manifest.files[0].path)
    record_sets, distribution = [], []
    for config in data["configs"]:
        name = config["config_name"]
        globs = [entry["path"] for entry in config["data_files"]]
        fields = [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{column.name}",
                "dataType": "sc:Float" if pa.types.is_floating(column.type) else "sc:Text",
                "repeated": pa.types.is_list(column.type),
                "source": {
                    "fileSet": {"@id": f"parquet-{name}"},
                    "extract": {"column": column.name},
                },
            }
            for column in schema
        ]
        record_sets.append({"@type": "cr:RecordSet", "@id": name, "name": name, "field": fields})
        distribution.append(
            {
                "@type": "cr:FileSet",
                "@id": f"parquet-{name}",
                "containedIn": {"@id": "repo"},
                "encodingFormat": "application/x-parquet",
                "includes": globs,
            }
        )
    repo = {
        "@type": "cr:FileObject",
        "@id": "repo",
        "contentUrl": "https://huggingface.co/datasets/org/faq/tree/refs%2Fconvert%2Fparquet",
        "encodingFormat": "git+https",
        "sha256": "https://github.com/mlcommons/croissant/issues/80",
    }
    description = (folder / "README.md").read_text("utf-8").split("\n---\n")[1].split("\n\n")[1]
    return {
        "@context": mlc.Rdf().context,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "faq",
        "description": description,
        "license": f"https://choosealicense.com/licenses/{data['license']}/",
        "keywords": [*data["task_categories"], *data["language"], *data["tags"]],
        "url": "https://huggingface.co/datasets/org/faq",
        "distribution": [repo, *distribution],
        "recordSet": record_sets,
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's, which mlcroissant meets
def test_mlcroissant_reads_the_rows_through_the_cards_configs(small: Path) -> None:
    mlc = pytest.importorskip("mlcroissant", reason="pip install mlcroissant")
    described = mlc.Dataset(croissant(small), mapping={"repo": str(small)})
    metadata = described.metadata
    assert list(metadata.ctx.issues.errors) == []
    assert metadata.license == ["https://choosealicense.com/licenses/apache-2.0/"]
    assert {"eng", "rus", "faq", "text-retrieval"} <= set(metadata.keywords)
    assert metadata.description.startswith(f"{Manifest.read(small).rows} question/answer pairs")
    rows = list(described.records("eng-education"))
    assert {row["eng-education/language"] for row in rows} == {b"eng"}
    assert {row["eng-education/id"].decode() for row in rows} == {
        id_
        for path in small.glob("data/education/eng/*.parquet")
        for id_ in pq.read_table(path, columns=["id"])["id"].to_pylist()
    }
