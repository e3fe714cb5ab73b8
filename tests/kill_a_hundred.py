"""Kill a training program a hundred times at random moments and see that its run always goes on from whole files.

`python tests/kill_a_hundred.py [kills]`: a tiny network, a save after every step, kill -9. After each kill every file
of the run must be whole, the step never behind an earlier save, and the program must go on by itself; at the end the
weights must be those, bit for bit, of a run that was never killed. Takes some minutes; needs a system that can fork.
"""

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

from ddpm_demo.core.config import ModelConfig
from ddpm_demo.machine.device import Placement
from ddpm_demo.store import checkpoint
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.training import recorder, snapshots
from ddpm_demo.training.history import read_all
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.training.run import Run
from ddpm_demo.training.run_lock import RunLock
from ddpm_demo.training.saved_run import read_settings

PER_EPOCH = 100  # steps
PLACE = Placement(torch.device("cpu"), torch.float32)
MODEL = ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16)


def train(directory: Path, epochs: float, *, busy: bool, told: int) -> None:
    """Go on with the run in a directory, or begin it: what is killed.

    When `busy`, it saves after every step and draws often, so that a kill often meets it writing.
    """
    recorder.SHARE, recorder.LOAN_SECONDS = (1e9, 1.0) if busy else (0.0, 0.0)
    with RunLock(directory):
        if (directory / "run.safetensors").exists():
            run = Run.resume(directory, PLACE)
        else:
            run = Run.begin(directory, MODEL, TrainConfig(epochs=epochs, digits=800, batch=8), PLACE)
        for _ in run.record(save_every=0.0 if busy else 1e9):
            os.write(told, b".")  # a step is done


def begin(directory: Path, epochs: float, *, busy: bool = True) -> tuple[int, int]:
    """Start training in a process of its own, a fork, because importing takes seconds.

    Returns its id and a pipe that it writes a byte to after every step.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return child, reader
    try:
        os.close(reader)
        train(directory, epochs, busy=busy, told=writer)
        os._exit(0)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        os._exit(1)


def check(directory: Path) -> int:
    """Return the step that is saved, having read every file of the run."""
    if not (directory / "run.safetensors").exists():
        return 0
    load_file(directory / "run.safetensors")
    if (directory / "model.safetensors").exists():
        checkpoint.load(directory / "model.safetensors")
    read_all(directory)
    shown, weights = snapshots.steps_kept(directory)
    for step in shown:
        snapshots.pictures(directory, step)
    model = checkpoint.load(directory / "model.safetensors").model.config if weights else None
    for step in weights:
        snapshots.network(directory, step, model)
    return read_settings(directory / "run.safetensors").step


def kill_many(folder: Path, kills: int, epochs: float, seed: int = 0) -> int:
    """Kill a run so often, each time checking it, then let it end; return the step it ended at."""
    chance, killed, step = random.Random(seed), folder / "killed", 0
    for number in range(kills):
        child, pipe = begin(killed, epochs)
        if chance.random() < 0.8:
            os.read(pipe, 1)  # it trains by now; else the kill falls into its start
        time.sleep(chance.random() * 0.3)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        os.close(pipe)
        assert os.WIFSIGNALED(status), f"kill {number}: the program ended by itself, at step {check(killed)}"
        now = check(killed)
        assert now >= step, f"kill {number}: step {now} after {step}"
        step = now
    for directory in (killed, folder / "alone"):
        child, pipe = begin(directory, epochs, busy=False)
        while os.read(pipe, 1000):
            pass
        os.close(pipe)
        assert os.waitpid(child, 0)[1] == 0
        assert check(directory) == round(epochs * PER_EPOCH)
    ours, theirs = (load_file(d / "run.safetensors") for d in (killed, folder / "alone"))
    assert all(ours[name].equal(theirs[name]) for name in theirs), "the weights differ from a run that was left alone"
    leftovers = [p.name for p in killed.rglob(".*") if p.name != ".lock"]
    assert not leftovers, leftovers
    return step


if __name__ == "__main__":
    torch.set_num_threads(1)  # a fork takes no threads along
    recorder.LINE_EVERY_SECONDS = recorder.FIRST_SNAPSHOT_SECONDS = 0.0
    recorder.SNAPSHOT_EVERY_SECONDS = 0.2
    load_mnist(train=True), load_mnist(train=False)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as scratch:
        last = kill_many(Path(scratch), count, epochs=0.4 * count)
        print(f"{count} kills, the last at step {last}: every file whole, the end the same bit for bit")
