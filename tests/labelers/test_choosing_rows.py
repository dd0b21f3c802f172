from __future__ import annotations

import json

import numpy as np
from click.testing import CliRunner
from test_cascade import Scripted

from webfaq_domains.cli import main
from webfaq_domains.ground.taxonomy import builtin_taxonomy
from webfaq_domains.labelers.measuring.agreement import crosswalk_agreement
from webfaq_domains.labelers.measuring.baselines import KeywordBaseline
from webfaq_domains.labelers.measuring.labelled import (
    HeldOutSites,
    Labelled,
    choose_held_out,
    only_held_out,
    read_labelled,
)
from webfaq_domains.labelers.training.active_learning import Candidate, choose_rows
from webfaq_domains.labelers.training.lexicon import WordRecipe, sort_words, vocabulary_words
from webfaq_domains.labelers.training.pseudo_labels import PseudoLabelRule, sure_labels


def test_the_uncertain_rows_are_chosen_one_per_origin():
    rows = [Candidate("eng", f"Question {n}?", f"Answer {n}.", f"site{n // 2}") for n in range(8)]
    sure = {row.text: (0.9, 0.0) for row in rows}
    unsure = {rows[n].text: (0.55, 0.5) for n in (2, 3, 5)}
    chosen = choose_rows(rows, Scripted("student", {**sure, **unsure}), 2)
    origins = [row.origin for row in chosen.rows]
    assert len(set(origins)) == len(origins) == 2
    assert chosen.rows[0].text == rows[2].text
    line = json.loads(chosen.lines()[0])
    assert set(line) >= {"language", "domains", "question", "answer", "origin", "note"}


def test_the_least_alike_of_the_uncertain_rows_are_taken():
    texts = ["aaaa bbbb", "aaaa bbbc", "zzzz yyyy"]
    rows = [Candidate("eng", text, "x", f"s{n}") for n, text in enumerate(texts)]
    answers = {row.text: (0.6, 0.55) for row in rows}
    chosen = choose_rows(rows, Scripted("student", answers), 2)
    assert {row.question for row in chosen.rows} == {"aaaa bbbb", "zzzz yyyy"}


def test_held_out_sites_are_chosen_by_hash_and_whole(tmp_path):
    origins = [("health", f"site{n}.org") for n in range(6)]
    origins += [("legal", "site0.org"), ("legal", "eu.site9.org"), ("legal", "us.site9.org")]
    frozen = choose_held_out(origins, {".site9.org": "site9.org"})
    assert frozen == choose_held_out(reversed(origins), {".site9.org": "site9.org"})
    assert len(frozen.sites["health"]) == 2 and len(frozen.sites["legal"]) == 1
    frozen.write(tmp_path / "frozen.json")
    assert HeldOutSites.read(tmp_path / "frozen.json") == frozen
    rows = [Labelled("t", "eng", origin, ("health",)) for _, origin in origins]
    kept = only_held_out(rows, tmp_path / "frozen.json")
    assert 0 < len(kept) < len(rows) and all(frozen.holds(row.origin) for row in kept)


def test_labelled_files_are_read_with_what_their_origin_accepts(tmp_path):
    row = {"question": "Q?", "answer": "A.", "origin": "x.org", "source_domain": "food"}
    (tmp_path / "deu.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "acceptable_domains.json").write_text('{"origins": {"x.org": ["commerce"]}}')
    assert read_labelled(tmp_path, builtin_taxonomy()) == [
        Labelled("Q? A.", "deu", "x.org", ("other", "commerce"))
    ]


def test_foreign_labels_go_through_the_crosswalk(tmp_path):
    (tmp_path / "eng.tsv").write_text("category\theadline\ttext\nhealth\tFlu\tmore\n")
    (row,) = read_labelled(tmp_path, builtin_taxonomy(), "sib200")
    assert row.main == "health" and row.text == "Flu more"


def test_agreement_counts_overlaps_and_chance():
    labels = ["health", "health", "travel", "nonsense"]
    found = crosswalk_agreement(
        labels, ["health", "legal", "travel", "legal"], builtin_taxonomy(), "sib200"
    )
    assert found.rows == 3 and found.share == 2 / 3 and 0 < found.kappa < 2 / 3
    assert found.table["health"] == {"health": 1, "legal": 1}


def test_the_keyword_baseline_counts_terms_in_any_script():
    lexicon = {"eng": {"health": ["blood test"]}, "zho": {"finance": ["贷款"]}}
    baseline = KeywordBaseline.of(lexicon, ("health", "finance"))
    found = baseline.probabilities(["A blood test?", "如何申请贷款", "nothing"])
    assert found.tolist() == [[1, 0], [0, 1], [0, 0]]


def test_only_sure_rows_teach():
    found = sure_labels(
        np.array([[0.9, 0.7], [0.4, 0.1], [0.1, 0.0]], np.float32),
        ("health", "legal"), "other", PseudoLabelRule(),
    )  # fmt: skip
    assert found == [["health", "legal"], [], ["other"]]


def test_whole_words_of_a_vocabulary_are_found_and_sorted(tmp_path):
    pieces = ["▁vaccine", "ing", "▁a", "健康", "▁12a", "▁loan"]
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"model": {"vocab": [[piece, 0.0] for piece in pieces]}}))
    words = vocabulary_words(path)
    assert words == ["loan", "vaccine", "健康"]
    shares = np.array([[0.1, 0.9], [0.8, 0.2], [0.5, 0.5]], np.float32)
    found, plain = sort_words(words, shares, ("health", "finance"), "other", WordRecipe())
    assert found == {"health": ["vaccine"], "finance": ["loan"]} and plain == []


def test_quoted_fields_of_a_tsv_may_hold_lines_and_tabs(tmp_path):
    (tmp_path / "eng").mkdir()
    (tmp_path / "eng/dev.tsv").write_text(
        'category\theadline\ttext\turl\nhealth\tClinic\t"First ""line""\nsecond\tend"\tu\n'
    )
    assert read_labelled(tmp_path, builtin_taxonomy()) == [
        Labelled('Clinic First "line" second\tend', "eng", "", ("health",))
    ]


def test_the_command_reports_agreement_with_webfaqs_topics(tmp_path):
    rows = [
        {"question": "Which vaccine do I need?", "answer": "Ask your doctor about the vaccine.",
         "topic": "Healthcare Services, Wellness and Lifestyle", "language": "eng"},
        {"question": "How do I get a bank loan?", "answer": "Your bank checks income and credit.",
         "topic": "Banking, Financial Services and Insurance", "language": "eng"},
    ]  # fmt: skip
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = ["labeler", "eval", "--labelled", str(path), "--crosswalk", "webfaq"]
    done = CliRunner().invoke(main, [*asked, "--out", str(tmp_path / "out"), "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "out/report.json").read_text())["agreement"]
    assert found["scheme"] == "webfaq" and found["rows"] == 2
    assert found["share"] == 1.0
