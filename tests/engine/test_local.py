"""The local engine: the same reports in this process and in a pool."""

from __future__ import annotations

import os
import signal

import pyarrow as pa
import pytest

from webfaq_domains.engine.local import LocalEngine
from webfaq_domains.ground.errors import BuildError, MissingExtra, SourceError


def square(number: int) -> tuple[int, int]:
    return number, number * number


def fail(number: int) -> int:
    if number == 3:
        raise SourceError("three is no number")
    return number


def lack(number: int) -> int:
    raise MissingExtra("rdflib", "nquads")


def die(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def threads(number: int) -> tuple[int, int]:
    return os.getpid(), pa.cpu_count()


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_is_reported_once(workers: int) -> None:
    with LocalEngine(workers).open() as engine:
        for _ in range(2):
            assert sorted(engine.map(square, range(20))) == [square(n) for n in range(20)]
        assert list(engine.map(square, [])) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_our_errors_reach_the_driver(workers: int) -> None:
    with LocalEngine(workers).open() as engine:
        with pytest.raises(SourceError, match="three is no number"):
            list(engine.map(fail, range(20)))
        assert sorted(engine.map(square, range(3))) == [square(n) for n in range(3)]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_missing_extra_is_named_by_the_driver(workers: int) -> None:
    with LocalEngine(workers).open() as engine, pytest.raises(MissingExtra, match="nquads"):
        list(engine.map(lack, range(2)))


def test_a_dead_worker_is_explained() -> None:
    with LocalEngine(2).open() as engine, pytest.raises(BuildError, match="a worker process died"):
        list(engine.map(die, range(20)))


def test_a_worker_has_one_core_and_the_pool_is_shared() -> None:
    with LocalEngine(2).open() as engine:
        found = {*engine.map(threads, range(8)), *engine.map(threads, range(8))}
    assert {cores for _, cores in found} == {1}
    assert len({pid for pid, _ in found}) <= 2
    assert os.getpid() not in {pid for pid, _ in found}
