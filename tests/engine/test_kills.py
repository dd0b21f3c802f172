"""A build that is killed goes on when it is started again, and ends with the same bytes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from toybuild import Toy, command, run_cli, sha256_of

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


#: Many shards and few cells; in this process, and on the command line.
HOW: dict[str, Any] = {"shard_rows": 20, "languages": ("eng", "rus")}
OPTIONS = ["--shard-rows", 20, "--languages", "eng,rus"]


@contextmanager
def started(toy: Toy, out: Path, workers: int = 2) -> Iterator[subprocess.Popen[str]]:
    """Start the toy build as a process group of its own, in 15 shards; leave none of it behind."""
    arguments = [*toy.arguments(out), *OPTIONS, "--workers", workers]
    process = subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
        # A shell that runs the tests in the background hands down that Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        yield process
    finally:
        if members(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def members(session: int, words: str = "") -> list[int]:
    """Return the processes of a session that have not ended, by a word of their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, of = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            line = (folder / "cmdline").read_text() if int(of) == session else ""
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(of) == session and state != "Z" and words in line:
            found.append(int(folder.name))
    return found


def workers_of(driver: int) -> list[int]:
    """Return the pool's processes of a driver, without multiprocessing's resource tracker."""
    return members(driver, "spawn_main")


def markers(out: Path) -> int:
    """Return how many tasks of a build are finished."""
    work = out.with_name(f"{out.name}.work")
    return sum(name.endswith(".json") for _, _, names in os.walk(work) for name in names)


def wait_for(condition: object, seconds: float = 30.0) -> None:
    """Wait until a function says yes."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


def kill_after(process: subprocess.Popen[str], out: Path, more: int, pause: float) -> bool:
    """Kill the whole group when `more` tasks are finished; tell whether it still ran."""
    goal = markers(out) + more
    wait_for(lambda: process.poll() is not None or markers(out) >= goal)
    time.sleep(pause)
    ran = process.poll() is None
    if ran:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return ran


def left_beside(out: Path) -> list[str]:
    return sorted(path.name for path in out.parent.iterdir() if path != out)


def finish(toy: Toy, out: Path, small: Path) -> None:
    """Start once more without a kill: the bytes of an uninterrupted build, and nothing else."""
    toy.build(out, **HOW)
    assert sha256_of(out) == sha256_of(small)
    assert left_beside(out) == [f"{out.name}.quarantine.jsonl"]


def test_three_kills_of_the_whole_group_change_no_byte(
    toy: Toy, small: Path, tmp_path: Path
) -> None:
    out, chance = tmp_path / "out", random.Random()
    for _ in range(3):
        with started(toy, out) as process:
            assert kill_after(process, out, chance.randrange(1, 35), 0.01 * chance.random())
        assert not out.exists()
    finish(toy, out, small)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_many_kills_change_no_byte(toy: Toy, small: Path, tmp_path: Path, seed: int) -> None:
    out, chance, kills = tmp_path / "out", random.Random(seed), 0
    while kills < 6 and not out.exists():
        with started(toy, out, chance.randrange(1, 3)) as process:
            kills += kill_after(process, out, chance.randrange(1, 30), 0.03 * chance.random())
    assert kills >= 4
    finish(toy, out, small)


#: Runs a build that kills itself at a rename whose target ends with the first argument, before it
#: (the temporary file stays) or after it.
SUICIDE = """
import os, signal, sys
from pathlib import Path
from toybuild import Toy
ending, moment, faq, student, recipe, out, dropped = sys.argv[1:]
rename = os.replace
def replace(source, target):
    here = str(target).endswith(ending)
    if here and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    rename(source, target)
    if here:
        os.kill(os.getpid(), signal.SIGKILL)
os.replace = replace
toy = Toy(Path(faq), Path(student), Path(recipe))
toy.build(
    Path(out), shard_rows=20, languages=("eng", "rus"), keep_dropped=dropped == "dropped"
)
"""


def die_at(toy: Toy, out: Path, ending: str, moment: str, dropped: str = "") -> None:
    arguments = [ending, moment, toy.faq, toy.student, toy.recipe, out, dropped]
    process = subprocess.run(
        [sys.executable, "-c", SUICIDE, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("ending", "moment"),
    [
        ("train-00000-of-00001.parquet", "before"),
        pytest.param(".quarantine.jsonl", "before", marks=pytest.mark.slow),
        ("out", "after"),
    ],
)
def test_a_kill_at_a_rename_leaves_nothing_behind(
    toy: Toy, small: Path, tmp_path: Path, ending: str, moment: str
) -> None:
    out = tmp_path / "out"
    die_at(toy, out, ending, moment)
    finish(toy, out, small)


@pytest.mark.parametrize(
    ("ending", "asked"),
    [
        pytest.param("-00002.parquet", "dropped", marks=pytest.mark.slow),
        ("plan.json", ""),
    ],
)
def test_after_a_kill_all_dropped_rows_are_there(
    toy: Toy, tmp_path: Path, ending: str, asked: str
) -> None:
    """Whether they were asked for from the start, or only when the build went on."""
    out, other = tmp_path / "out", tmp_path / "other"
    die_at(toy, out, ending, "before", asked)
    for folder in (out, other):
        toy.build(folder, keep_dropped=True, **HOW)
    assert sha256_of(tmp_path / "out.dropped") == sha256_of(tmp_path / "other.dropped")


def test_a_dead_worker_is_named_and_a_rerun_finishes(toy: Toy, small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with started(toy, out) as process:
        wait_for(lambda: markers(out) >= 5)
        os.kill(workers_of(process.pid)[0], signal.SIGKILL)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "Error: a worker process died" in errors
        assert "run the same command again" in errors
        assert "Traceback" not in errors
        wait_for(lambda: not members(process.pid))
    finish(toy, out, small)


def test_an_interrupt_is_explained_and_a_rerun_finishes(
    toy: Toy, small: Path, tmp_path: Path
) -> None:
    """At its worst moment: while a worker starts, which must leave Ctrl-C to the driver."""
    out = tmp_path / "out"
    with started(toy, out) as process:
        wait_for(lambda: len(workers_of(process.pid)) == 2)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "Error: interrupted; run the same command again to go on" in errors
        assert "Traceback" not in errors
        wait_for(lambda: not members(process.pid))
    assert markers(out) >= 1
    finish(toy, out, small)


def test_workers_end_when_their_driver_is_killed(toy: Toy, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with started(toy, out) as process:
        wait_for(lambda: markers(out) >= 5)
        assert workers_of(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        wait_for(lambda: not members(process.pid), 5.0)


def test_a_second_build_is_refused_while_the_first_runs(
    toy: Toy, small: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with started(toy, out, workers=1) as process:
        wait_for(lambda: markers(out) >= 1)
        os.kill(process.pid, signal.SIGSTOP)
        second = run_cli(*toy.arguments(out), *OPTIONS)
        assert second.returncode == 1
        assert second.stderr.startswith("Error: another build is using")
        os.kill(process.pid, signal.SIGCONT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert sha256_of(out) == sha256_of(small)
