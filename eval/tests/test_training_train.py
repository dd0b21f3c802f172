"""Training end to end with a tiny encoder: it learns, stops well, goes on, and says what it did."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from tinymodel import write_encoder, write_retriever
from tinypairs import many, row, standard, write_pairs
from webfaq_eval.cli import main
from webfaq_eval.errors import ModelError, TrainingError
from webfaq_eval.pairs.pairs import id_order, open_pairs, read_index
from webfaq_eval.pairs.texts import gather_texts
from webfaq_eval.training.batches import Batches, TrainingData
from webfaq_eval.training.embedders import TextEmbedder
from webfaq_eval.training.encoder import open_encoder
from webfaq_eval.training.processes import Processes
from webfaq_eval.training.settings import (
    BatchSettings,
    DataSettings,
    EncoderSettings,
    LossSettings,
    Schedule,
    StepSettings,
    TrainSettings,
    Where,
)
from webfaq_eval.training.step import Step
from webfaq_eval.training.train import train

pytestmark = pytest.mark.needs("train")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with `pairs` and `tiny`, a random retriever."""
    place = tmp_path_factory.mktemp("training")
    standard(place / "pairs")
    write_retriever(place / "tiny")
    return place


def settings_for(place, mode="full", condition="all", **schedule):
    values = {"steps": 6, "learning_rate": 1e-3, "save_every": 2, "evaluate_every": 3} | schedule
    return TrainSettings(
        DataSettings(str(place / "pairs"), condition),
        EncoderSettings(str(place / "tiny"), mode, "query: ", "passage: ", max_length=32),
        batch_size=16,
        schedule=Schedule(**values),
        where=Where("cpu", place / "vectors"),
    )


def weights(folder):
    from safetensors.torch import load_file

    return {
        f"{path.relative_to(folder)}/{name}": value
        for path in sorted(folder.rglob("*.safetensors"))
        for name, value in load_file(path).items()
    }


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def step_loss(place, part, cached):
    """Return loss and gradients of one batch, dropout included."""
    torch.manual_seed(0)
    pairs = open_pairs(place / "pairs")
    ids = read_index(pairs, "train").ids
    texts = gather_texts(pairs, "train", ids[id_order(ids)], place / "texts.arrow")
    opened = open_encoder(EncoderSettings(str(place / "tiny"), max_length=32), "cpu")
    opened.model.train()
    embedder = TextEmbedder(opened.model)
    data = TrainingData(texts, Batches(texts, BatchSettings(12)), ("", ""))
    step = Step(embedder, data, LossSettings(), StepSettings(part, cached), Processes(), seed=1)
    loss = step(data.batch_at(0))
    loss.backward()
    gradients = {
        n: p.grad.clone() for n, p in opened.model.named_parameters() if p.grad is not None
    }
    return float(loss.detach()), gradients


def test_the_cached_gradient_is_the_gradient(place):
    plain, cached = step_loss(place, 5, False), step_loss(place, 5, True)
    assert cached[0] == pytest.approx(plain[0], rel=1e-6)
    assert plain[1].keys() == cached[1].keys() and len(plain[1]) > 20
    for name, gradient in plain[1].items():
        assert torch.allclose(gradient, cached[1][name], rtol=1e-4, atol=1e-6), name


