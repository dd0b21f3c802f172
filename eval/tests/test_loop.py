"""The training loop: learns, stops well, and goes on where it stopped with the same weights."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from webfaq_eval.errors import TrainingError
from webfaq_eval.training.checkpoints import last_checkpoint
from webfaq_eval.training.loop import Job, LoopSettings, run_loop, warm_up_and_decay


def make_model() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))


def batch_at(number: int) -> dict[str, Tensor]:
    x = torch.randn(8, 8, generator=torch.Generator().manual_seed(number))
    return {"x": x, "y": x.sum(1, keepdim=True)}


def make_job(folder: Path, **changes: Any) -> Job:
    model = make_model()

    def loss_of(batch: Mapping[str, Any]) -> Tensor:
        return nn.functional.mse_loss(model(batch["x"]), batch["y"])

    return Job(
        **{"model": model, "batch_at": batch_at, "loss_of": loss_of, "folder": folder, "run": "r"}
        | changes
    )


def weights(model: nn.Module) -> list[Tensor]:
    return [p.detach().clone() for p in model.parameters()]


SETTINGS = LoopSettings(
    steps=40, learning_rate=0.01, warmup=0.1, accumulate=2, record_every=5, save_every=7
)


def test_it_learns_and_writes_its_curve(tmp_path: Path) -> None:
    settings = LoopSettings(
        steps=200, learning_rate=0.02, warmup=0.1, save_every=100, evaluate_every=50
    )
    curve = run_loop(make_job(tmp_path, evaluate=lambda: {"accuracy": 0.5}), settings)
    losses = [record["loss"] for record in curve if "loss" in record]
    assert losses[-1] < losses[0] / 3
    lines = (tmp_path / "curve.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == curve
    assert [r["step"] for r in curve if "accuracy" in r] == [50, 100, 150, 200]


def test_killed_at_any_step_it_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole = make_job(tmp_path / "whole")
    run_loop(whole, SETTINGS)
    for dies_at in (1, 13, 14, 39):
        folder = tmp_path / str(dies_at)

        def dies(number: int, last: int = dies_at) -> dict[str, Tensor]:
            if number >= 2 * last:
                raise KeyboardInterrupt
            return batch_at(number)

        with pytest.raises(KeyboardInterrupt):
            run_loop(make_job(folder, batch_at=dies), SETTINGS)
        again = make_job(folder)
        curve = run_loop(again, SETTINGS)
        assert all(map(torch.equal, weights(again.model), weights(whole.model)))
        assert [r["step"] for r in curve] == [5, 10, 15, 20, 25, 30, 35, 40]


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    first = make_job(tmp_path)
    run_loop(first, SETTINGS)

    def never(number: int) -> dict[str, Tensor]:
        raise AssertionError(f"batch {number} was asked for")

    again = make_job(tmp_path, batch_at=never)
    assert run_loop(again, SETTINGS)[-1]["step"] == 40
    assert all(map(torch.equal, weights(again.model), weights(first.model)))


def test_ctrl_c_ends_after_the_step_with_a_checkpoint(tmp_path: Path) -> None:
    def interrupted(number: int) -> dict[str, Tensor]:
        if number == 4:  # the third step, with two batches a step
            os.kill(os.getpid(), signal.SIGINT)
        return batch_at(number)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(TrainingError, match=r"stopped after step 3 of 40.*same command again"):
        run_loop(make_job(tmp_path, batch_at=interrupted), SETTINGS)
    assert signal.getsignal(signal.SIGINT) is before
    place = last_checkpoint(tmp_path / "checkpoints")
    assert place is not None and place.name == "step-00000003"
    whole, again = make_job(tmp_path / "whole"), make_job(tmp_path)
    run_loop(whole, SETTINGS)
    run_loop(again, SETTINGS)
    assert all(map(torch.equal, weights(again.model), weights(whole.model)))


def test_a_loss_that_is_not_finite_stops_and_leaves_the_last_good_checkpoint(
    tmp_path: Path,
) -> None:
    def poisoned(number: int) -> dict[str, Tensor]:
        batch = batch_at(number)
        return {**batch, "y": batch["y"] * float("nan")} if number >= 20 else batch

    with pytest.raises(TrainingError, match=r"at step 11 the loss is nan.*step-00000007"):
        run_loop(make_job(tmp_path, batch_at=poisoned), SETTINGS)
    place = last_checkpoint(tmp_path / "checkpoints")
    assert place is not None and place.name == "step-00000007"


def test_out_of_memory_says_what_to_do(tmp_path: Path) -> None:
    def huge(number: int) -> dict[str, Tensor]:
        return {"x": torch.empty(2**50, 8), "y": torch.empty(1)}

    with pytest.raises(TrainingError, match=r"out of memory: .*no checkpoint yet.*smaller batches"):
        run_loop(make_job(tmp_path, batch_at=huge), SETTINGS)


def test_another_error_is_passed_on(tmp_path: Path) -> None:
    def wrong(number: int) -> dict[str, Tensor]:
        return {"x": torch.zeros(2, 3), "y": torch.zeros(2, 1)}

    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        run_loop(make_job(tmp_path, batch_at=wrong), SETTINGS)


def test_accumulated_batches_give_the_gradient_of_the_whole(tmp_path: Path) -> None:
    model = nn.Linear(8, 1)
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    one, many = nn.Linear(8, 1), nn.Linear(8, 1)
    one.load_state_dict(model.state_dict())
    many.load_state_dict(model.state_dict())

    def joined(number: int) -> dict[str, Tensor]:
        parts = [batch_at(4 * number + part) for part in range(4)]
        return {name: torch.cat([part[name] for part in parts]) for name in ("x", "y")}

    def job(model: nn.Module, batches: Any, folder: str) -> Job:
        return Job(
            model, batches, lambda b: (model(b["x"]) - b["y"]).pow(2).mean(), tmp_path / folder, "r"
        )

    run_loop(job(one, joined, "one"), LoopSettings(steps=3, learning_rate=0.1, warmup=0.1))
    run_loop(
        job(many, batch_at, "many"),
        LoopSettings(steps=3, learning_rate=0.1, warmup=0.1, accumulate=4),
    )
    assert torch.allclose(one.weight, many.weight, atol=1e-5)


def test_the_rate_rises_and_falls_in_lines() -> None:
    share = warm_up_and_decay(LoopSettings(steps=100, learning_rate=1.0, warmup=0.1))
    assert share(0) == pytest.approx(1 / 11) and share(9) == pytest.approx(10 / 11)
    assert share(10) == 1.0 and share(55) == 0.5 and share(100) == 0.0


@pytest.mark.parametrize(
    "change", [{"steps": 0}, {"accumulate": 0}, {"warmup": 1.5}, {"clip": 0.0}]
)
def test_settings_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(TrainingError, match=r"it (must be above 0|is a share)"):
        LoopSettings(**{"steps": 5, "learning_rate": 1e-3} | change)


def test_a_model_without_a_weight_to_train_is_refused(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    job.model.requires_grad_(False)
    with pytest.raises(TrainingError, match="all of them are kept as they are"):
        run_loop(job, SETTINGS)


def test_importing_the_loop_does_not_import_transformers() -> None:
    code = "import sys, webfaq_eval.training.loop; sys.exit('transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
