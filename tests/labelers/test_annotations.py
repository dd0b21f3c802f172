from __future__ import annotations

import json
from pathlib import Path

import pytest
from toylabels import toy_rows, write_rows

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.taxonomy import builtin_taxonomy
from webfaq_domains.labelers.training.annotations import hold_out, read_annotations

GOOD = {"language": "eng", "domains": ["health"], "question": "A cough?", "answer": "Rest."}


def written(folder: Path, *entries: object) -> Path:
    lines = [entry if isinstance(entry, str) else json.dumps(entry) for entry in entries]
    (folder / "eng.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"domains": ["medicine"]}, "unknown domain 'medicine'"),
        ({"domains": ["other", "health"]}, "'other' stands alone"),
        ({"domains": []}, "at least one slug"),
        ({"domains": ["health", "health"]}, "named twice"),
        ({"answer": "  "}, "'answer' is empty"),
        ({"question": None}, "'question' is empty"),
        ({"language": "deu"}, "the file name says 'eng'"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused_with_its_line(tmp_path, change, complaint):
    folder = written(tmp_path, GOOD, {**GOOD, "question": "Another?", **change})
    with pytest.raises(LabelerError) as refused:
        read_annotations(folder, builtin_taxonomy())
    assert complaint in str(refused.value)
    assert "eng.jsonl:2" in str(refused.value)


def test_the_same_text_with_other_domains_is_refused_with_both_lines(tmp_path):
    folder = written(tmp_path, GOOD, "", {**GOOD, "question": "a COUGH", "domains": ["other"]})
    with pytest.raises(LabelerError, match=r"eng.jsonl:3.*eng.jsonl:1"):
        read_annotations(folder, builtin_taxonomy())


def test_an_exact_repeat_counts_once(tmp_path):
    assert len(read_annotations(written(tmp_path, GOOD, GOOD), builtin_taxonomy())) == 1


def test_a_line_that_is_not_json_is_named(tmp_path):
    with pytest.raises(LabelerError, match=r"eng\.jsonl:2: not JSON"):
        read_annotations(written(tmp_path, GOOD, "{"), builtin_taxonomy())


def test_a_folder_without_annotations_is_refused(tmp_path):
    with pytest.raises(LabelerError, match="no annotations"):
        read_annotations(tmp_path, builtin_taxonomy())


def test_holding_out_keeps_a_row_on_its_side_when_others_go(tmp_path):
    rows = read_annotations(write_rows(tmp_path, toy_rows(10)), builtin_taxonomy())
    train, held = hold_out(rows, 0.3, "salt")
    assert len(train) + len(held) == len(rows)
    fewer_train, fewer_held = hold_out(rows[::2], 0.3, "salt")
    assert set(fewer_held) <= set(held) and set(fewer_train) <= set(train)


def test_our_own_annotations_are_enough_in_every_language():
    from importlib.resources import files

    taxonomy = builtin_taxonomy()
    folder = Path(str(files("webfaq_domains.builders").joinpath("annotations")))
    rows = read_annotations(folder, taxonomy)
    languages = {row.language for row in rows}
    assert len(languages) >= 30
    for language in languages:
        for slug in taxonomy.slugs:
            met = sum(row.language == language and row.domains[0] == slug for row in rows)
            assert met >= (24 if language == "eng" else 8), (language, slug)
