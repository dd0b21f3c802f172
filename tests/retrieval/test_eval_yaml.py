"""`eval.yaml`: the keys that the Hub allows, a stable name per leaderboard, not too many of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace
from small_retrieval import retrieval_manifest

from webfaq_domains.ground.manifest import Manifest
from webfaq_domains.retrieval.card import TASK_NAMES, eval_yaml

METRICS = {"webfaq": "nDCG@10", "tatoeba": "accuracy"}


def subset(name: str, queries: int, **changed: Any) -> dict[str, Any]:
    task, language, *rest = name.split("_")
    common = {"name": name, "task": task, "language": language, "domain": rest[0] if rest else None}
    how = {"membership": "exclusive", "pool": "full", "split": "test", "queries": queries}
    counts = dict.fromkeys(("corpus", "qrels", "duplicates", "unpaired"), 0)
    read = {part: {"files": ["data/x.parquet"]} for part in ("corpus", "queries", "qrels")}
    return {**common, **how, **counts, "read": read, **changed}


SUBSETS = [
    subset("webfaq_deu", 900),
    subset("webfaq_deu", 90, split="validation"),
    subset("webfaq_deu_health", 40),
    subset("webfaq_deu_health_pool", 40, pool="domain"),
    subset("webfaq_deu_health_multi", 60, membership="multi"),
    subset("tatoeba_fra", 1),
    subset("tatoeba_fra_travel", 70),
]


@pytest.fixture
def manifest() -> Manifest:
    value = retrieval_manifest(SUBSETS, METRICS, ["data/x.parquet"])
    for task, metric in METRICS.items():
        about = value["extra"]["retrieval"]["tasks"]
        about[task] = {**about[task], "metric": metric}
    return Manifest.of_json(value, "here")


def test_tasks_and_full_pool_subsets_are_listed(manifest: Manifest) -> None:
    found = yaml.safe_load(eval_yaml(manifest))
    assert found["tasks"] == [
        {"id": "WebFAQDomainsRetrieval"},
        {"id": "TatoebaDomainsRetrieval"},
        {"id": "TatoebaDomainsRetrieval_tatoeba_fra_test", "config": "tatoeba_fra", "split": "test"},
        {"id": "TatoebaDomainsRetrieval_tatoeba_fra_travel_test", "config": "tatoeba_fra_travel",
         "split": "test"},
        {"id": "WebFAQDomainsRetrieval_webfaq_deu_test", "config": "webfaq_deu", "split": "test"},
        {"id": "WebFAQDomainsRetrieval_webfaq_deu_health_test", "config": "webfaq_deu_health",
         "split": "test"},
    ]  # fmt: skip


def test_the_largest_subsets_stay_where_there_are_too_many(manifest: Manifest) -> None:
    found = yaml.safe_load(eval_yaml(manifest, most=2))["tasks"]
    assert [entry["config"] for entry in found if "config" in entry] == [
        "tatoeba_fra_travel", "webfaq_deu"
    ]  # fmt: skip


def test_only_keys_that_the_hub_allows(manifest: Manifest) -> None:
    found = yaml.safe_load(eval_yaml(manifest))
    assert list(found) == ["name", "description", "evaluation_framework", "tasks"]
    assert found["evaluation_framework"] == "mteb"
    assert found["name"] == manifest.recipe.about.pretty_name
    for metric in METRICS.values():
        assert metric in found["description"]
    assert all(set(entry) <= {"id", "config", "split"} for entry in found["tasks"])
    ids = [entry["id"] for entry in found["tasks"]]
    assert len(set(ids)) == len(ids)


def test_quotes_and_colons_in_a_name_stay_text(manifest: Manifest) -> None:
    name = 'FAQ: "Domains" # 1 — ü'
    about = {**manifest.recipe.values["about"], "pretty_name": name}
    text = eval_yaml(replace(manifest, recipe=manifest.recipe.with_values(about=about)))
    assert yaml.safe_load(text)["name"] == name


def test_mtebs_own_model_reads_it(manifest: Manifest) -> None:
    """Its file alone is loaded: importing mteb takes seconds."""
    package = importlib.util.find_spec("mteb")
    if package is None or package.origin is None:
        pytest.skip("mteb is not installed")
    path = Path(package.origin).parent / "_hf_integration" / "eval_model.py"
    spec = importlib.util.spec_from_file_location("eval_model", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.HFEvalTaskConfig.model_rebuild(_types_namespace=vars(module))
    module.HFEvalMeta.model_rebuild(_types_namespace=vars(module))
    read = module.HFEvalMeta(**yaml.safe_load(eval_yaml(manifest)))
    assert [task.id for task in read.tasks][:2] == [TASK_NAMES["webfaq"], TASK_NAMES["tatoeba"]]


def test_every_task_of_the_layout_has_a_name(manifest: Manifest) -> None:
    assert set(TASK_NAMES) == {"tatoeba", "lareqa", "mewslix", "bucc", "webfaq"}
    assert len(set(TASK_NAMES.values())) == len(TASK_NAMES)
