"""Intermediate runs on a tiny encoder: every head learns, a run goes on bit for bit, the folder loads."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file
from tinymodel import write_encoder
from webfaq_eval.cli import main
from webfaq_eval.errors import ModelError, TaskDataError, TrainingError
from webfaq_eval.intermediate.objectives.classification import Classification
from webfaq_eval.intermediate.run import train_intermediate
from webfaq_eval.intermediate.settings import Places, Settings

#: Quick enough for a test, long enough to learn a pattern.
QUICK: dict[str, Any] = {"steps": 60, "batch_size": 16, "learning_rate": 0.01, "max_length": 48}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder"), dropout=0.0)


def lines(path: Path, rows: Iterable[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(text + "\n" for text in texts))
    return path


def nli(count: int, salt: str = "") -> list[dict[str, Any]]:
    """A pattern: the first letter of the hypothesis says the label."""
    return [
        {"premise": f"{salt}p{n}", "hypothesis": f"{'abc'[n % 3]}{n}", "label": n % 3}
        for n in range(count)
    ]


def qqp(count: int) -> list[str]:
    header = "question1\tquestion2\tis_duplicate"
    return [header, *(f"q{n}\t{'zz' if n % 2 else 'yy'}{n}\t{n % 2}" for n in range(count))]


def choices(count: int) -> list[dict[str, Any]]:
    """A pattern: the right ending is the only one with an x."""
    rows = []
    for n in range(count):
        endings = ["o", "o", "o", "o"]
        endings[n * 7 % 4] = "x"
        rows.append({"ctx_a": f"c{n}", "ctx_b": "", "endings": endings, "label": n * 7 % 4})
    return rows


def squad(path: Path, count: int, nulls: bool) -> Path:
    """A pattern: the answer is ZZ; where nothing is, there is no answer."""
    chance, paragraphs = random.Random(0), []
    for n in range(count):
        words = [chance.choice(["aa", "bb", "cc"]) for _ in range(5)]
        there = not nulls or n % 2 == 0
        words[n % 5] = "ZZ" if there else "dd"
        context = " ".join([*words, str(n)])
        answers = [{"text": "ZZ", "answer_start": 3 * (n % 5)}] if there else []
        question = {"id": f"q{n}", "question": "?", "answers": answers, "is_impossible": not there}
        paragraphs.append({"context": context, "qas": [question]})
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    return path


def ccg(count: int) -> list[str]:
    tags = {"a": "NP", "b": r"(S\NP)/NP", "c": "N", "d": r"N/N"}
    rows = []
    for n in range(count):
        words = [list(tags)[(n * 5 + k * k) % 4] for k in range(3)]
        words.append("abcd"[n % 4])
        leaves = " ".join(
            f"(<L {tags[w]} X X {w}{n if k == 3 else ''} {tags[w]}>)" for k, w in enumerate(words)
        )
        rows += [f"ID=x.{n} PARSER=GOLD", f"(<T S 0 2> {leaves} )"]
    return rows


def train(encoder: Path, task: str, data: Path, out: Path, **changes: Any) -> dict[str, Any]:
    places = {k: changes.pop(k) for k in ("mlm_texts", "benchmark") if k in changes}
    settings = Settings(task, **(QUICK | {"dev_share": 0.2} | changes))
    return train_intermediate(
        settings, Places(str(encoder), str(data), out, device="cpu", **places)
    )


def beats(result: dict[str, Any], by: float) -> None:
    value = result["dev"][result["metric"]]
    assert value > max(result["baseline"].values()) + by, result


# Every kind of head learns


def test_classification_learns(encoder: Path, tmp_path: Path) -> None:
    data = lines(tmp_path / "mnli.jsonl", nli(150))
    record = train(encoder, "mnli", data, tmp_path / "out")
    beats(record["results"]["mnli"], 0.4)


def test_multiple_choice_learns(encoder: Path, tmp_path: Path) -> None:
    data = lines(tmp_path / "h.jsonl", choices(150))
    record = train(encoder, "hellaswag", data, tmp_path / "out")
    beats(record["results"]["hellaswag"], 0.4)
    assert record["results"]["hellaswag"]["baseline"]["random"] == 0.25


def test_spans_are_found(encoder: Path, tmp_path: Path) -> None:
    data = squad(tmp_path / "train.json", 150, nulls=False)
    record = train(encoder, "squad_v1", data, tmp_path / "out", steps=120)
    beats(record["results"]["squad_v1"], 0.3)
    assert set(record["results"]["squad_v1"]["dev"]) == {"exact", "f1"}


def test_questions_without_an_answer_are_told_apart(encoder: Path, tmp_path: Path) -> None:
    data = squad(tmp_path / "train.json", 200, nulls=True)
    record = train(encoder, "squad_v2", data, tmp_path / "out", steps=120)
    result = record["results"]["squad_v2"]
    beats(result, 0.15)
    assert result["dev"]["best_f1"] >= result["dev"]["f1"] - 1e-9
    assert result["baseline"]["no answer"] > 0.3


def test_tagging_learns(encoder: Path, tmp_path: Path) -> None:
    data = lines(tmp_path / "a.auto", ccg(100))
    record = train(encoder, "ccg", data, tmp_path / "out")
    beats(record["results"]["ccg"], 0.1)
    heads = json.loads((tmp_path / "out/heads.json").read_text())
    assert heads["ccg"]["tags"] == sorted(["NP", r"(S\NP)/NP", "N", "N/N"])


def test_masked_language_learns(encoder: Path, tmp_path: Path) -> None:
    data = lines(tmp_path / "texts.txt", ["abcdefgh" * 3 + str(n) for n in range(100)])
    record = train(encoder, "mlm", data, tmp_path / "out", learning_rate=0.02, steps=100)
    beats(record["results"]["mlm"], 0.3)
    saved = load_file(tmp_path / "out/heads.safetensors")
    assert saved and not any(
        value.shape == (261, 16) for value in saved.values()
    )  # tied: not twice


def test_several_tasks_share_the_weights_in_proportion(encoder: Path, tmp_path: Path) -> None:
    lines(tmp_path / "data/mnli/train.jsonl", nli(300))
    lines(tmp_path / "data/mnli/dev.jsonl", nli(30, "dev"))
    lines(tmp_path / "data/qqp/train.tsv", qqp(100))
    lines(tmp_path / "data/qqp/dev.tsv", [qqp(0)[0], "d1\tzz5\t1", "d2\tyy3\t0"])
    texts = lines(tmp_path / "texts.txt", ["abab" * 4 + str(n) for n in range(50)])
    record = train(
        encoder,
        "multi",
        tmp_path / "data",
        tmp_path / "out",
        mix_mlm=0.25,
        mlm_texts=texts,
        steps=90,
        micro_batch=8,
    )
    batches = record["batches"]
    assert sum(batches.values()) == 180  # two of 8 rows a step
    assert 25 < batches["mlm"] < 65 and 2 < batches["mnli"] / batches["qqp"] < 4.5
    beats(record["results"]["mnli"], 0.1)
    assert set(record["results"]) == {"mnli", "qqp", "mlm"}


# The folder


@pytest.fixture(scope="module")
def trained(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("trained")
    data = lines(
        folder / "mnli.jsonl", [*nli(60), {"premise": "a", "hypothesis": "b", "label": "-"}]
    )
    return folder / "out", train(
        encoder, "mnli", data, folder / "out", steps=6, freeze_embeddings=True, evaluate_every=3
    )


def test_the_folder_loads_in_transformers_and_sentence_transformers(
    trained: tuple[Path, dict[str, Any]], encoder: Path
) -> None:
    from sentence_transformers import SentenceTransformer
    from transformers import AutoModel, AutoTokenizer

    out, _ = trained
    body, start = AutoModel.from_pretrained(out), AutoModel.from_pretrained(encoder)
    assert torch.equal(body.get_input_embeddings().weight, start.get_input_embeddings().weight)
    changed = [
        not torch.equal(a, b) for a, b in zip(body.parameters(), start.parameters(), strict=True)
    ]
    assert sum(changed) > 20
    tokenizer = AutoTokenizer.from_pretrained(out)
    model = SentenceTransformer(str(out), device="cpu")
    inputs = tokenizer(["hello"], return_tensors="pt")
    body.eval()
    with torch.no_grad():
        mean = body(**inputs).last_hidden_state.mean(1)
    assert torch.allclose(mean, model.encode(["hello"], convert_to_tensor=True), atol=1e-5)


def test_the_card_says_everything_that_decided_the_run(
    trained: tuple[Path, dict[str, Any]], encoder: Path
) -> None:
    from huggingface_hub import ModelCard

    from webfaq_domains.ground.files import folder_sha256

    out, record = trained
    text = (out / "README.md").read_text()
    assert ModelCard(text).data.to_dict()["library_name"] == "sentence-transformers"
    assert folder_sha256(encoder) == record["encoder"]["sha"]
    for expected in (
        record["encoder"]["sha"], record["data"]["mnli"]["sha256"], "| seed | 0 |", "| webfaq-eval |",
        "1 unlabelled", "| learning_rate | 0.01 |", "majority", "| torch |", record["run"],
    ):  # fmt: skip
        assert expected in text, expected
    assert str(out.parent) not in text
    assert json.loads((out / "intermediate.json").read_text()) == record


def test_the_folder_has_heads_and_curve_and_nothing_pickled(
    trained: tuple[Path, dict[str, Any]],
) -> None:
    out, _ = trained
    names = {path.name for path in out.rglob("*") if path.is_file()}
    assert {
        "heads.safetensors",
        "heads.json",
        "curve.jsonl",
        "model.safetensors",
        "README.md",
    } <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]
    curve = [json.loads(line) for line in (out / "curve.jsonl").read_text().splitlines()]
    assert [record["step"] for record in curve if "mnli/accuracy" in record] == [3, 6]
    assert not out.with_name("out.run").exists()


def test_a_finished_run_is_not_done_again_and_another_is_refused(
    trained: tuple[Path, dict[str, Any]], encoder: Path
) -> None:
    out, record = trained
    before = (out / "model.safetensors").stat().st_mtime_ns
    data, same = (
        out.parent / "mnli.jsonl",
        {"steps": 6, "freeze_embeddings": True, "evaluate_every": 3},
    )
    moved = out.parent / "elsewhere" / "other.jsonl"
    moved.parent.mkdir()
    moved.write_bytes(data.read_bytes())
    for place in (data, moved):  # where files lie, and how often one saves, decides nothing
        assert train(encoder, "mnli", place, out, **same, save_every=3) == record
    assert (out / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(TrainingError, match="holds something else than this run"):
        train(encoder, "mnli", data, out, **same, seed=1)


# Going on


@pytest.mark.slow
def test_killed_and_started_again_the_weights_are_the_same(encoder: Path, tmp_path: Path) -> None:
    dropping = write_encoder(tmp_path / "dropping", dropout=0.1)
    data = lines(tmp_path / "mnli.jsonl", nli(100))
    texts = lines(tmp_path / "texts.txt", ["abab" * 4 + str(n) for n in range(50)])
    arguments = [
        "intermediate", "--task", "mnli", "--encoder", str(dropping),
        "--data", str(data), "--mix-mlm", "0.3", "--mlm-texts", str(texts), "--device", "cpu",
        "--steps", "60", "--batch-size", "16", "--save-every", "5", "--learning-rate", "0.001",
    ]  # fmt: skip
    code = f"import sys; from webfaq_eval.cli import main; main({arguments!r} + sys.argv[1:])"
    started = [sys.executable, "-c", code, "--out"]
    out, working = tmp_path / "killed", tmp_path / "killed.run/checkpoints"
    process = subprocess.Popen(
        [*started, str(out)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    while process.poll() is None and not (working.is_dir() and list(working.glob("step-*5"))):
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL and not out.exists()
    settings = Settings(
        "mnli", mix_mlm=0.3, steps=60, batch_size=16, save_every=5, learning_rate=0.001
    )
    for name in ("killed", "whole"):
        train_intermediate(
            settings, Places(str(dropping), str(data), tmp_path / name, texts, device="cpu")
        )
    for file in ("model.safetensors", "heads.safetensors"):
        one, other = load_file(tmp_path / "whole" / file), load_file(tmp_path / "killed" / file)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one), file


def test_grouped_by_length_a_stopped_run_ends_with_the_same_weights(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{**row, "premise": row["premise"] + " so" * (n % 13)} for n, row in enumerate(nli(90))]
    data = lines(tmp_path / "mnli.jsonl", rows)
    original, calls = Classification.batch, []

    def counting(self: Any, features: Any, chance: Any) -> Any:
        calls.append(1)
        if len(calls) == stop_at:
            raise KeyboardInterrupt
        return original(self, features, chance)

    changes = {"steps": 9, "batch_size": 6, "save_every": 2, "group_lengths": True}
    monkeypatch.setattr(Classification, "batch", counting)
    stop_at = 7
    with pytest.raises((KeyboardInterrupt, TrainingError)):
        train(encoder, "mnli", data, tmp_path / "stopped", **changes)
    stop_at = 0
    stopped = train(encoder, "mnli", data, tmp_path / "stopped", **changes)
    whole = train(encoder, "mnli", data, tmp_path / "whole", **changes)
    assert stopped["run"] == whole["run"]
    plain = train(encoder, "mnli", data, tmp_path / "plain", **{**changes, "group_lengths": False})
    assert plain["run"] != whole["run"]
    names = ("stopped", "whole", "plain")
    one, two, other = (load_file(tmp_path / n / "model.safetensors") for n in names)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


# What is refused


def test_texts_of_the_benchmark_are_refused(
    encoder: Path, bench_folder: Path, tmp_path: Path
) -> None:
    import pyarrow.parquet as pq

    queries = pq.read_table(next(bench_folder.glob("data/*/queries/*.parquet")))["text"].to_pylist()
    query = next(text for text in queries if len(text) > 20)
    lines(tmp_path / "data/dev.jsonl", nli(6, "dev"))
    row = {"premise": query.upper() + " !", "hypothesis": "b", "label": 1}
    data = lines(tmp_path / "data/train.jsonl", [*nli(6), row]).parent
    with pytest.raises(TaskDataError, match="1 training texts are queries of the benchmark"):
        train(encoder, "mnli", data, tmp_path / "out", benchmark=bench_folder, dev_share=0.2)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"micro_batch": 3, "batch_size": 8}, "micro_batch 3 does not divide batch_size 8"),
        ({"mix_mlm": 1.0}, "expected a share of the batches below 1"),
        ({"epochs": 0.0}, "steps or epochs must be above 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        Settings("mnli", **changes)


def test_mixing_needs_texts(encoder: Path, tmp_path: Path) -> None:
    data = lines(tmp_path / "mnli.jsonl", nli(60))
    with pytest.raises(TrainingError, match="--mix-mlm needs --mlm-texts"):
        train(encoder, "mnli", data, tmp_path / "out", mix_mlm=0.5)


def test_pickled_weights_are_refused(encoder: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "pickled"
    shutil.copytree(encoder, folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    data = lines(tmp_path / "mnli.jsonl", nli(60))
    with pytest.raises(ModelError, match="has no safetensors weights beside pytorch_model"):
        train(folder, "mnli", data, tmp_path / "out")


# The command


def test_the_command_trains_and_prints_the_metric_beside_the_baseline(
    encoder: Path, tmp_path: Path
) -> None:
    data = lines(tmp_path / "csqa.jsonl", [
        {"question": f"w{n}", "choices": {"label": list("ABCDE"), "text": list("vwxyz")}, "answerKey": "ABCDE"[n % 5]}
        for n in range(40)
    ])  # fmt: skip
    arguments = ["intermediate", "--task", "csqa", "--encoder", str(encoder), "--data", str(data)]
    arguments += [
        "--out",
        str(tmp_path / "out"),
        "--steps",
        "2",
        "--batch-size",
        "4",
        "--device",
        "cpu",
    ]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert "baseline majority" in done.output and "an encoder folder" in done.output


def test_the_command_says_a_wrong_row_in_one_line(encoder: Path, tmp_path: Path) -> None:
    data = lines(
        tmp_path / "mnli.jsonl", [*nli(3), {"premise": "a", "hypothesis": "b", "label": "maybe"}]
    )
    arguments = ["intermediate", "--task", "mnli", "--encoder", str(encoder), "--data", str(data)]
    done = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "mnli.jsonl:4: the label is 'maybe'" in done.output and "Traceback" not in done.output


def test_help_is_there_without_torch() -> None:
    code = "import sys; from webfaq_eval.cli.intermediate import intermediate; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    shown = CliRunner().invoke(main, ["intermediate", "--help"]).output
    assert "Example:" in shown and "--freeze-embeddings" in shown
