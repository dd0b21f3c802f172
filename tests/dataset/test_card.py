"""The card: every section filled, every number from the manifest, YAML that the Hub reads."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml
from huggingface_hub import DatasetCard
from msgspec.structs import replace
from toybuild import GOLDEN

from webfaq_domains.dataset.card import render_card, size_category, table
from webfaq_domains.dataset.layout import Cell, plan_configs
from webfaq_domains.ground.manifest import Manifest
from webfaq_domains.ground.taxonomy import builtin_taxonomy

#: The sections of huggingface_hub's template (`datasetcard_template.md`) that cannot be left out.
SECTIONS = [
    "Dataset Description",
    "Dataset Sources",
    "Uses",
    "Direct Use",
    "Out-of-Scope Use",
    "Dataset Structure",
    "Dataset Creation",
    "Curation Rationale",
    "Source Data",
    "Data Collection and Processing",
    "Who are the source data producers?",
    "Annotations",
    "Annotation process",
    "Who are the annotators?",
    "Personal and Sensitive Information",
    "Bias, Risks, and Limitations",
    "Recommendations",
    "Citation",
    "Glossary",
    "Dataset Card Contact",
]


@pytest.fixture(scope="module")
def card(built: Path) -> str:
    return (built / "README.md").read_text("utf-8")


def test_every_section_of_the_hubs_template_is_filled(card: str) -> None:
    parts = re.split(r"^#{1,4} (.+)$", re.sub(r"```.*?```", "code", card, flags=re.S), flags=re.M)
    met = dict(zip(parts[1::2], (text.strip() for text in parts[2::2]), strict=True))
    assert [name for name in SECTIONS if name not in met] == []
    parents = {"Uses", "Dataset Creation", "Source Data", "Annotations"}
    assert [name for name, text in met.items() if not text and name not in parents] == []


def test_nothing_of_the_template_is_left(card: str) -> None:
    assert "[More Information Needed]" not in card
    assert not re.findall(r"\$[a-z_{]", card)
    assert "None" not in card


def test_the_yaml_is_what_huggingface_hub_reads(built: Path) -> None:
    data = DatasetCard.load(built / "README.md").data
    assert data.language == ["ara", "ell", "eng", "hin", "jpn", "rus"]
    assert (data.license, data.pretty_name) == ("apache-2.0", "A toy of FAQ pairs")
    assert data.size_categories == ["n<1K"]
    assert data.annotations_creators == ["machine-generated"]
    names = [config["config_name"] for config in data.configs]
    assert tuple(names) == Manifest.read(built).configs.names
    assert [config["config_name"] for config in data.configs if config.get("default")] == [
        "default"
    ]
    for config in data.configs:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9_]+)?", config["config_name"])
        for entry in config["data_files"]:
            assert set(entry) == {"split", "path"}
            assert list(built.glob(entry["path"]))


def test_the_numbers_of_the_yaml_are_those_of_the_files(card: str, built: Path) -> None:
    manifest = Manifest.read(built)
    for info in yaml.safe_load(card.split("---")[1])["dataset_info"]:
        domain = info["config_name"]
        for split in info["splits"]:
            mine = [
                file
                for file in manifest.files
                if Cell.of_path(file.path).split == split["name"]
                and domain in ("default", Cell.of_path(file.path).domain)
            ]
            assert split["num_examples"] == sum(file.rows for file in mine)
            assert split["num_bytes"] == sum(file.bytes for file in mine)


def test_the_numbers_of_the_text_are_those_of_the_manifest(card: str, built: Path) -> None:
    manifest = Manifest.read(built)
    assert f"{manifest.rows} question/answer pairs from FAQ pages in 6 languages" in card
    assert f"{manifest.ledger.rows_in} rows were read" in card
    for step, reason, rows in manifest.drops:
        assert f"| {step} | {reason} | {rows} |" in card
    for reason, rows in manifest.ledger.quarantined.items():
        assert f"| quarantined | {reason} | {rows} |" in card
    assert f"| published |  | {manifest.rows} |" in card
    assert manifest.recipe_hash in card
    assert manifest.content_digest in card
    counts = Counter[tuple[str, str]]()
    for file in manifest.files:
        cell = Cell.of_path(file.path)
        counts[cell.language, cell.domain] += file.rows
    domains = sorted({domain for _, domain in counts})
    for language in sorted({language for language, _ in counts}):
        cells = " | ".join(str(counts[language, domain]) for domain in domains)
        assert f"| {language} | {cells} |" in card


def test_the_example_asks_for_a_config_that_has_the_split(card: str, built: Path) -> None:
    name, split = re.findall(r'load_dataset\("ORG/NAME", "(.+?)", split="(.+?)"', card)[0]
    language, domain = name.split("-")
    assert list(built.glob(f"data/{domain}/{language}/{split}-*.parquet"))


def test_source_labeler_and_definitions_are_named(card: str, built: Path) -> None:
    manifest = Manifest.read(built)
    assert f"| faq | `{manifest.sources[0].pin}` | 1 |" in card
    assert f"| student | toy | `{manifest.labelers[0].revision}` | 1.0.0 |" in card
    for domain in builtin_taxonomy().domains:
        assert f"| {domain.slug} | {domain.definition}" in card
    assert card.count("toys@example.org") == 2


def test_a_card_says_its_version(built: Path) -> None:
    manifest = replace(Manifest.read(built), version="v1.2.3")
    configs = plan_configs(manifest.files, 5, 3)
    assert "**Version:** v1.2.3 " in render_card(manifest, configs, builtin_taxonomy())


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1_000, "1K<n<10K"),
        (198_000_000, "100M<n<1B"),
        (10**9, "n>1B"),
    ],
)
def test_sizes_have_the_hubs_names(rows: int, name: str) -> None:
    assert size_category(rows) == name


def test_cells_of_tables_are_escaped() -> None:
    text = table(("a", "b"), [("x|y\nz", 1234567), ("<img src=x>", "é")])
    assert text.splitlines()[2] == r"| x\|y z | 1,234,567 |"
    assert text.splitlines()[3] == "| &lt;img src=x> | é |"
    assert len(text.splitlines()) == 4


def test_the_golden_card(card: str, refresh_golden: bool) -> None:
    met = steady(card)
    golden = GOLDEN / "README.md"
    if refresh_golden:
        golden.write_text(met, encoding="utf-8")
    assert met == golden.read_text("utf-8")


def steady(card: str) -> str:
    """Put `…` for what depends on the versions of pyarrow, fastText and this package."""
    card = re.sub(r"(num_bytes|download_size|dataset_size): \d+", r"\1: …", card)
    card = re.sub(r"\b[0-9a-f]{32}(?:[0-9a-f]{32})?\b", "…", card)
    return re.sub(r"(made by `webfaq-domains`) [^)]+", r"\1 …", card)
