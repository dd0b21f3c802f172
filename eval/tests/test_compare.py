"""Comparing models: what is paired, what is refused, what the rows say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from tinyresults import write_bucc, write_results
from webfaq_eval.cli.results import compare as command
from webfaq_eval.errors import EvalError, ResultError
from webfaq_eval.results import read_result
from webfaq_eval.statistics.compare import Settings, compare
from webfaq_eval.statistics.pairing import f1_shares, read_side

FAST = Settings(samples=100, exchanges=2000)
SUBSETS = ("tatoeba_deu*", "lareqa_*", "mewslix_deu", "webfaq_deu")


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory, bench_folder: Path) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("compare")
    weak = write_results(root, bench_folder, "weak", 0.5, SUBSETS)
    return weak, write_results(root, bench_folder, "strong", 4.0, SUBSETS)


def rewrite(path: Path, **changes: object) -> None:
    data = json.loads(path.read_text())
    data["benchmark"] |= changes
    path.write_text(json.dumps(data))


def test_each_cell_has_difference_interval_and_n(sides):
    result = compare(sides, FAST, quiet=True)
    assert len(result.cells) == len(read_side(sides[0]).results)
    for row in result.cells:
        assert row.low <= row.difference <= row.high
        assert row.difference == pytest.approx(row.other_value - row.baseline_value)
        assert row.p <= row.p_corrected <= 1
        assert row.n >= row.items >= 1
        assert 0 < row.smallest <= 1
    whole = [row for row in result.cells if row.task == "lareqa" and row.domain is None]
    assert len(whole) == 3
    assert all(row.p_corrected < 0.05 for row in whole)


def test_a_cell_is_the_mean_of_paired_queries(sides):
    result = compare(sides, FAST, quiet=True)
    row = next(r for r in result.cells if (r.task, r.language, r.domain) == ("webfaq", "deu", None))
    tables = [pq.read_table(next(side.rglob("webfaq_deu.test.parquet"))) for side in sides]
    weak, strong = (np.asarray(t["official/ndcg_at_10"]) for t in tables)
    assert row.difference == pytest.approx(float((strong - weak).mean()))


def test_languages_are_pooled_with_items_as_clusters(sides):
    result = compare(sides, FAST, quiet=True)
    row = next(r for r in result.pooled if (r.task, r.domain) == ("lareqa", None))
    assert (row.language, row.languages, row.n, row.items) == (None, 3, 72, 24)


def test_the_order_of_rows_in_a_table_does_not_matter(sides, tmp_path):
    copy = shutil.copytree(sides[1], tmp_path / sides[1].name)
    for path in copy.rglob("*.parquet"):
        table = pq.read_table(path)
        pq.write_table(table.take(np.arange(len(table))[::-1]), path)
    assert compare([sides[0], copy], FAST, quiet=True) == compare(sides, FAST, quiet=True)


def test_another_metric_and_judgement_can_be_asked_for(sides):
    settings = Settings(metric="recall_at_10", judgements="duplicate", samples=50, exchanges=100)
    assert {row.metric for row in compare(sides, settings, quiet=True).cells} == {"recall_at_10"}


def test_what_only_one_side_has_is_named(sides, tmp_path):
    copy = shutil.copytree(sides[1], tmp_path / sides[1].name)
    for path in copy.rglob("mewslix_deu.test.*"):
        path.unlink()
    result = compare([sides[0], copy], FAST, quiet=True)
    assert result.left_out == [f"mewslix_deu: only {read_side(sides[0]).name} has it"]


def test_two_benchmark_revisions_are_refused(sides, tmp_path):
    copy = shutil.copytree(sides[1], tmp_path / sides[1].name)
    rewrite(next(copy.rglob("mewslix_deu.test.json")), revision="f" * 40)
    with pytest.raises(ResultError, match="two revisions of xtreme-r-domains"):
        compare([sides[0], copy], FAST, quiet=True)


def test_other_queries_are_refused(sides, tmp_path):
    copy = shutil.copytree(sides[1], tmp_path / sides[1].name)
    path = next(copy.rglob("mewslix_deu.test.parquet"))
    table = pq.read_table(path)
    ids = ["other", *table["query-id"].to_pylist()[1:]]
    pq.write_table(table.set_column(0, "query-id", [ids]), path)
    with pytest.raises(ResultError, match="not of the same queries"):
        compare([sides[0], copy], FAST, quiet=True)


def test_a_missing_table_is_an_error(sides, tmp_path):
    copy = shutil.copytree(sides[1], tmp_path / sides[1].name)
    next(copy.rglob("webfaq_deu.test.parquet")).unlink()
    with pytest.raises(ResultError, match=r"webfaq_deu.test.parquet cannot be read"):
        compare([sides[0], copy], FAST, quiet=True)


def test_a_folder_of_two_models_is_refused(sides):
    with pytest.raises(ResultError, match="twice"):
        compare([sides[0].parent, sides[1]], FAST, quiet=True)


def test_a_model_is_not_compared_with_itself(sides):
    with pytest.raises(ResultError, match="named more than once"):
        compare([sides[0], sides[0]], FAST, quiet=True)


def test_the_command_prints_a_table_or_json_and_writes_a_file(sides, tmp_path):
    out = tmp_path / "difference.json"
    names = [str(side) for side in sides]
    shown = CliRunner().invoke(command, [*names, "--out", str(out)])
    assert shown.exit_code == 0, shown.output
    assert (
        "mean pooling, last layer" in shown.output
        and read_side(sides[0]).protocol[:12] in shown.output
    )
    assert "p Holm" in shown.output and "n counts queries" in shown.output
    printed = CliRunner().invoke(command, [*names, "--json"])
    assert json.loads(printed.output) == json.loads(out.read_text())
    assert json.loads(out.read_text())["families"]["cells"] == len(list(sides[0].rglob("*.json")))


def test_an_unknown_metric_is_an_error(sides):
    with pytest.raises(EvalError, match="nope is not kept per query"):
        compare(sides, Settings(metric="nope"), quiet=True)


def test_shares_of_f1_have_f1_as_mean_and_move_with_it():
    rng = np.random.default_rng(0)
    parts = 2.0 * (rng.random(200) < 0.6)
    wholes = parts + (rng.random(200) < 0.3)
    shares = f1_shares(parts, wholes)
    assert shares.mean() == pytest.approx(parts.sum() / wholes.sum())
    more = np.ones(200)
    more[:20] = 1.1
    moved = (more * parts).sum() / (more * wholes).sum() - shares.mean()
    linear = (more * shares).sum() / more.sum() - shares.mean()
    assert moved == pytest.approx(linear, rel=0.1)


def test_mined_pairs_are_compared_by_f1(tmp_path, bench_folder):
    folders = [
        write_bucc(tmp_path, bench_folder, name, right) for name, right in (("a", 6), ("b", 12))
    ]
    row = compare(folders, FAST, quiet=True).cells[0]
    assert (row.metric, row.n) == ("f1", 16)
    assert row.difference == pytest.approx(row.other_value - row.baseline_value)
    assert (row.baseline_value, row.other_value) == pytest.approx((12 / 24, 24 / 30))
    assert row.low <= row.difference <= row.high and row.p < 0.05


def test_the_invented_results_are_valid(sides):
    for path in sides[0].rglob("*.json"):
        assert read_result(path).model.name == "weak"
