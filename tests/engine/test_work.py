"""Where a result may go, what stands beside it, and how it gets there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from toybuild import Toy, sha256_of

from webfaq_domains.engine.work import Destination
from webfaq_domains.ground.errors import BuildError, StagedError

ROW = {"source": "s", "place": "p", "reason": "r", "row": "x"}
HOW = {"limit": 60, "workers": 1}


def staged(work: Path) -> Path:
    """Make a finished folder in a work folder."""
    for name in ("manifest.json", "README.md", "data/x/y.parquet"):
        path = work / "staged" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return work / "staged"


def names(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


FILES = ["README.md", "data/x/y.parquet", "manifest.json"]


@pytest.mark.parametrize("there", [False, True])
def test_a_result_is_renamed_into_place(tmp_path: Path, there: bool) -> None:
    place = Destination(tmp_path / "out")
    if there:
        place.out.mkdir()
    assert place.is_free()
    with place.open(place.work("recipe")) as work:
        place.put_in_place(staged(work))
    assert names(tmp_path) == [f"out/{name}" for name in FILES]


def test_an_empty_mount_point_is_written_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system that was mounted there cannot be renamed onto."""
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr("os.path.ismount", lambda path: Path(path) == out)
    place = Destination(out)
    work = place.work("recipe")
    assert work.is_relative_to(out)
    with pytest.raises(ZeroDivisionError), place.open(work):
        staged(work)
        (work / "staged" / "data").rename(out / "data")  # killed half-way
        raise ZeroDivisionError
    assert place.is_free() and work.is_dir()
    with place.open(work):
        place.put_in_place(work / "staged")
    assert names(out) == FILES and not (out / ".work").exists()
    assert not place.is_free()


def test_a_full_mount_point_is_not_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.ismount", lambda path: True)
    (tmp_path / "x").touch()
    assert not Destination(tmp_path).is_free()


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name, target in (("out", "folder"), ("gone", "nowhere")):
        (tmp_path / name).symlink_to(tmp_path / target)
        with pytest.raises(StagedError, match="is a symbolic link; name the folder"):
            Destination(tmp_path / name).check()


def test_two_builds_do_not_share_a_work_folder(tmp_path: Path) -> None:
    place = Destination(tmp_path / "out")
    with place.open(place.work("recipe")) as work:
        with pytest.raises(BuildError, match="another build is using"), place.open(work):
            pass
        assert place.work("another") != work


def foreign(folder: Path, name: str) -> Path:
    """Put something of the user's beside `out`."""
    path = folder / name
    if name == "out.dropped":
        (path / "Clean.empty").mkdir(parents=True)
        (path / "Clean.empty" / "000-00000-00000.parquet").touch()
        (path / "letters.txt").write_text("mine")
        return path
    if name == "link":
        (folder / "elsewhere").mkdir()
        path = folder / "out.dropped"
        path.symlink_to(folder / "elsewhere")
        return path
    path = folder / "out.quarantine.jsonl"
    path.write_text("" if name == "empty" else '{"place": "mine"}\n')
    return path


@pytest.mark.parametrize("name", ["out.dropped", "link", "out.quarantine.jsonl", "empty"])
def test_what_is_not_ours_stays(toy: Toy, tmp_path: Path, name: str) -> None:
    path = foreign(tmp_path, name)
    before = names(tmp_path)
    with pytest.raises(StagedError, match=f"{path.name} stands where the build may write"):
        toy.build(tmp_path / "out", keep_dropped=True, **HOW)
    assert names(tmp_path) == before


def test_what_an_earlier_build_left_beside_is_replaced(toy: Toy, tmp_path: Path) -> None:
    old = tmp_path / "out.dropped" / "Clean.empty" / "000-00000-00000.parquet"
    old.parent.mkdir(parents=True)
    old.touch()
    (tmp_path / "out.quarantine.jsonl").write_text(json.dumps(ROW) + "\n")
    how = {"limit": 250, "keep_dropped": True, "workers": 1}
    first = toy.build(tmp_path / "out", **how)
    side = tmp_path / "out.quarantine.jsonl"
    assert not side.exists() or json.dumps(ROW) not in side.read_text("utf-8")
    assert first.dropped and not old.exists() and names(first.dropped)
    again = toy.build(tmp_path / "out", **how)
    assert again.already_there and names(first.dropped)


def test_side_files_of_other_data_do_not_stay(toy: Toy, tmp_path: Path) -> None:
    """Rows that were dropped from an older data set say nothing of this one."""
    for folder in (tmp_path / "out.dropped" / "Clean.empty",):
        folder.mkdir(parents=True)
        (folder / "000-00000-00000.parquet").touch()
    toy.build(tmp_path / "out", **HOW)
    assert not (tmp_path / "out.dropped").exists()


def test_a_build_into_a_mount_gives_the_same_bytes(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, volume = tmp_path / "a" / "out", tmp_path / "b" / "out"
    volume.mkdir(parents=True)
    monkeypatch.setattr("os.path.ismount", lambda path: Path(path) == volume)
    for out in (plain, volume):
        toy.build(out, keep_dropped=True, **HOW)
    assert sha256_of(plain.parent) == sha256_of(volume.parent)
