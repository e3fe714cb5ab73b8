"""Two processes train as one does: PyTorch's own launcher starts them, on this machine's processor."""

import json
import subprocess
import sys

import pytest
import torch

from ddpm_demo.core.config import ConfigError, ModelConfig
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.machine.device import Placement
from ddpm_demo.training.loop import TrainState, train
from ddpm_demo.training.processes import Ranks
from ddpm_demo.training.recipes import TrainConfig

PROGRAM = """
import sys
from pathlib import Path
from tests.training.test_processes import losses
from ddpm_demo.training.processes import join
with join() as ranks:
    found = losses(ranks)
    if ranks.first:
        open(sys.argv[1], "w").write(repr(found))
# a thread of the group that outlived it could bring the process down at its exit
threads = [task.joinpath("comm").read_text() for task in Path("/proc/self/task").glob("*")]
assert not [name for name in threads if "gloo" in name], threads
"""


def losses(ranks):
    """Return the loss curve of a small run, then the sum of every averaged weight's size."""
    model = ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16)
    config = TrainConfig(epochs=1, batch=8, warmup=2, optimizer="muon")
    digits = torch.randint(256, (64, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    state = TrainState.fresh(model, config, Placement(torch.device("cpu"), torch.float32))
    curve = [p.loss for p in train(state, Schedule.from_config(ScheduleConfig()), digits, config, ranks=ranks)]
    return [*curve, sum(float(p.abs().sum()) for p in state.ema.parameters())]


def launch(*arguments, folder):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def test_two_processes_have_the_loss_curve_of_one(tmp_path, pytestconfig):
    found = tmp_path / "losses"
    done = launch("--no-python", sys.executable, "-c", PROGRAM, str(found), folder=pytestconfig.rootpath)
    assert done.returncode == 0, done.stderr
    together, alone = json.loads(found.read_text()), losses(Ranks())
    assert len(alone) == 9
    assert together == pytest.approx(alone, rel=1e-4)


def test_the_command_trains_with_two_processes_and_writes_one_run(tmp_path, pytestconfig):
    settings = ["--epochs", "1", "--digits", "32", "--batch", "16", "--held-out", "0", "--out", str(tmp_path / "run")]
    done = launch("-m", "ddpm_demo", "train", *settings, folder=pytestconfig.rootpath)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("model.safetensors") == 1
    assert "2 processes" in done.stderr
    assert (tmp_path / "run" / "run.safetensors").exists()


def test_a_batch_that_cannot_be_dealt_out_is_refused():
    with pytest.raises(ConfigError, match="a batch of 9 cannot be divided evenly among 2 processes"):
        Ranks(1, 2).check(9)


def test_the_shares_are_the_whole():
    whole = torch.arange(8)
    assert sorted(torch.cat([Ranks(rank, 4).share(whole) for rank in range(4)]).tolist()) == whole.tolist()
