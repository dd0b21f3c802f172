"""The manifest: read back as it was written, or refused with what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from toybuild import FAQ, GOLDEN, Toy, sha256_of

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.files import value_sha256
from webfaq_domains.ground.manifest import MANIFEST, Manifest


def test_it_is_read_as_it_was_written(built: Path, tmp_path: Path) -> None:
    manifest = Manifest.read(built)
    manifest.write(tmp_path)
    assert Manifest.read(tmp_path) == manifest
    assert (tmp_path / MANIFEST).read_bytes() == (built / MANIFEST).read_bytes()


def test_it_pins_files_sources_recipe_and_labeler(built: Path, toy: Toy) -> None:
    manifest = Manifest.read(built)
    assert {file.path: file.sha256 for file in manifest.files} == {
        name: digest for name, digest in sha256_of(built).items() if name.startswith("data/")
    }
    for file in manifest.files:
        assert (built / file.path).stat().st_size == file.bytes
    (source,) = manifest.sources
    assert (source.name, source.kind, source.file_count) == ("faq", "files", 1)
    assert isinstance(source.files, tuple)
    assert source.files[0].bytes == FAQ.stat().st_size
    written = json.loads((built / MANIFEST).read_text("utf-8"))
    hashed = {**written["recipe"], "sources": written["sources"]}
    assert manifest.recipe_hash == value_sha256(hashed)
    model = toy.student / "model.bin"
    assert manifest.labelers[0].revision == sha256_of(toy.student)[model.name]


def test_it_names_no_path_of_this_machine(built: Path, toy: Toy) -> None:
    text = (built / MANIFEST).read_text("utf-8") + (built / "README.md").read_text("utf-8")
    for path in (built, toy.faq, toy.student, Path.home()):
        assert str(path) not in text


def test_drops_come_in_the_order_of_the_steps(built: Path) -> None:
    manifest = Manifest.read(built)
    steps = list(dict.fromkeys(step for step, _, _ in manifest.drops))
    assert steps == [step for step in manifest.recipe.steps if step in steps]
    assert sum(rows for _, _, rows in manifest.drops) == sum(
        sum(reasons.values()) for reasons in manifest.ledger.dropped.values()
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "it is not a staged folder; make one with"),
        ("{", "cannot be read"),
        ("\udc80", "cannot be read"),
        ("[]", "manifest_version is None; this version reads 1"),
        ('{"manifest_version": 2}', "manifest_version is 2; this version reads 1"),
        ('{"manifest_version": true}', "manifest_version is True; this version reads 1"),
        ('{"manifest_version": 1}', "the whole: object missing required field `recipe`"),
        ('{"manifest_version": 1, "recipe": {}}', "recipe: the whole: object missing .* `about`"),
        ('{"a": 1, "a": 2}', "cannot be read: the key 'a' is there twice"),
        ('{"a": NaN}', "cannot be read: NaN is no number in JSON"),
        ("[" * 100_000, "cannot be read: maximum recursion depth exceeded"),
    ],
)
def test_a_bad_manifest_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / MANIFEST).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(StagedError, match=message):
        Manifest.read(tmp_path)


def test_the_golden_manifest(built: Path, refresh_golden: bool) -> None:
    met = steady(json.loads((built / MANIFEST).read_text("utf-8")))
    golden = GOLDEN / "manifest.json"
    if refresh_golden:
        golden.write_text(json.dumps(met, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    assert met == json.loads(golden.read_text("utf-8"))


def steady(manifest: dict[str, Any]) -> dict[str, Any]:
    """Put `…` for what depends on the versions of pyarrow, fastText and this package."""
    hidden: dict[str, Any] = dict.fromkeys(
        ("recipe_hash", "content_digest", "code_version", "writer", "taxonomy"), "…"
    )
    recipe = {**manifest["recipe"], "taxonomy": "…", "language_model": "…"}
    recipe["labeler"] = {**recipe["labeler"], "revision": "…"}
    labelers = [{**labeler, "revision": "…"} for labeler in manifest["labelers"]]
    files = [{"path": file["path"], "rows": file["rows"]} for file in manifest["files"]]
    return {**manifest, **hidden, "recipe": recipe, "labelers": labelers, "files": files}
