"""The whole labeler build on a toy language, through the command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner
from toyencoder import tiny_encoder
from toylabels import TOPICS, toy_rows, write_rows
from webfaq_domains.builders.labeler import LabelerOptions, build, labeler_command, recipe_of

from webfaq_domains.cli.labeler import labeler
from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.files import file_sha256
from webfaq_domains.labelers.load import builtin_folder, load_labeler

__all__ = ["tiny_encoder"]

RECIPE = """
[reading]
tokens = 24
[teacher]
pairs = 96
tokens = 24
rate = 1e-3
head_strength = 100.0
[builtin]
buckets = 2000
word_count = 1
[student]
buckets = 2000
[choices]
student = [{ epochs = 12 }]
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    write_rows(folder / "annotations", toy_rows(20))
    (folder / "lexicon").mkdir()
    terms = {slug: words.split() for slug, words in TOPICS.items()}
    (folder / "lexicon" / "eng.json").write_text(json.dumps(terms))
    (folder / "recipe.toml").write_text(RECIPE)
    pairs = [
        {"language": row.language, "question": row.question, "answer": row.answer,
         "origin": f"site{number % 40}.org"}
        for number, row in enumerate(toy_rows(30, seed=5))
    ]  # fmt: skip
    (folder / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    add_project(folder)
    return folder


def add_project(folder: Path) -> None:
    """Add a project with translated texts, as a clone, and the list that names it."""
    english = {str(n): row.text for n, row in enumerate(toy_rows(20, seed=7))}
    german = {key: f"auf deutsch {text}" for key, text in english.items()}
    clone = folder / "project"
    (clone / "i18n").mkdir(parents=True)
    for tag, strings in (("en", english), ("de", german)):
        (clone / "i18n" / f"{tag}.json").write_text(json.dumps(strings))
    who = ["-c", "user.name=a", "-c", "user.email=a@a.example"]
    for call in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *call], cwd=clone, check=True)
    sha = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=clone, text=True).strip()
    bare = folder / "clones" / "o" / "project.git"
    subprocess.run(["git", "clone", "-q", "--bare", clone, bare], check=True)
    (folder / "translations.toml").write_text(
        f"[[source]]\nrepository = 'o/project'\ncommit = '{sha}'\nlicence = 'MIT'\n"
        "domain = 'finance'\nformat = 'json'\nfiles = 'i18n/{language}.json'\nenglish = 'en'\n"
    )


@pytest.fixture(scope="module")
def made(inputs, tiny_encoder, tmp_path_factory):
    out = tmp_path_factory.mktemp("made") / "out"
    arguments = ["--out", out, "--annotations", inputs / "annotations", "--json"]
    arguments += ["--lexicon", inputs / "lexicon", "--encoder", tiny_encoder]
    arguments += ["--unlabelled", inputs / "pairs.jsonl", "--recipe", inputs / "recipe.toml"]
    arguments += ["--clones", inputs / "clones", "--translations", inputs / "translations.toml"]
    result = CliRunner().invoke(labeler_command, [str(part) for part in arguments])
    assert result.exit_code == 0, result.output
    return out


def test_teacher_student_and_builtin_are_staged(made):
    for name, model in (("webfaq-domain-labeler", "head.safetensors"),
                        ("webfaq-domain-labeler-fasttext", "model.bin"), ("builtin", "model.ftz")):  # fmt: skip
        about = json.loads((made / name / "labeler.json").read_text())
        for path, sha in about["files"].items():
            assert file_sha256(made / name / path) == sha
        assert model in about["files"]
        card = (made / name / "README.md").read_text(encoding="utf-8")
        assert "$" not in re.sub(r"`[^`]*`", "", card) and str(made) not in card
        assert load_labeler(str(made / name)).probabilities(["a bank loan"]).shape == (1, 8)
    assert not [path for path in made.rglob("*") if path.suffix in (".pkl", ".joblib")]


def test_translated_texts_taught_the_student_and_its_card_names_their_project(made):
    training = json.loads((made / "webfaq-domain-labeler-fasttext" / "labeler.json").read_text())[
        "training"
    ]
    assert training["translated_texts"] > 20 and training["translated_languages"] == 2
    source = training["sources"][-1]
    assert (source["name"], source["licence"]) == ("o/project", "MIT")
    card = (made / "webfaq-domain-labeler-fasttext" / "README.md").read_text(encoding="utf-8")
    assert f"| o/project | MIT | `{source['pin']}` |" in card and "site1.org (" in card
    teacher = (made / "webfaq-domain-labeler" / "README.md").read_text(encoding="utf-8")
    assert "o/project" not in teacher, "the teacher learnt nothing from it"


