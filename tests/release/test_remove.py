"""`remove`: the rows that were asked to go are gone, all else is as it was, and the sums hold."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from revised import rows_of
from toybuild import Toy, data_of, sha256_of

from webfaq_domains.cli import main
from webfaq_domains.dataset.check import check_dataset
from webfaq_domains.ground.errors import BuildError, RecipeError, StagedError
from webfaq_domains.ground.manifest import Manifest
from webfaq_domains.ground.schema import combined, without
from webfaq_domains.release import remove as module
from webfaq_domains.release.remove import Removed, remove_rows
from webfaq_domains.steps.remove import Requests


def removed(folder: Path, out: Path, requests: Requests, removals: Path | None = None) -> Removed:
    return remove_rows(folder, out, requests, removals, quiet=True)


def some_site(folder: Path) -> str:
    return next(row["origin"] for row in rows_of(folder) if row["origin"])


def test_the_rows_of_a_site_go_and_nothing_else(small: Path, tmp_path: Path) -> None:
    site, out = some_site(small), tmp_path / "out"
    result = removed(small, out, Requests.of([site], [], []))
    before, after = rows_of(small), rows_of(out)
    assert after == [row for row in before if row["origin"] != site]
    assert result.gone == {"origin_on_request": len(before) - len(after)}
    assert (result.rows, result.unmet) == (len(after), [])
    check = check_dataset(out, load=False)
    assert check.fine, check.text()


def test_files_without_such_a_row_keep_their_bytes(small: Path, tmp_path: Path) -> None:
    row = rows_of(small)[0]
    result = removed(small, tmp_path / "out", Requests.of([], [], [row["id"]]))
    one, other = data_of(small), data_of(tmp_path / "out")
    touched = f"data/{row['domain']}/{row['language']}/{row['split']}-"
    differing = {path for path in one if one[path] != other.get(path)}
    assert differing and all(path.startswith(touched) for path in differing)
    assert (result.written, result.files) == (1, len(one))


def test_the_ledger_says_how_many_went_and_not_which(small: Path, tmp_path: Path) -> None:
    site, out = some_site(small), tmp_path / "out"
    other = next(row for row in rows_of(small) if row["origin"] != site)
    removed(small, out, Requests.of([site], [], [other["id"]]))
    before, after = Manifest.read(small), Manifest.read(out)
    gone = after.ledger.dropped["RemoveOnRequest"]
    assert gone["id_on_request"] == 1
    assert sum(gone.values()) == before.rows - after.rows
    assert after.ledger.rows_in == before.ledger.rows_in
    assert after.recipe.steps == (*before.recipe.steps, "RemoveOnRequest")
    assert after.recipe_hash != before.recipe_hash
    text = "".join(path.read_text() for path in out.iterdir() if path.is_file())
    assert site not in text and other["id"] not in text
    assert "| RemoveOnRequest | id_on_request | 1 |" in text


def test_a_second_removal_adds_to_the_first(small: Path, tmp_path: Path) -> None:
    ids = [row["id"] for row in rows_of(small)[:3]]
    listed = tmp_path / "removals.txt"
    removed(small, tmp_path / "one", Requests.of([], [], ids[:1]), listed)
    removed(tmp_path / "one", tmp_path / "two", Requests.of([], [], ids[1:]), listed)
    removed(small, tmp_path / "both", Requests(), listed)
    assert Requests.read(listed).ids == set(ids)
    assert sha256_of(tmp_path / "two") == sha256_of(tmp_path / "both")
    assert Manifest.read(tmp_path / "two").ledger.dropped["RemoveOnRequest"] == {"id_on_request": 3}


def test_the_published_hash_confirms_no_guess(small: Path, tmp_path: Path) -> None:
    asked = Requests.of([some_site(small)], [], [])
    hashes = set()
    for name in ("one", "two"):
        removed(small, tmp_path / name, asked)
        hashes.add(Manifest.read(tmp_path / name).recipe.values["removals"])
    assert len(hashes | {asked.sha256}) == 3


def test_a_build_with_the_list_leaves_the_same_rows(small: Path, toy: Toy, tmp_path: Path) -> None:
    """The toy's quota is met by a row that moves up, so the build has it and the removal has not."""
    site = some_site(small)
    listed = tmp_path / "removals.txt"
    asked = Requests.of([site], ["https://nobody.example/faq"], [])
    removed(small, tmp_path / "out", asked, listed)
    result = toy.build(tmp_path / "built", languages=("eng", "rus"), removals=listed)
    built = result.out
    assert result.unmet == ["url nobody.example/faq"]
    assert "no row matched: url nobody.example/faq" in result.text()
    ids = {row["id"] for row in rows_of(built)}
    assert ids >= {row["id"] for row in rows_of(tmp_path / "out")}
    assert site not in {row["origin"] for row in rows_of(built)}
    manifests = [Manifest.read(folder) for folder in (built, tmp_path / "out")]
    assert manifests[0].recipe.values["removals"] == manifests[1].recipe.values["removals"]
    assert manifests[0].ledger.dropped["RemoveOnRequest"]
    assert check_dataset(built, load=False).fine


