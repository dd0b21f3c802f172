"""Tampered manifests: read as they are, or refused by name; never a traceback, never another file."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_retrieval import retrieval_manifest

from webfaq_domains.dataset.card import render_card
from webfaq_domains.dataset.check import Rows, check_files, check_manifest
from webfaq_domains.dataset.layout import configs_of
from webfaq_domains.dataset.stats import stats_of
from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.manifest import MANIFEST, Manifest
from webfaq_domains.ground.taxonomy import builtin_taxonomy
from webfaq_domains.retrieval.card import eval_yaml
from webfaq_domains.retrieval.card import render_card as render_retrieval_card
from webfaq_domains.retrieval.layout import configs_of as retrieval_configs_of

ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 2**63, 2**200, 1e308, "", "..", "../../x", "/etc/passwd", "a\\b", "a\x00b",
    "default", "x" * 5_000, "\ud800", "é", [], {}, [[]], {"": {}}, {"path": "../x"},
)  # fmt: skip


def pairs_manifest() -> dict[str, Any]:
    """Return a manifest of pairs that lacks nothing."""
    value = retrieval_manifest([], (), [])
    names = ["default", "health", "deu-health"]
    path = "data/health/deu/train-00000-of-00001.parquet"
    value["artifact"], value["extra"] = "webfaq-domains", {}
    value["files"] = [{"path": path, "rows": 3, "bytes": 9, "sha256": "0" * 64}]
    value["labelers"] = [{"kind": "student", "name": "x", "revision": "0", "taxonomy_version": "1"}]
    files = [{"name": "a.jsonl", "bytes": 3, "sha256": "0"}]
    value["sources"] = [
        {"name": "faq", "kind": "files", "pin": "x", "file_count": 1, "bytes": 3, "files": files}
    ]
    value["recipe"] |= {
        "configs": {"min_rows": 1, "most": 9}, "split": {"validation": 0, "test": 0.1, "salt": "x"},
        "steps": ["Clean"], "benchmarks": [{"tasks": [], "withheld": ["bucc"], "sha256": "0"}],
    }  # fmt: skip
    value["configs"] = {"min_rows": 1, "most": 9, "names": names}
    value["ledger"] = {
        "rows_in": 5, "rows_out": 3, "dropped": {"Clean": {"x": 1}}, "quarantined": {"not_json": 1},
    }  # fmt: skip
    return value


def subsets_manifest() -> dict[str, Any]:
    """Return a manifest of retrieval subsets that lacks nothing."""
    parts = ("corpus", "queries", "qrels")
    paths = {part: f"data/tatoeba/{part}/deu-test-00000-of-00001.parquet" for part in parts}
    read = {part: {"files": [path], "filters": []} for part, path in paths.items()}
    counts = dict.fromkeys(("queries", "corpus", "qrels", "duplicates", "unpaired"), 1)
    whole = {
        "name": "tatoeba_deu", "task": "tatoeba", "language": "deu", "domain": None, "read": read,
        "membership": "exclusive", "pool": "full", "split": "test", **counts, "unpaired": 0,
    }  # fmt: skip
    chosen = {"files": [paths["queries"]], "filters": [["membership", "in", ["health"]]]}
    part = {**whole, "name": "tatoeba_deu_health", "domain": "health"}
    part["read"] = {**read, "queries": chosen}
    return retrieval_manifest([whole, part], ["tatoeba"], list(paths.values()))


MANIFESTS = {"pairs": pairs_manifest, "subsets": subsets_manifest}


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (container, key) of everything in a JSON value."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from places(value[key])


def tamper(value: dict[str, Any], rng: random.Random) -> None:
    """Change, drop, double or rename one entry somewhere."""
    container, key = rng.choice(list(places(value)))
    way = rng.randrange(5)
    if way == 0:
        del container[key]
    elif way == 1 and isinstance(container, dict):
        container[rng.choice(["..", "a/b", "\n", "default", "x" * 999])] = container.pop(key)
    elif way == 2 and isinstance(container, list):
        container.append(container[key])
    else:
        container[key] = copy.deepcopy(rng.choice(ODD))


def use(manifest: Manifest, folder: Path) -> None:
    """Ask of a manifest all that commands ask."""
    taxonomy = builtin_taxonomy()
    list(check_files(folder, manifest))
    manifest.write(folder / "again")
    assert Manifest.read(folder / "again") == manifest
    if manifest.is_retrieval:
        retrieval_configs_of(manifest)
        render_retrieval_card(manifest, taxonomy)
        eval_yaml(manifest)
        for subset in manifest.retrieval.subsets:
            assert (folder / subset.name).resolve().parent == folder.resolve()
    else:
        stats_of(manifest).text()
        list(check_manifest(manifest, Rows()))
        render_card(manifest, configs_of(manifest), taxonomy)
    for file in manifest.files:
        assert (folder / file.path).resolve().is_relative_to(folder.resolve())


def survive(folder: Path, kind: str, numbers: range) -> int:
    """Tamper once or twice, read and use; return how many were refused."""
    refused = 0
    for number in numbers:
        rng, value = random.Random(number), MANIFESTS[kind]()
        for _ in range(rng.choice((1, 1, 2))):
            tamper(value, rng)
        (folder / MANIFEST).write_text(json.dumps(value), "utf-8")
        try:
            use(Manifest.read(folder), folder)
        except StagedError as error:
            refused += 1
            assert str(error).isprintable(), ascii(str(error))
    return refused


@pytest.mark.parametrize("kind", sorted(MANIFESTS))
def test_what_was_not_tampered_with_is_used(tmp_path: Path, kind: str) -> None:
    (tmp_path / MANIFEST).write_text(json.dumps(MANIFESTS[kind]()), "utf-8")
    use(Manifest.read(tmp_path), tmp_path)


@pytest.mark.parametrize("kind", sorted(MANIFESTS))
def test_a_tampered_manifest_is_refused_or_used(tmp_path: Path, kind: str) -> None:
    assert survive(tmp_path, kind, range(200)) > 100


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(MANIFESTS))
def test_thousands_of_tampered_manifests(tmp_path: Path, kind: str) -> None:
    assert survive(tmp_path, kind, range(1_000, 6_000)) > 2_500


def edit(kind: str, change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    value = MANIFESTS[kind]()
    change(value)
    return value


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("pairs", lambda m: m["files"][0].update(rows=-3), r"files\[0\]\.rows: expected .*; met -3"),
        ("pairs", lambda m: m["files"][0].update(rows=True), r"files\[0\]\.rows: expected `int`"),
        ("pairs", lambda m: m["files"][0].update(path="../x"), r"files\[0\]\.path: .*'\.\./x'"),
        ("pairs", lambda m: m["files"][0].update(path="/x"), r"files\[0\]\.path: "),
        ("pairs", lambda m: m["files"][0].update(path="a/../x"), r"files\[0\]\.path: "),
        ("pairs", lambda m: m["files"][0].update(path="a//x"), r"files\[0\]\.path: "),
        ("pairs", lambda m: m["files"][0].update(path="a\\x"), r"files\[0\]\.path: "),
        ("pairs", lambda m: m["files"][0].update(path="a\n"), r"files\[0\]\.path: "),
        ("pairs", lambda m: m["files"].append({**m["files"][0], "path": m["files"][0]["path"].replace("deu", "Deu")}), "are one file where case"),
        ("pairs", lambda m: m.update(more=1), "unknown field `more`"),
        ("pairs", lambda m: m["recipe"]["about"].pop("license"), "recipe: about: object missing"),
        ("pairs", lambda m: m["recipe"]["split"].update(test=2), r"recipe: split\.test: expected .*; met 2"),
        ("pairs", lambda m: m["taxonomy"].update(slugs=["default"]), "'default' is a name that others"),
        ("pairs", lambda m: m.update(extra={"sizes": {"data": 1, "raw_text": 1, "ratio": 1}}), "beside retrieval only"),
        ("subsets", lambda m: m["extra"].pop("sizes"), "beside retrieval stand sizes"),
        ("subsets", lambda m: m["extra"]["retrieval"]["subsets"][0].update(name="../out"), r"subsets\[0\]\.name: .*met '\.\./out'"),
        ("subsets", lambda m: m["extra"]["retrieval"]["subsets"][1].update(name="Default"), "'Default' is a name that others"),
        ("subsets", lambda m: m["extra"]["retrieval"]["subsets"][0].update(split="a/b"), r"subsets\[0\]\.split: "),
        ("subsets", lambda m: m["extra"]["retrieval"]["subsets"][0].update(task="none"), "'none' is not among the tasks"),
        ("subsets", lambda m: m["extra"]["retrieval"]["subsets"].pop(0), "no subset is the whole of its language"),
        ("subsets", lambda m: m["files"].pop(), "is not among the files"),
    ],
)  # fmt: skip
def test_the_key_and_what_was_met_are_named(
    tmp_path: Path, kind: str, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    (tmp_path / MANIFEST).write_text(json.dumps(edit(kind, change)), "utf-8")
    with pytest.raises(StagedError, match=message) as error:
        Manifest.read(tmp_path)
    assert str(tmp_path / MANIFEST) in str(error.value)


def test_a_step_of_another_version_is_kept() -> None:
    value = edit("pairs", lambda m: m["recipe"].update(new_step={"depth": 3}))
    assert Manifest.of_json(value, "here").to_json()["recipe"]["new_step"] == {"depth": 3}