@pytest.mark.slow
def test_a_teacher_made_before_is_used_again(made, inputs, tmp_path):
    teacher = made / "webfaq-domain-labeler"
    build(LabelerOptions(
        tmp_path / "again", inputs / "annotations", inputs / "lexicon", teacher=teacher,
        recipe=inputs / "recipe.toml",
    ))  # fmt: skip
    again = tmp_path / "again" / "webfaq-domain-labeler"
    one, two = (json.loads((path / "labeler.json").read_text()) for path in (teacher, again))
    assert one["model_sha256"] == two["model_sha256"]
    assert one["cascade"]["student_sha256"] != two["cascade"]["student_sha256"]
    texts = [row.text for row in toy_rows(3, seed=9)]
    assert (
        load_labeler(str(teacher)).probabilities(texts)
        == load_labeler(str(again)).probabilities(texts)
    ).all()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"encoder": "e", "teacher": Path("t")}, "not both"),
        ({"clones": Path("c")}, "need a teacher's labels"),
        ({"unlabelled": ("pairs.jsonl",)}, "need a teacher's labels"),
        ({"teacher": Path("t"), "translations": Path("l.toml")}, "give --clones"),
    ],
)
def test_what_would_be_ignored_is_refused(tmp_path, changes, told):
    with pytest.raises(LabelerError, match=told):
        build(LabelerOptions(tmp_path / "out", **changes))


def test_a_folder_without_the_clones_says_how_to_get_them(inputs, made, tmp_path):
    options = LabelerOptions(
        tmp_path / "out",
        teacher=made / "webfaq-domain-labeler",
        clones=tmp_path,
        translations=inputs / "translations.toml",
    )
    with pytest.raises(LabelerError, match=r"none of the 1 sources; .*git clone"):
        build(options)


def test_the_cascade_opens_from_the_teachers_folder(made):
    both = load_labeler(str(made / "webfaq-domain-labeler"), cascade=True)
    texts = [row.text for row in toy_rows(3, seed=9)]
    assert set(both.label(texts).labeler) <= {"student", "teacher"}


def run_code(card: Path, folder: Path, number: int) -> str:
    """Run the number-th Python block of a card, in the folder it describes."""
    block = re.findall(r"```python\n(.*?)```", card.read_text(encoding="utf-8"), re.S)[number]
    code = block.replace("FOLDER", str(folder))
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=folder, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_the_code_of_the_builtin_card_runs():
    card = builtin_folder() / "README.md"
    assert "technology" in run_code(card, builtin_folder(), 0)
    assert "__label__technology" in run_code(card, builtin_folder(), 1)


@pytest.mark.needs("teacher")
def test_the_code_of_the_teacher_card_runs_and_says_what_our_loader_says(made):
    folder = made / "webfaq-domain-labeler"
    run_code(folder / "README.md", folder, 0)
    printed = run_code(folder / "README.md", folder, 1)
    theirs = [float(number) for number in re.findall(r"\d\.\d+(?:e-\d+)?", printed)]
    text = "How do I reset my password? Click the link in the e-mail."
    ours = load_labeler(str(folder)).scores([text])[0]
    assert theirs == pytest.approx(ours.tolist(), abs=2e-3)


@pytest.mark.slow
def test_the_same_texts_give_the_same_builtin(inputs, tmp_path):
    for name in ("one", "two"):
        build(LabelerOptions(
            tmp_path / name, inputs / "annotations", inputs / "lexicon",
            recipe=inputs / "recipe.toml",
        ))  # fmt: skip
    one, two = (tmp_path / name / "builtin" for name in ("one", "two"))
    for name in ("model.ftz", "labeler.json", "README.md"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_a_folder_in_use_is_refused(inputs):
    with pytest.raises(LabelerError, match="not empty"):
        build(LabelerOptions(inputs))


def test_the_recipe_file_says_what_the_defaults_say():
    assert recipe_of(None).builtin.buckets == 320_000


def test_annotate_picks_rows_and_eval_measures(inputs, tmp_path):
    out = tmp_path / "rows.jsonl"
    command = ["annotate", "--source", str(inputs / "pairs.jsonl"), "--out", str(out), "--json"]
    result = CliRunner().invoke(labeler, [*command, "--per-cell", "2"])
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert rows and len({row["origin"] for row in rows}) == len(rows)
    command = ["eval", "--labelled", str(inputs / "annotations"), "--out", str(tmp_path / "e")]
    result = CliRunner().invoke(labeler, command)
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "e" / "report.json").read_text())
    assert report["rows"] == 180 and {"majority", "keyword"} == set(report["baselines"])
    assert (tmp_path / "e" / "confusion.png").is_file()


def test_the_builtin_beats_the_baselines_on_frozen_origins():
    data = Path(os.environ.get("WEBFAQ_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if not (data / "faq").is_dir():
        pytest.skip(f"no labelled FAQ data at {data / 'faq'}; set WEBFAQ_TEST_DATA")
    from webfaq_domains.ground.taxonomy import builtin_taxonomy
    from webfaq_domains.labelers.measuring.baselines import KeywordBaseline
    from webfaq_domains.labelers.measuring.evaluation import evaluate
    from webfaq_domains.labelers.measuring.labelled import only_held_out, read_labelled
    from webfaq_domains.labelers.training.lexicon import read_lexicon

    taxonomy, shipped = builtin_taxonomy(), Path(str(files("webfaq_domains.builders")))
    rows = only_held_out(read_labelled(data / "faq", taxonomy), shipped / "frozen_origins.json")
    lexicon = read_lexicon(shipped / "lexicon", taxonomy)
    keywords = KeywordBaseline.of(lexicon, taxonomy.claimable)
    found = evaluate(load_labeler("builtin"), rows[::4], keywords)
    assert found.figures.micro.f1 > max(b.micro.f1 for b in found.baselines.values())
    assert found.figures.micro.f1 > 0.65
