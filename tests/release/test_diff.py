"""`diff`: every row that came, went or changed its label is counted, and the version rule holds."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from revised import Rows, revise, rows_of
from small_retrieval import retrieval_manifest

from webfaq_domains.cli import main
from webfaq_domains.dataset.check import check_dataset
from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.files import file_sha256
from webfaq_domains.ground.manifest import MANIFEST, FileEntry, Manifest
from webfaq_domains.ground.records import to_json
from webfaq_domains.labelers.load import builtin_folder
from webfaq_domains.release.diff import Difference, diff
from webfaq_domains.release.kinds import open_artifact
from webfaq_domains.release.rows import Label
from webfaq_domains.release.semver import Version


def compared(one: Path, other: Path) -> Difference:
    return diff(str(one), str(other), quiet=True)


def edit_manifest(folder: Path, **changed: Any) -> None:
    data = json.loads((folder / MANIFEST).read_text("utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**data, **changed}), "utf-8")


def test_a_folder_does_not_differ_from_its_copy(small: Path, staged: Path) -> None:
    found = compared(small, staged)
    assert (found.level, found.suggested) == ("none", None)
    assert found.text().endswith("nothing differs: no new version")


def test_what_publishing_writes_is_no_difference(small: Path, staged: Path) -> None:
    """The version in card and manifest comes with the release and asks for no other release."""
    for name, content in open_artifact(small).versioned_files("1.2.0").items():
        (staged / name).write_bytes(content)
    assert compared(small, staged).level == "none"
    found = compared(staged, small)
    assert (found.level, found.one.version) == ("none", Version(1, 2, 0))


def shuffled(rows: Rows) -> Rows:
    """Drop some rows and relabel or move others, by chance that is always the same."""
    chance = random.Random(5)
    found = []
    for row in rows:
        draw = chance.random()
        if draw < 0.2:
            continue
        if draw < 0.4:
            other = "travel" if row["domain"] != "travel" else "legal"
            row = {**row, "domain": other, "domains": [other]}
        elif draw < 0.5:
            row = {**row, "split": "test" if row["split"] == "train" else "train"}
        found.append(row)
    return found


def expected(one: Rows, other: Rows) -> dict[str, Counter[Any]]:
    """Compare rows as a reader would, one id after the other."""

    def label(row: dict[str, Any]) -> Label:
        return Label("", row["language"], row["domain"], row["split"])

    before, after = ({row["id"]: label(row) for row in rows} for rows in (one, other))
    both = before.keys() & after.keys()
    relabelled = {id_ for id_ in both if before[id_].domain != after[id_].domain}
    moved = {id_ for id_ in both - relabelled if before[id_].split != after[id_].split}
    return {
        "added": Counter(after[id_] for id_ in after.keys() - both),
        "removed": Counter(before[id_] for id_ in before.keys() - both),
        "relabelled": Counter((before[id_], after[id_].domain) for id_ in relabelled),
        "moved": Counter((before[id_], after[id_].split) for id_ in moved),
    }


@pytest.mark.parametrize(("slice_rows", "files"), [(4_000_000, 1), (1, 1), (7, 3), (50, 2)])
def test_every_row_is_counted_whatever_the_slices_and_files(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slice_rows: int, files: int
) -> None:
    monkeypatch.setattr("webfaq_domains.release.rows.SLICE_ROWS", slice_rows)
    monkeypatch.setattr("webfaq_domains.release.rows.ROW_GROUP_ROWS", 5)
    new = revise(small, tmp_path / "new", shuffled, files)
    counted = expected(rows_of(small), rows_of(new))
    assert all(len(counter) > 1 for name, counter in counted.items() if name != "added")
    for one, other, sign in ((small, new, 1), (new, small, -1)):
        found = compared(one, other)
        counted = expected(rows_of(one), rows_of(other))
        assert {name: getattr(found.rows, name) for name in counted} == counted
        assert found.level == "minor"
        rows = sum(found.rows.added.values()) - sum(found.rows.removed.values())
        assert rows * sign == len(rows_of(new)) - len(rows_of(small))


def test_a_revised_folder_is_a_staged_folder(small: Path, tmp_path: Path) -> None:
    """The other tests stand on this."""
    assert check_dataset(revise(small, tmp_path / "new", lambda rows: rows[3:]), load=False).fine


def test_the_same_rows_cut_into_other_files_are_a_patch(small: Path, tmp_path: Path) -> None:
    found = compared(small, revise(small, tmp_path / "new", lambda rows: rows, files=2))
    assert (found.level, bool(found.rows), found.values) == ("patch", False, False)
    assert any("the same rows" in line for line in found.card)


def test_other_values_of_the_same_rows_are_a_minor_change(small: Path, tmp_path: Path) -> None:
    def rescore(rows: Rows) -> Rows:
        return [{**row, "domain_score": 0.5} for row in rows]

    found = compared(small, revise(small, tmp_path / "new", rescore))
    assert (found.level, bool(found.rows), found.values) == ("minor", False, True)
    assert "other columns than id and domain differ" in found.text()


def test_the_text_shows_rows_by_language_and_domain(small: Path, tmp_path: Path) -> None:
    def change(rows: Rows) -> Rows:
        first = next(row for row in rows if row["domain"] == "health")
        others = [row for row in rows if row is not first]
        return [*others[1:], {**first, "domain": "legal", "domains": ["legal"]}]

    found = compared(small, revise(small, tmp_path / "new", change))
    lines = found.text().splitlines()
    assert lines[1].split() == ["rows", "removed", "relabelled", "to", "relabelled", "away"]
    assert next(line for line in lines if line.startswith("all")).split() == ["all", "1", "1", "1"]
    assert lines[-1] == "a minor change: version 1.0.0, the first"


@pytest.mark.parametrize(
    ("changed", "level", "where"),
    [
        ({"schema_version": "2.0.0"}, "major", "schema"),
        (
            {"taxonomy": {"version": "2.0.0", "sha256": "0" * 64, "slugs": ["health", "sport"]}},
            "major",
            "taxonomy",
        ),
        (
            {
                "labelers": [
                    {
                        "kind": "teacher",
                        "name": "new",
                        "revision": "0" * 64,
                        "taxonomy_version": "1.0.0",
                    }
                ]
            },
            "patch",
            "labelers",
        ),
        ({"code_version": "9"}, "patch", "card"),
    ],
)
def test_a_change_of_the_manifest_has_its_level(
    small: Path, staged: Path, changed: dict[str, Any], level: str, where: str
) -> None:
    edit_manifest(staged, **changed)
    edit_manifest(small_copy := Path(shutil.copytree(small, staged.parent / "v1")), version="1.4.2")
    found = compared(small_copy, staged)
    assert found.level == level
    assert getattr(found, where)
    assert found.suggested == Version(1, 4, 2).next(level)


def test_the_domains_of_another_taxonomy_are_named(small: Path, staged: Path) -> None:
    slugs = [*Manifest.read(small).taxonomy.slugs[1:], "sport"]
    edit_manifest(staged, taxonomy={"version": "2.0.0", "sha256": "0" * 64, "slugs": slugs})
    gone = Manifest.read(small).taxonomy.slugs[0]
    assert compared(small, staged).taxonomy == [
        "1.0.0 -> 2.0.0", f"- domain {gone}", "+ domain sport"
    ]  # fmt: skip


def test_a_card_alone_is_a_patch(small: Path, staged: Path) -> None:
    with (staged / "README.md").open("a") as file:
        file.write("More.\n")
    found = compared(small, staged)
    assert (found.level, found.card) == ("patch", ["README.md differs"])


def mend(folder: Path, path: str) -> None:
    """Put a file's size and hash in the manifest right."""
    manifest, file = Manifest.read(folder), folder / path
    entries = [
        FileEntry(path, entry.rows, file.stat().st_size, file_sha256(file))
        if entry.path == path
        else entry
        for entry in manifest.files
    ]
    replace(manifest, files=tuple(entries)).write(folder)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda rows: rows.drop_columns(["topic"]), "column topic: string -> none"),
        (
            lambda rows: rows.append_column("new", pa.array([1] * len(rows), pa.int8())),
            "column new: none -> int8",
        ),
        (
            lambda rows: rows.rename_columns(["key", *rows.column_names[1:]]),
            "column id: string -> none (key)",
        ),
    ],
)
def test_another_column_is_a_major_change(
    small: Path, staged: Path, change: Callable[[pa.Table], pa.Table], line: str
) -> None:
    path = Manifest.read(staged).files[0].path
    rows = pq.ParquetFile(staged / path).read()
    pq.write_table(change(rows), staged / path)
    mend(staged, path)
    found = compared(small, staged)
    assert found.level == "major"
    assert line in found.schema