def test_full_training_learns_and_leaves_a_model_with_its_papers(place, tmp_path):
    settings = settings_for(place, steps=30, evaluate_every=10, learning_rate=3e-3)
    done = train(settings, tmp_path / "model")
    record = done.record
    losses = [line["loss"] for line in record.curve if "loss" in line]
    assert losses[-1] < 0.9 * losses[0]
    assert record.condition.languages == {"deu": 60, "fra": 30, "swa": 20}
    assert set(record.after) == {
        "ndcg_at_10",
        *(f"ndcg_at_10/{d}" for d in ("health", "technology", "travel")),
    }
    assert record.training_datasets == ("WebFAQ",)
    assert not (tmp_path / "model" / "work").exists()
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    for word in (record.condition.sha256, record.encoder.revision, record.data["digest"],
                 record.batches_sha256, "training_datasets", "WebFAQ", "query: ", "| seed | 0 |"):  # fmt: skip
        assert word in card
    assert str(place) not in card + (tmp_path / "model" / "training.json").read_text(
        encoding="utf-8"
    )
    lines = (tmp_path / "model" / "curve.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == list(record.curve)
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    assert model.prompts["query"] == "query: "
    vectors = model.encode_query(["Wie geht das?"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert train(settings, tmp_path / "model").record.run == record.run
    with pytest.raises(TrainingError, match="another run"):
        train(replace(settings, batch_size=8), tmp_path / "model")


@pytest.mark.parametrize("mode", ["full", "head", "lora"])
def test_a_run_that_was_stopped_ends_with_the_same_weights(place, tmp_path, mode, monkeypatch):
    if mode == "lora":
        pytest.importorskip("peft", reason="LoRA is the extra lora")
    settings = settings_for(place, mode)
    train(settings, tmp_path / "whole")
    whole = weights(tmp_path / "whole")
    original = Step.__call__

    def stopped(self, batch):
        if batch["step"] == 5:
            raise KeyboardInterrupt
        return original(self, batch)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Step, "__call__", stopped)
        train(settings, tmp_path / "parts")
    assert (tmp_path / "parts" / "work" / "checkpoints" / "step-00000004").is_dir()
    assert not (tmp_path / "parts" / "training.json").exists()
    done = train(settings, tmp_path / "parts")
    assert same(weights(tmp_path / "parts"), whole)
    assert [line["step"] for line in done.record.curve] == [1, 2, 3, 3, 4, 5, 6, 6]


def test_frozen_embeddings_stay_and_the_rest_moves(place, tmp_path):
    train(settings_for(place, "frozen-embeddings"), tmp_path / "model")
    before, after = weights(place / "tiny"), weights(tmp_path / "model")
    name = "model.safetensors/embeddings.word_embeddings.weight"
    assert torch.equal(before[name], after[name])
    layer = "model.safetensors/encoder.layer.0.attention.self.query.weight"
    assert not torch.equal(before[layer], after[layer])


def test_a_head_is_saved_as_a_dense_module_over_the_frozen_encoder(place, tmp_path):
    train(settings_for(place, "head", steps=20), tmp_path / "model")
    before, after = weights(place / "tiny"), weights(tmp_path / "model")
    for name, weight in before.items():
        assert torch.equal(weight, after[name])
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    assert [type(module).__name__ for module in model] == [
        "Transformer", "Pooling", "Normalize", "Dense", "Normalize",
    ]  # fmt: skip
    tiny = SentenceTransformer(str(place / "tiny"), device="cpu")
    tiny.max_seq_length = 32
    matrix = after["3_Dense/model.safetensors/linear.weight"].numpy()
    assert not np.allclose(matrix, np.eye(len(matrix)), atol=1e-3)
    wanted = tiny.encode(["Hallo Welt"]) @ matrix.T
    found = model.encode(["Hallo Welt"])
    assert np.allclose(found, wanted / np.linalg.norm(wanted), atol=1e-5)


def test_condition_none_is_the_encoder_as_it_is(place, tmp_path):
    record = train(settings_for(place, condition="none"), tmp_path / "model").record
    assert same(weights(place / "tiny"), weights(tmp_path / "model"))
    assert record.steps == 0 and record.training_datasets == ()


def test_early_stopping_keeps_the_best_weights(place, tmp_path):
    settings = settings_for(place, steps=400, evaluate_every=1, patience=2, learning_rate=0.5)
    record = train(settings, tmp_path / "model").record
    scores = [line["ndcg_at_10"] for line in record.curve if "ndcg_at_10" in line]
    best = scores.index(max(scores))
    assert record.steps == best + 3 < 400
    assert record.best_step == best + 1
    assert record.after["ndcg_at_10"] == max(scores)


def test_validation_never_asks_in_a_language_that_is_not_trained_on(place, tmp_path, caplog):
    settings = settings_for(place, condition="english:health", steps=2)
    record = train(settings, tmp_path / "english").record
    assert set(record.after) == {"ndcg_at_10", "ndcg_at_10/health"}
    pairs = write_pairs(tmp_path / "pairs", {"train": many({("deu", "health"): 20}), "validation": many({("eng", "health"): 4}, 600)})  # fmt: skip
    settings = replace(settings, data=DataSettings(str(pairs), "all"))
    assert train(settings, tmp_path / "none").record.after == {}
    assert "NO VALIDATION" in caplog.text


def test_a_loss_that_is_not_finite_stops_with_the_last_good_checkpoint(
    place, tmp_path, monkeypatch
):
    original = Step.__call__

    def broken(self, batch):
        loss = original(self, batch)
        return loss * float("nan") if batch["step"] == 3 else loss

    monkeypatch.setattr(Step, "__call__", broken)
    with pytest.raises(TrainingError, match=r"loss is nan.*step-00000002"):
        train(settings_for(place), tmp_path / "model")


def test_out_of_memory_and_a_full_disk_stop_with_a_message(place, tmp_path, monkeypatch):
    original = Step.__call__

    def hungry(self, batch):
        if batch["step"] == 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 8 GiB")
        return original(self, batch)

    with monkeypatch.context() as patched:
        patched.setattr(Step, "__call__", hungry)
        with pytest.raises(TrainingError, match=r"out of memory.*step-00000002"):
            train(settings_for(place), tmp_path / "model")

    def full(module, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("webfaq_eval.training.validation.save_weights", full)
    with pytest.raises(TrainingError, match=r"No space left.*step-00000002"):
        train(settings_for(place), tmp_path / "model")
    monkeypatch.undo()
    assert train(settings_for(place), tmp_path / "model").record.steps == 6


def test_a_condition_without_pairs_and_settings_that_contradict_are_refused(place, tmp_path):
    settings = settings_for(place, condition="english:travel")
    with pytest.raises(TrainingError, match="english:travel has no pair"):
        train(settings, tmp_path / "a")
    with pytest.raises(TrainingError, match="distillation needs hard negatives"):
        train(replace(settings_for(place), loss=LossSettings(distil=0.5)), tmp_path / "b")


def command(place, out, *more):
    return [
        "--encoder", str(place / "tiny"), "--pairs", str(place / "pairs"), "--condition", "random:health",
        "--steps", "2000", "--batch-size", "16", "--max-length", "32", "--learning-rate", "1e-3",
        "--save-every", "10", "--evaluate-every", "50", "--device", "cpu", "--out", str(out), *more,
    ]  # fmt: skip


def test_the_command_trains_and_prints_json(place, tmp_path):
    words = command(
        place, tmp_path / "model", "--mode", "head", "--vectors", str(place / "vectors")
    )
    words[words.index("2000")] = "5"
    result = CliRunner().invoke(main, ["train", *words, "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["condition"]["condition"] == "random:health"
    refused = CliRunner().invoke(
        main, ["train", *words[:-6], "--condition", "some", "--out", "x", "--device", "cpu"]
    )
    assert refused.exit_code == 1 and "is not a condition" in refused.output


def process(*words, **more):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    return subprocess.Popen(
        [sys.executable, "-m", *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more
    )  # fmt: skip


def checkpoints(out):
    return sorted((out / "work" / "checkpoints").glob("step-*"))


@pytest.mark.slow
def test_killed_with_signal_9_and_restarted_it_ends_with_the_same_weights(place, tmp_path):
    steps = "150"
    program = "from webfaq_eval.cli import main; main()"
    words = command(place, tmp_path / "killed")
    words[words.index("2000")] = steps
    for least in (1, 3):
        running = subprocess.Popen(
            [sys.executable, "-c", program, "train", *words], stderr=subprocess.DEVNULL
        )
        while (
            len(checkpoints(tmp_path / "killed")) < min(least, 2)
            or checkpoints(tmp_path / "killed")[-1].name < f"step-{least * 20:08d}"
        ):
            assert running.poll() is None
            time.sleep(0.01)
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    assert not (tmp_path / "killed" / "training.json").exists()
    for out in ("killed", "whole"):
        words[words.index("--out") + 1] = str(tmp_path / out)
        subprocess.run([sys.executable, "-c", program, "train", *words], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # fmt: skip
    assert same(weights(tmp_path / "killed"), weights(tmp_path / "whole"))
    records = [
        json.loads((tmp_path / out / "training.json").read_text()) for out in ("killed", "whole")
    ]
    assert records[0]["batches_sha256"] == records[1]["batches_sha256"]


@pytest.mark.slow
def test_two_processes_train_as_one(place, tmp_path):
    words = command(place, tmp_path / "one", "--mode", "full")
    words[words.index("2000")] = "5"
    encoder = write_retriever(tmp_path / "calm", dropout=0.0)
    words[words.index("--encoder") + 1] = str(encoder)
    program = "from webfaq_eval.cli import main; main()"
    subprocess.run([sys.executable, "-c", program, "train", *words], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # fmt: skip
    words[words.index("--out") + 1] = str(tmp_path / "two")
    script = tmp_path / "main.py"
    script.write_text(program, encoding="utf-8")
    launch = ["torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    running = process(*launch, str(script), "train", *words)
    output, _ = running.communicate(timeout=300)
    assert running.returncode == 0, output.decode()[-3000:]
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert one.keys() == two.keys()
    for name in one:
        assert torch.allclose(one[name], two[name], atol=2e-4), name
    assert json.loads((tmp_path / "two" / "training.json").read_text())["processes"] == 2
    assert Path(tmp_path / "two" / "README.md").is_file()


# Faults of checkpoints, tokenizers, disks and data


@pytest.mark.parametrize("raw", [True, False])
def test_a_half_precision_checkpoint_trains_in_float32(place, tmp_path, raw):
    from safetensors.torch import load_file, save_file

    write = write_encoder if raw else write_retriever
    source = write(tmp_path / "half")
    path = next(source.rglob("model.safetensors"))
    half = {name: value.to(torch.bfloat16) for name, value in load_file(path).items()}
    save_file(half, path, metadata={"format": "pt"})
    config = path.parent / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "dtype": "bfloat16"}))
    encoder = EncoderSettings(str(source), max_length=32)
    opened = open_encoder(encoder, "cpu")
    assert {p.dtype for p in opened.model.parameters()} == {torch.float32}
    settings = replace(settings_for(place, steps=2), encoder=encoder)
    done = train(settings, tmp_path / "model")
    assert done.record.weights == "float32"
    assert (
        "number format of the weights that train | float32"
        in (done.folder / "README.md").read_text()
    )
    assert {value.dtype for value in weights(done.folder).values()} == {torch.float32}


def test_an_encoder_without_a_padding_token_is_refused(place, tmp_path):
    from webfaq_eval.intermediate.encoder import load_encoder
    from webfaq_eval.models.encoder import find_model

    folder = write_encoder(tmp_path / "bare")
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        path = folder / name
        if path.is_file():
            values = json.loads(path.read_text())
            values.pop("pad_token", None)
            path.write_text(json.dumps(values))
    with pytest.raises(ModelError, match="bare: its tokenizer has no padding token"):
        train(
            replace(settings_for(place), encoder=EncoderSettings(str(folder))), tmp_path / "model"
        )
    with pytest.raises(ModelError, match="bare: its tokenizer has no padding token"):
        load_encoder(find_model(str(folder)), "cpu")


def test_a_full_disk_under_the_best_weights_is_one_error_and_the_run_goes_on(
    place, tmp_path, monkeypatch
):
    import safetensors.torch
    from safetensors import SafetensorError

    original = safetensors.torch.save_file

    def full(tensors, path, *rest, **options):
        if "best" in str(path):
            raise SafetensorError("I/O error: No space left on device (os error 28)")
        return original(tensors, path, *rest, **options)

    with monkeypatch.context() as patched:
        patched.setattr(safetensors.torch, "save_file", full)
        with pytest.raises(TrainingError, match=r"best weights.*No space left.*step-00000002"):
            train(settings_for(place), tmp_path / "model")
    train(settings_for(place), tmp_path / "model")
    train(settings_for(place), tmp_path / "whole")
    one, other = weights(tmp_path / "model"), weights(tmp_path / "whole")
    assert all(torch.equal(one[name], other[name]) for name in other)


def test_pairs_that_make_no_batch_are_named_and_no_setting_is_blamed(place, tmp_path):
    rows = [row("deu", "health", f"Frage {n}?", "Dieselbe Antwort.", "a.example") for n in range(5)]
    write_pairs(tmp_path / "pairs", {"train": rows, "validation": rows[:1]})
    settings = settings_for(place, steps=None)
    settings = replace(settings, data=DataSettings(str(tmp_path / "pairs"), "all"))
    with pytest.raises(TrainingError, match="5 pairs make no batch: fewer than 2 of them differ"):
        train(settings, tmp_path / "model")


def test_rooms_of_training_are_a_ladder_without_circles():
    import ast

    import webfaq_eval

    ladder = ("pairs", "training", "mining", "intermediate")
    root = Path(webfaq_eval.__file__).parent
    imports = {}
    for room in ladder:
        for path in (root / room).rglob("*.py"):
            name = ".".join(("webfaq_eval", *path.relative_to(root).with_suffix("").parts))
            nodes = ast.walk(ast.parse(path.read_text()))
            imports[name] = {str(one.module) for one in nodes if isinstance(one, ast.ImportFrom)}
    for name, others in imports.items():
        rung = ladder.index(name.split(".")[1])
        above = [
            o
            for o in others
            if o.startswith(tuple(f"webfaq_eval.{r}." for r in ladder[rung + 1 :]))
        ]
        assert not above, f"{name} imports {above}"
    left = set(imports)
    while ends := {name for name in left if not imports[name] & left}:
        left -= ends
    assert not left, f"these modules import one another: {sorted(left)}"
