"""Checkpoints: everything comes back bit for bit, nothing is pickled, a full disk costs no older one."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from webfaq_eval.errors import TrainingError
from webfaq_eval.training.checkpoints import (
    RunState,
    last_checkpoint,
    load_checkpoint,
    save_checkpoint,
)


class Tied(nn.Module):
    """Two layers, a third that shares the first's weight, a frozen one, a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.tied = nn.Linear(4, 4, bias=False)
        self.tied.weight = self.first.weight
        self.frozen = nn.Linear(4, 4).requires_grad_(False)
        self.norm = nn.BatchNorm1d(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.frozen(self.norm(self.tied(self.second(self.first(x)))))


def make_state(run: str = "a" * 64) -> RunState:
    torch.manual_seed(0)
    model = Tied()
    optimizer = torch.optim.AdamW(p for p in model.parameters() if p.requires_grad)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (step + 3))
    return RunState(model, optimizer, scheduler, run)


def take_steps(state: RunState, count: int) -> None:
    for _ in range(count):
        state.model(torch.randn(8, 4) + random.random() + np.random.rand()).pow(2).mean().backward()
        state.optimizer.step()
        state.scheduler.step()
        state.optimizer.zero_grad()
        state.step += 1


def test_a_run_that_is_loaded_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    state = make_state()
    take_steps(state, 3)
    place = save_checkpoint(tmp_path, state)
    take_steps(state, 3)
    other = make_state()
    load_checkpoint(place, other)
    assert other.step == 3
    take_steps(other, 3)
    for name, value in state.model.state_dict().items():
        assert torch.equal(value, other.model.state_dict()[name]), name
    assert other.scheduler.get_last_lr() == state.scheduler.get_last_lr()


def test_position_and_curve_come_back_and_old_checkpoints_go(tmp_path: Path) -> None:
    state = make_state()
    for step in (1, 2, 3):
        state.step, state.position = step, {"shard": step}
        state.curve = [{"step": step, "loss": 0.1}]
        save_checkpoint(tmp_path, state, keep=2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-00000002", "step-00000003"]
    other = make_state()
    place = last_checkpoint(tmp_path)
    assert place is not None
    load_checkpoint(place, other)
    assert (other.position, other.curve) == ({"shard": 3}, [{"step": 3, "loss": 0.1}])


def test_no_file_is_a_pickle_and_frozen_weights_are_left_out(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    state = make_state()
    take_steps(state, 1)
    place = save_checkpoint(tmp_path, state)
    assert sorted(p.name for p in place.iterdir()) == ["state.json", "tensors.safetensors"]
    names = set(load_file(place / "tensors.safetensors"))
    assert "model/norm.running_mean" in names and "model/first.weight" in names
    assert not any("frozen" in name or "tied" in name for name in names)


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    place = save_checkpoint(tmp_path, make_state("a" * 64))
    with pytest.raises(TrainingError, match=r"belongs to another run.*Use another --out"):
        load_checkpoint(place, make_state("b" * 64))


def test_a_broken_checkpoint_is_named(tmp_path: Path) -> None:
    place = save_checkpoint(tmp_path, make_state())
    (place / "tensors.safetensors").write_bytes(b"\x01")
    with pytest.raises(TrainingError, match=r"cannot read the checkpoint .*step-00000000"):
        load_checkpoint(place, make_state())


def test_what_a_killed_process_left_is_not_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / ".step-00000007.123.tmp").mkdir(parents=True)
    assert last_checkpoint(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    assert last_checkpoint(tmp_path / "absent") is None


_FULL = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_checkpoints import make_state
from webfaq_eval.training.checkpoints import save_checkpoint
from webfaq_eval.errors import TrainingError
state, folder = make_state(), Path(sys.argv[1])
save_checkpoint(folder, state)
state.step = 5
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))  # no file may grow: the nearest to a full disk
try:
    save_checkpoint(folder, state)
except TrainingError as error:
    print(error)
"""


def test_a_disk_that_takes_no_more_leaves_the_last_good_checkpoint(tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path), here], capture_output=True, text=True
    )
    assert "cannot write the checkpoint" in done.stdout, done.stderr
    assert "the last good checkpoint is " + str(tmp_path / "step-00000000") in done.stdout
    assert [p.name for p in tmp_path.iterdir()] == ["step-00000000"]
    load_checkpoint(tmp_path / "step-00000000", make_state())