@pytest.mark.parametrize("what", ["order", "ids", "bytes"])
def test_a_damaged_file_is_named(small: Path, staged: Path, what: str) -> None:
    files = Manifest.read(staged).files
    path = max(files, key=lambda file: file.rows).path
    rows = pq.ParquetFile(staged / path).read()
    if what == "bytes":
        (staged / path).write_bytes(b"not Parquet")
    elif what == "order":
        pq.write_table(rows.sort_by([("id", "descending")]), staged / path)
    else:
        ids = pa.array([f"{number}" for number in range(len(rows))])
        pq.write_table(rows.set_column(0, "id", ids), staged / path)
    mend(staged, path)
    with pytest.raises(StagedError, match=path):
        compared(small, staged)


def test_labelers_are_compared_file_by_file(tmp_path: Path) -> None:
    new = Path(shutil.copytree(builtin_folder(), tmp_path / "new"))
    assert compared(builtin_folder(), new).level == "none"
    (new / "README.md").write_text("another card", "utf-8")
    found = compared(builtin_folder(), new)
    assert (found.level, found.card) == ("patch", ["README.md differs"])
    about = json.loads((new / "labeler.json").read_text("utf-8"))
    about["thresholds"] = dict.fromkeys(about["thresholds"], 0.9)
    (new / "labeler.json").write_text(json.dumps(about), "utf-8")
    (new / "model.ftz").write_bytes(b"another model")
    (new / "vocabulary.txt").write_text("new", "utf-8")
    found = compared(builtin_folder(), new)
    assert found.level == "minor"
    assert found.files == [
        "description differs: thresholds", "model.ftz differs", "+ vocabulary.txt"
    ]  # fmt: skip
    about["domains"] = about["domains"][1:]
    (new / "labeler.json").write_text(json.dumps(about), "utf-8")
    assert compared(builtin_folder(), new).level == "major"


