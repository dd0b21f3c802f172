"""A file that was changed is one error that names the file, whatever was changed: never a traceback."""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tinyresults import write_results
from webfaq_eval.benchmark.folder import open_benchmark
from webfaq_eval.errors import EvalError, ResultError
from webfaq_eval.experiment.records import read_cell, read_claim
from webfaq_eval.experiment.settings import Folders, cells_of, read_experiment
from webfaq_eval.results import read_queries, read_result

#: What a value is replaced by: every type of JSON, edges of numbers, and names of other things.
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2**70, 0.5, 1e308, float("nan"), float("inf"), "", "deu", "../..", "\ud800",
    [], ["x"], [None], [[["=="]]], {}, {"x": 1}, {"": None},
]  # fmt: skip
CELL = {
    "cell": "toy.none", "start": "toy", "condition": "none", "seed": -1, "pairs": 0, "run": "a" * 64,
    "results": ["m@1/b/p/x.test.json"],
}  # fmt: skip
CLAIM = {"experiment": "toy", "settings": "a", "pairs": "b", "benchmark": "c", "starts": {"e": "d"}}
TOML = """
name = "toy"
domains = ["health"]
conditions = ["none", "in-domain"]
seeds = [0, 1]
query_prefix = "query: "
[starts.toy]
encoder = "e"
revisions = ["x"]
[intermediate]
steps = 5
learning_rate = 1e-5
[train]
batch_size = 4
learning_rate = 1e-2
[score]
subsets = ["tatoeba_*"]
[cost]
tokens = 64
"""


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a JSON value."""
    yield at
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield from places(inner, (*at, key))


def changed(value: Any, rng: random.Random) -> Any:
    """Return a copy with one value replaced, taken away, renamed or added."""
    value = copy.deepcopy(value)
    *way, last = rng.choice([one for one in places(value) if one])
    holder = value
    for key in way:
        holder = holder[key]
    kind = rng.randrange(4)
    if kind == 0 and isinstance(holder, dict):
        del holder[last]
    elif kind == 1 and isinstance(holder, dict):
        holder[rng.choice(["x", "", "read", "name"])] = holder.pop(last)
    elif kind == 2 and isinstance(holder, dict):
        holder[rng.choice(["surprise", "extra", "setting"])] = rng.choice(VALUES)
    else:
        holder[last] = rng.choice(VALUES)
    return value


def changed_bytes(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes cut, doubled, or with one of them another."""
    at = rng.randrange(len(data))
    return rng.choice([data[:at], data + data, data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]])  # fmt: skip


def hold(read: Callable[[], Any]) -> bool:
    """Read; return whether it was refused. Any error but ours is a fault of the reader."""
    try:
        read()
    except EvalError as error:
        assert "\n" not in str(error)[:200]
        return True
    return False


@pytest.fixture(scope="module")
def result_path(tmp_path_factory: pytest.TempPathFactory, bench_folder: Path) -> Path:
    folder = write_results(
        tmp_path_factory.mktemp("t") / "r", bench_folder, "org/a", 1, ("lareqa_deu",)
    )
    return next(folder.rglob("*.json"))


def tamper_all(result: Path, bench: Path, work: Path, rounds: int) -> int:
    """Read every kind of file in `rounds` changed versions; return how many were refused."""
    rng, refused = random.Random(0), 0
    files: list[tuple[str, bytes, Callable[[Path], Any]]] = [
        ("cell.json", json.dumps(CELL).encode(), read_cell),
        ("claim.json", json.dumps(CLAIM).encode(), read_claim),
        ("toy.toml", TOML.encode(), lambda path: cells_of(read_experiment(path))),
        ("x.json", result.read_bytes(), lambda path: (read_result(path), read_queries(path))),
        (
            "bench/manifest.json",
            (bench / "manifest.json").read_bytes(),
            lambda path: open_benchmark(path.parent).subsets[0].load(),
        ),
    ]
    shutil.copy(result.with_suffix(".parquet"), work / "x.parquet")
    shutil.copytree(bench, work / "bench")
    for name, data, read in files:
        path = work / name
        for number in range(rounds):
            whole = number % 3 and name.endswith(".json")
            new = json.dumps(changed(json.loads(data), rng)).encode() if whole else None
            path.write_bytes(new or changed_bytes(data, rng))
            refused += hold(lambda read=read, path=path: read(path))
    return refused


def test_changed_files_are_refused_or_read(
    result_path: Path, bench_folder: Path, tmp_path: Path
) -> None:
    assert tamper_all(result_path, bench_folder, tmp_path, 60) > 100


@pytest.mark.slow
def test_many_changed_files_are_refused_or_read(
    result_path: Path, bench_folder: Path, tmp_path: Path
) -> None:
    assert tamper_all(result_path, bench_folder, tmp_path, 1000) > 2000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seeds = [0, 1]", 'seeds = ["0"]'),
        ("steps = 5", 'steps = "5"'),
        ("steps = 5", "stepz = 5"),
        ("batch_size = 4", "batch_size = true"),
        ("learning_rate = 1e-2", "learning_rate = nan"),
        ('domains = ["health"]', 'domains = "health"'),
        ('[starts.toy]\nencoder = "e"', "[starts]\ntoy = 5"),
    ],
)
def test_a_wrong_type_in_an_experiment_is_named(tmp_path: Path, old: str, new: str) -> None:
    assert old in TOML
    (tmp_path / "toy.toml").write_text(TOML.replace(old, new))
    with pytest.raises(EvalError, match=r"toy.toml: .*expected"):
        read_experiment(tmp_path / "toy.toml")


def test_a_table_of_other_types_is_refused(result_path: Path, tmp_path: Path) -> None:
    shutil.copy(result_path, tmp_path / "x.json")
    table = pq.read_table(result_path.with_suffix(".parquet"))
    for name, values in (
        ("query-id", pa.array(range(len(table)))),
        ("run_ids", pa.array([None] * len(table), pa.list_(pa.string()))),
        ("official/mrr", pa.array(["x"] * len(table))),
    ):
        at = table.column_names.index(name)
        pq.write_table(table.set_column(at, name, values), tmp_path / "x.parquet")
        with pytest.raises(ResultError, match=r"x\.parquet: .*(type|missing)"):
            read_queries(tmp_path / "x.json")


def test_records_outside_the_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(json.dumps({**CELL, "results": ["../../x.json"]}))
    with pytest.raises(ResultError, match="lies outside"):
        read_cell(tmp_path / "c.json")
    assert Folders(tmp_path).record.name == "experiment.json"
