"""A check finds every kind of tampering, with its place and its mend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from datasets import Features, load_dataset

from webfaq_domains.dataset.check import Checked, Problem, check_dataset
from webfaq_domains.dataset.layout import published_schema, write_parquet
from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.files import file_sha256
from webfaq_domains.ground.manifest import MANIFEST, Manifest
from webfaq_domains.ground.schema import PUBLISHED, combined, rows_digest

TRAIN = "data/education/eng/train-00000-of-00001.parquet"
OTHER = "data/legal/eng/train-00000-of-00001.parquet"


def test_a_user_can_load_each_kind_of_config(small: Path, tmp_path: Path) -> None:
    for name in ("default", "health", "eng-education"):
        whole = load_dataset(str(small), name, split="train", cache_dir=str(tmp_path))
        flowing = load_dataset(str(small), name, split="train", streaming=True)
        assert whole.features == Features.from_arrow_schema(PUBLISHED)
        assert list(flowing) == list(whole)
        language, _, domain = name.rpartition("-")
        if domain != "default":
            assert set(whole["domain"]) == {domain}
        if language:
            assert set(whole["language"]) == {language}


OFFLINE = """
import json, socket, sys
def refuse(*args): raise OSError("no network here")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from pathlib import Path
from webfaq_domains.dataset.check import check_dataset
print(json.dumps(check_dataset(Path(sys.argv[1])).to_json()))
"""


def test_an_untouched_folder_is_fine_and_every_config_loads_offline(
    small: Path, tmp_path: Path
) -> None:
    """Even by a relative path that is also the name of a builder of `datasets`."""
    (tmp_path / "csv").symlink_to(small)
    home = {"HF_HOME": str(tmp_path / "hf"), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, "csv"], cwd=tmp_path, env={**os.environ, **home},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    manifest = Manifest.read(small)
    assert json.loads(done.stdout) == {
        "folder": "csv", "fine": True, "files": len(manifest.files), "rows": manifest.rows,
        "configs_loaded": 13, "problems": [],
    }  # fmt: skip


def edit_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads((folder / MANIFEST).read_text("utf-8"))
    change(data)
    (folder / MANIFEST).write_text(json.dumps(data, ensure_ascii=False), "utf-8")


def rewrite(folder: Path, changed: dict[str, pa.Table], honest: bool = False) -> None:
    """Replace data files; `honest` puts sizes, hashes and digest in the manifest right."""
    for name, rows in changed.items():
        write_parquet(folder / name, rows.select(PUBLISHED.names), published_schema())
    if not honest:
        return

    def mend(data: dict[str, Any]) -> None:
        for entry in data["files"]:
            path = folder / entry["path"]
            entry["rows"] = pq.read_metadata(path).num_rows
            entry["bytes"], entry["sha256"] = path.stat().st_size, file_sha256(path)
        tables = (pq.read_table(folder / entry["path"]) for entry in data["files"])
        data["content_digest"] = combined(map(rows_digest, tables))
        rows = sum(entry["rows"] for entry in data["files"])
        data["ledger"]["rows_in"] += rows - data["ledger"]["rows_out"]
        data["ledger"]["rows_out"] = rows

    edit_manifest(folder, mend)


def problems(folder: Path) -> list[Problem]:
    """Check without loading; every problem has a place and says how to mend it."""
    found = check_dataset(folder, load=False).problems
    assert all(problem.place and problem.what and problem.mend for problem in found)
    return found


def said(folder: Path, place: str) -> list[str]:
    return [problem.what for problem in problems(folder) if problem.place == place]


def test_an_edited_card(staged: Path) -> None:
    card = staged / "README.md"
    card.write_text(
        card.read_text("utf-8").replace(" question/answer", "1 question/answer"), "utf-8"
    )
    (problem,) = problems(staged)
    assert problem.place == "README.md"
    assert "differs from what the manifest gives, at line " in problem.what
    assert "1 question/answer pairs" in problem.what
    assert "build the folder again" in problem.mend


def test_a_card_with_more_at_its_end(staged: Path) -> None:
    with (staged / "README.md").open("a") as file:
        file.write("\nMore.\n")
    assert said(staged, "README.md") == ["differs from what the manifest gives, at the end"]


def test_a_card_that_is_not_text(staged: Path) -> None:
    (staged / "README.md").write_bytes(b"\xff\xfe")
    assert "differs from what the manifest gives" in said(staged, "README.md")[0]


def test_no_card(staged: Path) -> None:
    (staged / "README.md").unlink()
    assert said(staged, "README.md") == ["there is no card"]


def test_another_taxonomy(staged: Path) -> None:
    path = staged / "taxonomy.toml"
    path.write_text(path.read_text("utf-8") + "\n# changed\n", "utf-8")
    assert said(staged, "taxonomy.toml") == ["is not the taxonomy that the manifest names"]
    path.write_text("[[[")
    assert "cannot be read" in said(staged, "taxonomy.toml")[0]
    path.write_bytes(b"\xff")
    assert "cannot be read" in said(staged, "taxonomy.toml")[0]
    path.unlink()
    assert "cannot be read" in said(staged, "taxonomy.toml")[0]


def test_a_changed_byte_of_a_data_file(staged: Path) -> None:
    content = bytearray((staged / TRAIN).read_bytes())
    content[len(content) // 2] ^= 1
    (staged / TRAIN).write_bytes(content)
    assert "content differs from the manifest's sha256" in said(staged, TRAIN)


def test_a_truncated_file(staged: Path) -> None:
    size = (staged / TRAIN).stat().st_size
    os.truncate(staged / TRAIN, size // 2)
    one, two = said(staged, TRAIN)
    assert one == f"{size // 2} bytes, the manifest says {size}"
    assert two.startswith("cannot be read as a data file of the layout")


def test_an_edited_row(staged: Path) -> None:
    rows = pq.read_table(staged / TRAIN)
    answers = pa.array([*rows["answer"].to_pylist()[:-1], "Another answer."])
    column = rows.column_names.index("answer")
    rewrite(staged, {TRAIN: rows.set_column(column, "answer", answers)}, honest=True)
    assert "an id is not the hash of its row's text" in said(staged, TRAIN)


def test_a_row_in_another_cell(staged: Path) -> None:
    one, other = pq.read_table(staged / TRAIN), pq.read_table(staged / OTHER)
    moved = pa.concat_tables([other, one.slice(0, 1)]).sort_by("id")
    rewrite(staged, {TRAIN: one.slice(1), OTHER: moved}, honest=True)
    assert any(
        what.startswith("domain holds [") and what.endswith(": rows outside their cell")
        for what in said(staged, OTHER)
    )


def test_a_row_of_another_language(staged: Path) -> None:
    name = TRAIN.replace("eng", "rus")
    rewrite(staged, {TRAIN: pq.read_table(staged / name)}, honest=True)
    assert "language holds ['rus']: rows outside their cell" in said(staged, TRAIN)


def test_an_id_twice(staged: Path) -> None:
    rows = pq.read_table(staged / TRAIN)
    twice = pa.concat_tables([rows, rows.slice(0, 1)]).sort_by("id")
    rewrite(staged, {TRAIN: twice}, honest=True)
    assert "1 ids occur more than once, first seen again in this file" in said(staged, TRAIN)


def test_an_id_in_two_files(staged: Path) -> None:
    rows = pq.read_table(staged / TRAIN)
    name = TRAIN.replace("train", "test")
    both = pa.concat_tables([pq.read_table(staged / name), rows.slice(0, 1)]).sort_by("id")
    rewrite(staged, {name: both}, honest=True)
    whats = [what for place in (TRAIN, name) for what in said(staged, place)]
    assert "1 ids occur more than once, first seen again in this file" in whats
    assert "1 origins are in both test and train" in said(staged, "data/")


def test_an_origin_in_two_splits(staged: Path) -> None:
    """Neither `www.` nor the letter case make another site."""
    rows = pq.read_table(staged / TRAIN)
    name = TRAIN.replace("train", "test")
    other = pq.read_table(staged / name)
    origin = f"WWW.{rows['origin'][0].as_py()}"
    column = other.column_names.index("origin")
    origins = pa.array([origin, *other["origin"].to_pylist()[1:]])
    rewrite(staged, {name: other.set_column(column, "origin", origins)}, honest=True)
    assert said(staged, "data/") == ["1 origins are in both test and train"]


def test_rows_out_of_order(staged: Path) -> None:
    rows = pq.read_table(staged / TRAIN)
    rewrite(staged, {TRAIN: rows.sort_by([("id", "descending")])}, honest=True)
    assert "rows are not sorted by id" in said(staged, TRAIN)


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("domains", ["legal", "education"], "`domain` is not the first of `domains`"),
        ("domains", None, "`domain` is not the first of `domains`"),
        ("domains", [], "cannot be read as a data file"),
        ("domain", None, "domain holds"),
        ("id", None, "cannot be read as a data file"),
        ("question", None, "an id is not the hash of its row's text"),
    ],
)
def test_a_value_that_cannot_be(staged: Path, column: str, value: object, what: str) -> None:
    rows = pq.read_table(staged / TRAIN)
    values = pa.array([*rows[column].to_pylist()[:-1], value], PUBLISHED.field(column).type)
    rewrite(staged, {TRAIN: rows.set_column(rows.column_names.index(column), column, values)})
    assert any(text.startswith(what) for text in said(staged, TRAIN))


def test_other_columns(staged: Path) -> None:
    rows = pq.read_table(staged / TRAIN)
    pq.write_table(rows.drop_columns(["topic"]), staged / TRAIN)
    assert any(text.startswith("columns are ['id'") for text in said(staged, TRAIN))
    column = rows.column_names.index("domain_score")
    wide = rows.set_column(column, "domain_score", pc.cast(rows["domain_score"], pa.float64()))
    pq.write_table(wide, staged / TRAIN)
    assert any(text.startswith("columns are ['id'") for text in said(staged, TRAIN))


def test_a_missing_file(staged: Path) -> None:
    (staged / TRAIN).unlink()
    assert said(staged, TRAIN) == ["listed in the manifest but not there"]


@pytest.mark.parametrize(
    "name", ["notes.txt", "data/legal/eng/train-00001-of-00002.parquet", ".hidden/x", "staged.py"]
)
def test_a_file_too_many(staged: Path, name: str) -> None:
    (staged / name).parent.mkdir(parents=True, exist_ok=True)
    (staged / name).write_bytes(b"")
    assert said(staged, name) == ["not in the manifest"]


def test_a_symbolic_link(staged: Path, tmp_path: Path) -> None:
    (staged / TRAIN).rename(tmp_path / "elsewhere")
    (staged / TRAIN).symlink_to(tmp_path / "elsewhere")
    assert said(staged, TRAIN) == ["a symbolic link"]
    (tmp_path / "elsewhere").unlink()
    assert said(staged, TRAIN) == ["a symbolic link"]


def test_a_symbolic_link_to_a_folder(staged: Path, tmp_path: Path) -> None:
    (staged / "data/legal").rename(tmp_path / "elsewhere")
    (staged / "data/legal").symlink_to(tmp_path / "elsewhere")
    assert said(staged, "data/legal") == ["a symbolic link"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda m: m["files"][0].update(rows=99), "the ledger does not close"),
        (lambda m: m["ledger"].update(rows_in=1), "the ledger does not close: 1 in, 298 acc"),
        (lambda m: m["ledger"]["quarantined"].update(x=1), "the ledger does not close"),
        (lambda m: m["recipe"]["split"].update(salt="x"), "recipe_hash is not the hash"),
        (lambda m: m["sources"][0].update(pin="x"), "recipe_hash is not the hash"),
        (lambda m: m.update(content_digest="0" * 32), "content_digest is not that of the rows"),
        (lambda m: m["configs"]["names"].append("x"), "configs are not what recipe and files"),
        (lambda m: m["configs"].update(min_rows=6), "configs are not what recipe and files"),
        (lambda m: m["configs"].pop("most"), "configs are not what recipe and files"),
    ],
)
def test_a_wrong_manifest(
    staged: Path, change: Callable[[dict[str, Any]], object], what: str
) -> None:
    edit_manifest(staged, change)
    assert any(text.startswith(what) for text in said(staged, MANIFEST))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"rows": 99}, "rows, the manifest says 99"),
        ({"bytes": 99}, "bytes, the manifest says 99"),
        ({"sha256": "0" * 64}, "content differs from the manifest's sha256"),
    ],
)
def test_a_wrong_entry_of_a_file(staged: Path, change: dict[str, Any], what: str) -> None:
    edit_manifest(staged, lambda m: m["files"][0].update(change))
    name = Manifest.read(staged).files[0].path
    assert any(text.endswith(what) for text in said(staged, name))


def test_an_entry_that_leaves_the_layout(staged: Path) -> None:
    edit_manifest(staged, lambda m: m["files"][0].update(path="data/x.parquet"))
    with pytest.raises(StagedError, match=r"data/x.parquet: expected data/<domain>/<language>"):
        check_dataset(staged, load=False)


def test_a_labeler_of_another_name_shows_in_the_card(staged: Path) -> None:
    edit_manifest(staged, lambda m: m["labelers"][0].update(name="a better one"))
    assert len(said(staged, "README.md")) == 1


def test_a_config_that_does_not_load_is_found(
    staged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise RuntimeError("one line\nand another")

    monkeypatch.setattr("datasets.load_dataset", fail)
    result = check_dataset(staged)
    assert len(result.problems) == result.configs_loaded == 13
    assert result.problems[0].place == "config default"
    assert result.problems[0].what == "load_dataset fails: RuntimeError: one line"


def test_the_result_is_shown_as_text_and_json() -> None:
    result = Checked(Path("faq"), [Problem("README.md", "is wrong", "mend it")], 3, 1_000, 2)
    assert result.text().splitlines() == [
        "README.md: is wrong",
        "    mend: mend it",
        "faq: 1 problems (3 files, 1,000 rows, 2 configs loaded)",
    ]
    assert result.to_json()["problems"] == [
        {"place": "README.md", "what": "is wrong", "mend": "mend it"}
    ]
    assert result.to_json()["fine"] is False
