"""Chains of steps and barriers: cut into stages, carried out, and refused where they lose rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from webfaq_domains.engine.local import LocalEngine
from webfaq_domains.engine.run import Run, Shards, grouped, read_sources, run_chain, stages
from webfaq_domains.engine.tasks import read_shard
from webfaq_domains.engine.work import locked
from webfaq_domains.ground.errors import BuildError, SchemaError
from webfaq_domains.ground.schema import RAW
from webfaq_domains.sources.base import Batch, Rejected, SourceFile
from webfaq_domains.steps.base import Outcome, Sketches, Verdicts, check_chain


@dataclass(frozen=True)
class Numbers:
    """A source of numbered questions; every seventh row of a file is rejected."""

    name: str
    files: tuple[SourceFile, ...]
    rows: int = 20

    def read(self, file: SourceFile) -> Iterator[Batch]:
        for start in range(0, self.rows, 6):
            numbers = range(start, min(start + 6, self.rows))
            good = [{"question": f"{file.name} {n}", "answer": "a"} for n in numbers if n % 7]
            bad = [Rejected(f"{file.name}:{n}", "seventh", str(n)) for n in numbers if n % 7 == 0]
            yield Batch(pa.Table.from_pylist(good, schema=RAW), bad)


@dataclass(frozen=True)
class DropEnding:
    """Drop the rows whose question ends in a digit."""

    digit: str
    requires = ("question",)
    adds = ()

    def __call__(self, pairs: pa.Table) -> Outcome:
        return Outcome.drop_if(pairs, ending=pc.ends_with(pairs["question"], self.digit))


@dataclass(frozen=True)
class AddSource:
    requires = ("source",)
    adds = ("copy",)

    def __call__(self, pairs: pa.Table) -> Outcome:
        return Outcome.keep_all(pairs.append_column("copy", pairs["source"]))


@dataclass(frozen=True)
class Lose:
    """A faulty step: one row is gone, or there twice, without a reason."""

    twice: bool = False
    requires = ("question",)
    adds = ()

    def __call__(self, pairs: pa.Table) -> Outcome:
        kept = pa.concat_tables([pairs, pairs.slice(0, 1)]) if self.twice else pairs.slice(1)
        return Outcome.keep_all(kept)


@dataclass(frozen=True)
class KeepFirst:
    """A barrier: of all rows of all shards the first `rows` stay."""

    rows: int
    code: int = 1
    requires = ("question",)
    reasons = ("later",)

    def sketch(self, pairs: pa.Table) -> dict[str, np.ndarray]:
        return {"one": np.ones(len(pairs), np.uint64)}

    def plan(self, sketches: Sketches) -> list[Verdicts]:
        verdict = np.zeros(len(sketches.all("one")), np.uint8)
        verdict[self.rows :] = self.code
        return sketches.split(verdict, "one")


def numbers(*names: str, rows: int = 20) -> Numbers:
    files = tuple(SourceFile(name, "", 16 << 20, "0" * 64) for name in names)
    return Numbers("numbers", files, rows)


@pytest.fixture(params=[1, 2])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    with LocalEngine(request.param).open() as engine:
        yield Run(tmp_path / "work", engine, shard_rows=8, quiet=True)


@pytest.fixture
def here(tmp_path: Path) -> Run:
    """A run in this process."""
    return Run(tmp_path / "work", LocalEngine(), shard_rows=8, quiet=True)


def questions(shards: Shards) -> list[str]:
    return [q for path in shards.paths for q in read_shard(path)["question"].to_pylist()]


def expected(*names: str, rows: int = 20) -> list[str]:
    return [f"{name} {n}" for name in names for n in range(rows) if n % 7]


def test_sources_become_shards_in_order(run: Run) -> None:
    shards = read_sources([numbers("a", "b"), numbers("c", rows=3)], run)
    assert questions(shards) == [*expected("a", "b"), *expected("c", rows=3)]
    assert [len(read_shard(path)) for path in shards.paths] == [8, 8, 1, 8, 8, 1, 2]
    assert shards.ledger.quarantined == {"seventh": 7}
    assert shards.ledger.rows_in == 43
    shards.ledger.close()
    assert shards.rejected[0] == ["numbers", "a:0", "seventh", "0"]


def test_a_chain_drops_by_reason_and_plan(run: Run) -> None:
    shards = read_sources([numbers("a", "b")], run)
    shards = run_chain(shards, [DropEnding("3"), KeepFirst(20), AddSource()], run)
    left = [question for question in expected("a", "b") if not question.endswith("3")]
    assert questions(shards) == left[:20]
    assert read_shard(shards.paths[0]).column_names[-2:] == ["source", "copy"]
    assert shards.ledger.dropped == {
        "DropEnding": {"ending": 34 - len(left)},
        "KeepFirst": {"later": len(left) - 20},
    }
    shards.ledger.close()
    assert sum(shards.rows) == shards.ledger.rows_out == 20


def test_a_finished_run_is_not_done_again(here: Run) -> None:
    chain = [DropEnding("3"), KeepFirst(20), KeepFirst(10)]
    first = run_chain(read_sources([numbers("a")], here), chain, here)
    again = run_chain(read_sources([numbers("a")], here), chain, here)
    assert (again.paths, again.rows) == (first.paths, first.rows)
    assert again.ledger == first.ledger
    assert questions(again) == questions(first)


def test_the_state_of_a_stage_is_freed_by_the_next(here: Run) -> None:
    shards = read_sources([numbers("a", "b")], here)
    run_chain(shards, [DropEnding("3"), KeepFirst(20), AddSource()], here)
    left = {path.parent.name for path in here.work.rglob("*.arrow")}
    assert left == {"stage-1"}
    assert not list(here.work.rglob("*.sketch"))


def test_no_shard_at_all_is_no_trouble(here: Run) -> None:
    shards = read_sources([numbers("a", rows=1)], here)
    assert (shards.paths, shards.ledger.rows_in) == ([], 1)
    shards = run_chain(shards, [DropEnding("3"), KeepFirst(2), AddSource()], here)
    shards.ledger.close()
    assert shards.paths == []


@pytest.mark.parametrize("step", [Lose(), Lose(twice=True), KeepFirst(5, code=2)])
def test_a_chain_that_loses_or_invents_rows_is_refused(run: Run, step: Any) -> None:
    shards = read_sources([numbers("a")], run)
    with pytest.raises(BuildError, match=r"the ledger does not close.*a bug in a step"):
        run_chain(shards, [AddSource(), step], run)


def test_a_plan_for_other_shards_is_refused(here: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeepFirst, "plan", lambda self, sketches: [])
    with pytest.raises(BuildError, match="a plan has 0 verdicts for 3 shards"):
        run_chain(read_sources([numbers("a")], here), [KeepFirst(5)], here)


def test_a_chain_is_cut_at_its_barriers() -> None:
    one, two, three = DropEnding("1"), DropEnding("2"), AddSource()
    first, second = KeepFirst(2), KeepFirst(1)
    assert stages([one, two, first, second, three]) == [
        (None, (one, two), first),
        (first, (), second),
        (second, (three,), None),
    ]
    assert stages([]) == [(None, (), None)]


def test_a_chain_that_does_not_connect_is_refused() -> None:
    with pytest.raises(SchemaError, match="AddSource needs the columns source; missing: source"):
        check_chain(RAW.names, [DropEnding("1"), AddSource()])
    with pytest.raises(SchemaError, match="AddSource adds 'copy', which is already there"):
        check_chain([*RAW.names, "source"], [AddSource(), AddSource()])
    check_chain([*RAW.names, "source"], [KeepFirst(1), AddSource()])


def test_small_files_share_a_task() -> None:
    sizes = (1, 10 << 20, 7 << 20, 1, 40 << 20, 1)
    files = [SourceFile(str(n), "", size, "") for n, size in enumerate(sizes)]
    assert [[file.name for file in group] for group in grouped(files)] == [
        ["0", "1", "2"], ["3", "4"], ["5"],
    ]  # fmt: skip
    assert grouped([]) == []


def test_a_work_folder_has_one_holder(tmp_path: Path) -> None:
    with locked(tmp_path / "work"):
        refused = pytest.raises(BuildError, match=r"another build is using .*work")
        with refused, locked(tmp_path / "work"):
            pass
        with locked(tmp_path / "other"):
            pass
    with locked(tmp_path / "work"):
        pass
