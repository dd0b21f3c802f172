"""Conditions hold exactly the pairs that they say, drawn by content, frozen before training."""

import hashlib
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from tinypairs import many, pair, row, standard, write_pairs
from webfaq_eval.cli import main
from webfaq_eval.errors import TaskDataError, TrainingError
from webfaq_eval.pairs.conditions import control_warnings, parse_condition, select
from webfaq_eval.pairs.held_out import hold_out
from webfaq_eval.pairs.overview import compare_conditions
from webfaq_eval.pairs.pair_list import PAIRS, read_pair_list, write_pair_list
from webfaq_eval.pairs.pairs import format_ids, open_pairs, read_for_conditions, read_index
from webfaq_eval.pairs.settings import Draw


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return standard(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(scope="module")
def index(folder):
    return read_index(open_pairs(folder), "train")


def chosen(index, text, draw=None):
    return select(index, parse_condition(text), draw or Draw())


def test_sizes_are_exact_per_language(index):
    assert chosen(index, "none").languages == {}
    assert chosen(index, "all").languages == {"deu": 60, "fra": 30, "swa": 20}
    assert chosen(index, "in-domain:health").languages == {"deu": 20, "fra": 5, "swa": 8}
    assert chosen(index, "random:health").languages == {"deu": 20, "fra": 5, "swa": 8}
    assert chosen(index, "out-of-domain:health").languages == {"deu": 40, "fra": 25, "swa": 12}
    assert chosen(index, "english:health").languages == {"eng": 33}


def test_in_and_out_of_domain_part_all(index):
    inside, outside = chosen(index, "in-domain:health"), chosen(index, "out-of-domain:health")
    both = np.concatenate([inside.rows, outside.rows])
    assert sorted(both) == sorted(chosen(index, "all").rows)
    assert set(index.domain[inside.rows]) == {index.domains.index("health")}


def test_the_limit_per_language_holds_and_random_follows_it(index):
    draw = Draw(seed=3, pairs_per_language=6)
    assert chosen(index, "all", draw).languages == {"deu": 6, "fra": 6, "swa": 6}
    assert chosen(index, "in-domain:health", draw).languages == {"deu": 6, "fra": 5, "swa": 6}
    assert chosen(index, "random:health", draw).languages == {"deu": 6, "fra": 5, "swa": 6}
    assert len(chosen(index, "english:health", draw)) == 17


def test_the_seed_draws_and_the_order_of_rows_does_not(folder, index, tmp_path):
    one = set(format_ids(index.ids[chosen(index, "random:health").rows]))
    other = set(format_ids(index.ids[chosen(index, "random:health", Draw(seed=1)).rows]))
    assert one != other
    rows = [
        line
        for file in sorted((folder / "data").rglob("train-*"))
        for line in pq.read_table(file).to_pylist()
    ]
    again = read_index(open_pairs(write_pairs(tmp_path, {"train": rows[::-1]})), "train")
    assert set(format_ids(again.ids[chosen(again, "random:health").rows])) == one


def test_random_is_not_biased_to_a_domain(tmp_path):
    counts = {("deu", "health"): 500, ("deu", "travel"): 1500}
    index = read_index(open_pairs(write_pairs(tmp_path, {"train": many(counts)})), "train")
    inside, drawn = chosen(index, "in-domain:health"), chosen(index, "random:health")
    share = len(np.intersect1d(inside.rows, drawn.rows)) / 500
    assert 0.18 < share < 0.32  # a quarter of the pool is health
    assert control_warnings(index, inside, drawn) == []


def test_a_control_that_is_none_and_missing_english_are_said(tmp_path):
    counts = {("deu", "health"): 9, ("deu", "travel"): 1, ("eng", "health"): 4}
    index = read_index(open_pairs(write_pairs(tmp_path, {"train": many(counts)})), "train")
    english = chosen(index, "english:health")
    assert len(english) == 4
    assert "4 pairs where in-domain:health has 9" in english.warnings[0]
    inside, drawn = chosen(index, "in-domain:health"), chosen(index, "random:health")
    assert "hardly a control in 1 of 1 languages" in control_warnings(index, inside, drawn)[0]


@pytest.mark.parametrize("text", ["", "random", "all:health", "in-domain:", "other:health"])
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(TrainingError, match="in-domain:DOMAIN"):
        parse_condition(text)


def test_an_unknown_domain_lists_the_known(index):
    with pytest.raises(TaskDataError, match="health, technology, travel"):
        chosen(index, "in-domain:sports")


def test_the_list_of_pairs_can_be_checked_by_hand(folder, index, tmp_path):
    selection = chosen(index, "in-domain:health")
    how = (Draw(), hold_out(frozenset(), frozenset()))
    written = write_pair_list(tmp_path, open_pairs(folder), index, selection, how)
    table = pq.read_table(tmp_path / PAIRS)
    ids = table["id"].to_pylist()
    assert ids == sorted(ids) and len(ids) == 33
    assert (
        written.record.sha256 == hashlib.sha256("".join(f"{i}\n" for i in ids).encode()).hexdigest()
    )
    assert set(table["domain"].to_pylist()) == {"health"}
    assert written.record.languages == {"deu": 20, "fra": 5, "swa": 8}
    assert np.array_equal(read_pair_list(tmp_path).ids, written.ids)


def test_another_list_in_the_same_folder_and_a_changed_one_are_refused(folder, index, tmp_path):
    pairs, how = open_pairs(folder), (Draw(), hold_out(frozenset(), frozenset()))
    write_pair_list(tmp_path, pairs, index, chosen(index, "in-domain:health"), how)
    with pytest.raises(TrainingError, match="give another --out"):
        write_pair_list(tmp_path, pairs, index, chosen(index, "random:health"), how)
    table = pq.read_table(tmp_path / PAIRS)
    pq.write_table(table.slice(1), tmp_path / PAIRS)
    with pytest.raises(TrainingError, match="was changed after it was written"):
        read_pair_list(tmp_path)


def test_held_out_by_label_and_code_of_a_member_language(folder):
    _, index, check = read_for_conditions(folder, frozenset({"swh"}))
    assert chosen(index, "all").languages == {"deu": 60, "fra": 30}
    assert check.found["label"] == 20


@pytest.mark.needs("langid")
def test_held_out_text_under_another_label_is_dropped(tmp_path):
    question, answer = "ฉันจะสั่งซื้อยาได้อย่างไร", "สั่งซื้อได้ทางเว็บไซต์ของเราและชำระเงินภายหลัง"
    hidden = row("deu", "health", question, answer, "x.example")
    half = row("deu", "health", pair("deu", "health", 901)["question"], answer, "x.example")
    rows = [*many({("deu", "health"): 10}), hidden, half]
    folder = write_pairs(tmp_path, {"train": rows})
    _, index, check = read_for_conditions(folder, frozenset({"tha"}))
    assert check.checked == "labels and lid.176.ftz"
    assert check.found == {"label": 0, "text labelled deu": 2}
    assert len(chosen(index, "all")) == 10


def test_an_unknown_held_out_language_is_refused(folder):
    with pytest.raises(TaskDataError, match="xqz"):
        read_for_conditions(folder, frozenset({"xqz"}))


def test_an_overview_compares_all_conditions(folder):
    found = compare_conditions(folder, "health", Draw(), frozenset())
    assert found.overlaps["in-domain:health"]["all"] == 1.0
    assert found.overlaps["in-domain:health"]["out-of-domain:health"] == 0.0
    assert found.overlaps["random:health"]["english:health"] == 0.0
    text = found.text()
    assert "random:health" in text and "20 (60.6%)" in text


def test_the_command_prints_json(folder):
    result = CliRunner().invoke(
        main, ["conditions", "--pairs", str(folder), "--domain", "health", "--json"]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["conditions"]
    assert found["random:health"]["pairs"] == found["in-domain:health"]["pairs"] == 33
    assert len(found["all"]["sha256"]) == 64


def test_a_folder_that_is_no_pairs_and_one_that_lacks_a_file_are_refused(tmp_path):
    with pytest.raises(TaskDataError, match="neither a folder nor"):
        open_pairs(tmp_path / "missing")
    with pytest.raises(TaskDataError, match=r"manifest\.json"):
        open_pairs(tmp_path)
    folder = standard(tmp_path)
    next(folder.rglob("train-*")).unlink()
    with pytest.raises(TaskDataError, match="lacks 1 files"):
        open_pairs(folder)


def test_rows_that_differ_from_the_manifest_are_refused(tmp_path):
    folder = standard(tmp_path)
    file = next(folder.rglob("train-*"))
    pq.write_table(pq.read_table(file).slice(1), file)
    with pytest.raises(TaskDataError, match="the manifest says"):
        read_index(open_pairs(folder), "train")