def test_a_version_is_that_of_a_release_and_not_of_a_new_folder(
    staged: Path, tmp_path: Path
) -> None:
    replace(Manifest.read(staged), version="1.2.0").write(staged)
    removed(staged, tmp_path / "out", Requests.of([], [], [rows_of(staged)[0]["id"]]))
    assert Manifest.read(tmp_path / "out").version is None


def test_requests_without_a_row_are_named(small: Path, tmp_path: Path) -> None:
    asked = Requests.of(["nobody.example"], [], [rows_of(small)[0]["id"]])
    result = removed(small, tmp_path / "out", asked)
    assert result.unmet == ["origin nobody.example"]
    assert "no row matched: origin nobody.example" in result.text()
    assert Requests.read(result.removals).lines() == asked.lines()


def test_nothing_matched_is_an_error_and_leaves_nothing(small: Path, tmp_path: Path) -> None:
    with pytest.raises(
        StagedError, match=r"no row matches origin nobody\.example; nothing was made"
    ):
        removed(small, tmp_path / "out", Requests.of(["nobody.example"], [], []))
    assert not list(tmp_path.iterdir())


def test_a_removal_that_was_stopped_goes_on(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, listed = Requests.of([some_site(small)], [], []), tmp_path / "removals.txt"
    removed(small, tmp_path / "whole", asked, listed)
    copied: list[str] = []
    copy = module._copy_without

    def stop_at_the_fifth(file, *rest):
        copied.append(file.path)
        if len(copied) == 5:
            raise KeyboardInterrupt
        return copy(file, *rest)

    monkeypatch.setattr(module, "_copy_without", stop_at_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        removed(small, tmp_path / "out", asked, listed)
    assert not (tmp_path / "out").exists()
    removed(small, tmp_path / "out", asked, listed)
    assert len(copied) == len(set(copied)) + 1
    assert sha256_of(tmp_path / "out") == sha256_of(tmp_path / "whole")
    assert not (tmp_path / "out.work").exists()


def test_a_damaged_folder_is_refused(staged: Path, tmp_path: Path) -> None:
    path = staged / Manifest.read(staged).files[0].path
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StagedError, match="is not the file that the manifest lists"):
        removed(staged, tmp_path / "out", Requests.of(["x.example"], [], []))


def test_what_cannot_be_made_is_refused(small: Path, staged: Path, tmp_path: Path) -> None:
    asked = Requests.of([some_site(small)], [], [])
    with pytest.raises(RecipeError, match="nothing to remove"):
        removed(small, tmp_path / "out", Requests())
    for out in (small / "inside", small, Path("/")):
        with pytest.raises(StagedError, match="name a folder"):
            removed(small, out, asked)
    for listed in (small / "list", tmp_path / "out" / "list"):
        with pytest.raises(StagedError, match="the list is not published"):
            removed(small, tmp_path / "out", asked, listed)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    with pytest.raises(StagedError, match="exists"):
        removed(small, tmp_path / "full", asked)
    replace(Manifest.read(staged), artifact="xtreme-r-domains").write(staged)
    with pytest.raises(StagedError, match="what is made from it is built again"):
        removed(staged, tmp_path / "out", asked)
    everything = Requests.of([], [], [row["id"] for row in rows_of(small)])
    with pytest.raises(StagedError, match="no row would be left"):
        removed(small, tmp_path / "out", everything)


def test_a_full_disk_is_told_and_what_is_done_stays(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*paths):
        raise OSError(28, "No space left on device", str(paths[-1]))

    asked = Requests.of([some_site(small)], [], [])
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(BuildError, match=r"No space left on device .* run the same command again"):
        removed(small, tmp_path / "out", asked)
    monkeypatch.undo()
    assert removed(small, tmp_path / "out", asked).gone


def test_the_digest_of_the_rest_is_found_by_subtraction() -> None:
    digests = [3, 2**127, 2**128 - 1]
    assert without(combined(digests), digests[1:]) == combined(digests[:1])


def test_the_command_removes_and_prints_json(small: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(small, tmp_path / "faq")
    row = rows_of(small)[0]
    arguments = [
        "remove",
        str(folder),
        "--url",
        row["url"],
        "--out",
        str(tmp_path / "new"),
        "--json",
    ]
    shown = CliRunner().invoke(main, arguments)
    assert shown.exit_code == 0, shown.output
    found = json.loads(shown.stdout)
    assert found["gone"]["url_on_request"] >= 1
    assert found["removals"] == str(tmp_path / "new.removals.txt")
    assert row["url"] not in {other["url"] for other in rows_of(tmp_path / "new")}