def test_folders_without_a_manifest_are_compared_file_by_file(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / "README.md").write_text("---\nsdk: static\n---\n", "utf-8")
        (folder / "index.html").write_text("<html></html>", "utf-8")
    assert compared(one, other).level == "none"
    (other / "app.js").write_text("1", "utf-8")
    found = compared(one, other)
    assert (found.level, found.files) == ("minor", ["+ app.js"])


def test_two_kinds_of_artifacts_are_not_compared(small: Path) -> None:
    with pytest.raises(StagedError, match="two kinds of artifacts"):
        compared(small, builtin_folder())


@pytest.mark.parametrize("address", ["there/is/no/such", "./nowhere", "nowhere", "a b/c"])
def test_an_address_that_is_none_is_refused(small: Path, address: str) -> None:
    with pytest.raises(StagedError, match=r"expected a folder or org/name@revision"):
        diff(str(small), address, quiet=True)


CORPUS = {"id": "string", "text": "string", "domain": "string"}
QRELS = {"query-id": "string", "corpus-id": "string", "score": "int32", "domain": "string"}


def retrieval(folder: Path, small: Path, corpus: Rows, qrels: Rows) -> Path:
    """Write a small retrieval folder: one pool and its qrels."""
    shutil.copytree(small, folder, ignore=shutil.ignore_patterns("data"))
    entries = []
    for part, rows, columns in (("corpus", corpus, CORPUS), ("qrels", qrels, QRELS)):
        name = f"data/webfaq/{part}/deu-test-00000-of-00001.parquet"
        (folder / name).parent.mkdir(parents=True)
        schema = pa.schema([(key, pa.type_for_alias(kind)) for key, kind in columns.items()])
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / name)
        size, sha = (folder / name).stat().st_size, file_sha256(folder / name)
        entries.append(to_json(FileEntry(name, len(rows), size, sha)))
    read = {
        part: {"files": [entry["path"]]}
        for part, entry in zip(("corpus", "qrels"), entries, strict=True)
    }
    counts = dict.fromkeys(("queries", "corpus", "qrels", "duplicates", "unpaired"), 0)
    subset = {
        "name": "webfaq_deu", "task": "webfaq", "language": "deu", "domain": None, "split": "test",
        "membership": "exclusive", "pool": "full", **counts, "read": {**read, "queries": read["qrels"]},
    }  # fmt: skip
    value = retrieval_manifest([subset], ["webfaq"], [])
    edit_manifest(
        folder, artifact="webfaq-domains-retrieval", extra=value["extra"], files=entries,
        recipe=value["recipe"], content_digest=file_sha256(folder / name)[:32],
    )  # fmt: skip
    return folder


def test_retrieval_folders_are_compared_by_part(small: Path, tmp_path: Path) -> None:
    texts = [{"id": f"d{n}", "text": f"text {n}", "domain": "health"} for n in range(4)]
    pairs = [
        {"query-id": f"q{n}", "corpus-id": f"d{n}", "score": 1, "domain": "health"}
        for n in range(4)
    ]
    one = retrieval(tmp_path / "one", small, texts, pairs)
    changed = [
        {**texts[0], "text": "another text"}, {**texts[1], "domain": "legal"}, *texts[2:],
        {"id": "d9", "text": "new", "domain": "travel"},
    ]  # fmt: skip
    other = retrieval(tmp_path / "other", small, changed, pairs[1:])
    found = compared(one, other)
    corpus = Label("webfaq/corpus", "deu", "health", "test")
    assert found.rows.changed == {corpus: 1}
    assert found.rows.relabelled == {(corpus, "legal"): 1}
    assert found.rows.added == {corpus._replace(domain="travel"): 1}
    assert found.rows.removed == {corpus._replace(part="webfaq/qrels"): 1}
    assert found.level == "minor"


def test_the_command_prints_json(small: Path, tmp_path: Path) -> None:
    new = revise(small, tmp_path / "new", lambda rows: rows[1:])
    shown = CliRunner().invoke(main, ["diff", str(small), str(new), "--json"])
    assert shown.exit_code == 0
    found = json.loads(shown.stdout)
    first = rows_of(small)[0]
    assert found["rows"]["removed"] == [
        {
            "language": first["language"],
            "domain": first["domain"],
            "split": first["split"],
            "rows": 1,
        }
    ]
    assert (found["level"], found["suggested"]) == ("minor", "1.0.0")
