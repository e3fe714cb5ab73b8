"""What can go wrong while a run is trained: no crash, no lost run, no half-written file, one sentence."""

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from ddpm_demo.core.config import ConfigError, DemoError, ModelConfig
from ddpm_demo.machine import limits
from ddpm_demo.machine.device import Placement
from ddpm_demo.store.checkpoint import load
from ddpm_demo.store.tensors import CheckpointError
from ddpm_demo.training import history, shelf
from ddpm_demo.training import trainer as trainer_module
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.training.run import Run
from ddpm_demo.training.run_lock import RunLock
from ddpm_demo.training.run_queue import RunQueue
from ddpm_demo.training.saved_run import load_run
from ddpm_demo.training.trainer import Trainer
from ddpm_demo.ui.tabs.train_desk import REFUSAL, Desk
from ddpm_demo.ui.tabs.train_pictures import look_back, moment
from ddpm_demo.ui.tabs.train_settings import read_run_settings

MODEL = ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16)
PLACE = Placement(torch.device("cpu"), torch.float32)
LONG = TrainConfig(epochs=1000, digits=800, batch=8)
GOOD = ("lite", 16, "1 3", "linear", 1e-3, 8, 0.9, "minutes", 5, 0, ["1", "7"], "")


@pytest.fixture(autouse=True)
def runs_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(shelf, "runs_dir", lambda: tmp_path / "runs")
    return tmp_path / "runs"


@pytest.fixture
def trainer():
    trainer = Trainer(save_every=0.2)
    yield trainer
    if trainer.busy:
        trainer.stop()
        trainer.wait(300)


def begin(trainer, config=LONG):
    directory = shelf.create("", MODEL, 4000)
    trainer.start(directory, lambda: Run.begin(directory, MODEL, config, PLACE))
    return directory


def until(condition, seconds=300):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def trains(trainer, steps=3):
    until(lambda: trainer.status.phase == "training" and trainer.status.progress.step >= steps)


def test_pause_go_on_stop_and_resume(trainer):
    directory = begin(trainer)
    trains(trainer)
    trainer.pause()
    until(lambda: trainer.status.phase == "paused")
    step = trainer.status.progress.step
    time.sleep(0.2)
    assert load_run(directory / "run.safetensors", PLACE)[0].step == step  # saved, and standing still
    trainer.go_on()
    trains(trainer, step + 2)
    trainer.stop()
    trainer.wait(300)
    assert trainer.status.phase == "idle"
    assert trainer.status.note == ""
    saved = load_run(directory / "run.safetensors", PLACE)[0].step
    assert saved >= step + 2
    trainer.start(directory, lambda: Run.resume(directory, PLACE))
    trains(trainer, saved + 1)
    with pytest.raises(DemoError, match="only one can train at a time"):
        begin(trainer)


def test_kill_9_at_random_moments():
    script = Path(__file__).parent.parent / "kill_a_hundred.py"
    done = subprocess.run([sys.executable, str(script), "6"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every file whole, the end the same bit for bit" in done.stdout


def test_a_paused_run_makes_way_for_one_that_waits_and_can_be_resumed(trainer, monkeypatch):
    monkeypatch.setattr(trainer_module, "MOST_PAUSE", 0)
    queue = RunQueue(trainer)
    paused = begin(trainer)
    trains(trainer)
    trainer.pause()
    until(lambda: trainer.status.phase == "paused")
    time.sleep(1.5)
    assert (trainer.status.phase, queue.place([]).most_pause) == ("paused", None)  # nobody waits
    queue.join([], "next", lambda key: begin(trainer))
    until(lambda: trainer.status.run not in (None, paused.name) and trainer.status.phase == "training")
    assert not queue.place([]).waiting
    assert load_run(paused / "run.safetensors", PLACE)[0].step > 0


def test_whoever_waits_is_told_how_long_a_pause_may_last(trainer):
    queue = RunQueue(trainer)
    begin(trainer)
    trains(trainer)
    queue.join([], "next", lambda key: None)
    assert queue.place([]).most_pause is None
    trainer.pause()
    until(lambda: trainer.status.phase == "paused")
    time.sleep(1.5)
    assert (trainer.status.phase, queue.place([]).most_pause) == ("paused", 5)
    trainer.go_on()
    until(lambda: trainer.status.phase == "training")


def test_a_full_disk_pauses_and_nothing_is_lost(trainer, monkeypatch):
    directory = begin(trainer)
    trains(trainer)
    real = os.fsync

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    until(lambda: trainer.status.phase == "paused")
    assert "No space left on device" in trainer.status.note
    assert "still in memory" in trainer.status.note
    step = trainer.status.progress.step
    load(directory / "model.safetensors")  # the last good save is whole
    assert load_run(directory / "run.safetensors", PLACE)[0].step <= step
    assert not [path for path in directory.rglob(".*") if path.name != ".lock"]
    monkeypatch.setattr(os, "fsync", real)
    trainer.go_on()
    trains(trainer, step + 1)


def test_a_deleted_directory_stops_the_run_and_stays_deleted(trainer):
    directory = begin(trainer)
    trains(trainer)
    until(lambda: shutil.rmtree(directory, ignore_errors=True) or not directory.exists())  # it is being written to
    until(lambda: trainer.status.phase == "idle")
    assert "was deleted during training" in trainer.status.note
    assert not directory.exists()
    begin(trainer)  # and another one can begin
    trains(trainer)


def test_two_servers_on_one_directory(trainer):
    directory = begin(trainer)
    trains(trainer)
    other = Desk({}, allowed=True, trainer=Trainer())
    answer = other.control({"action": "resume", "run": directory.name})
    assert "another program is training the run" in answer["error"]
    assert str(shelf.runs_dir()) not in answer["error"]
    code = [sys.executable, "-m", "ddpm_demo", "train", "--resume", "--out", str(directory)]
    done = subprocess.run(code, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "another program is training the run" in done.stderr
    assert trainer.status.phase == "training"


def test_the_command_line_goes_on_with_a_run_of_the_page_and_the_page_with_that(trainer):
    config = TrainConfig(epochs=0.3, digits=800, batch=8)  # 30 steps
    directory = begin(trainer, config)
    until(lambda: trainer.status.progress is not None)
    trainer.stop()
    trainer.wait(300)
    code = [sys.executable, "-m", "ddpm_demo", "train", "--resume", "--held-out", "0", "--out", str(directory)]
    assert subprocess.run(code, capture_output=True).returncode == 0
    known = shelf.entry(directory.name)
    assert known.step == 30
    assert known.finished
    assert history.read_all(directory)[-1]["kind"] == "end"


def test_a_checkpoint_cut_in_half(trainer):
    directory = begin(trainer)
    trains(trainer)
    trainer.stop()
    trainer.wait(300)
    for name in ("run.safetensors", "model.safetensors"):
        path = directory / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    desk = Desk({}, allowed=True, trainer=trainer)
    (shown,) = desk.shelf()["runs"]
    assert "only a part" in shown["fault"]
    assert not shown["checkpoint"]
    assert "cannot be resumed" in desk.control({"action": "resume", "run": directory.name})["error"]
    assert "error" in desk.change({"action": "export", "run": directory.name})
    assert "lines" in desk.live({"run": directory.name})
    assert desk.change({"action": "delete", "run": directory.name}) == {}


def test_a_loss_that_is_no_number_keeps_the_last_good_weights(trainer):
    directory = shelf.create("", MODEL, 4000)

    def poisoned():
        run = Run.begin(directory, MODEL, LONG, PLACE)
        real = run.state.optimizer.step

        def step():
            real()
            if run.state.step == 4:  # the fifth step writes weights that overflow in the sixth
                run.state.model.out_project.bias.data.fill_(3e38)

        run.state.optimizer.step = step
        return run

    trainer.start(directory, poisoned)
    until(lambda: trainer.status.phase == "idle")
    assert "no longer a number at step 6" in trainer.status.note
    assert load_run(directory / "run.safetensors", PLACE)[0].step == 5


def test_the_limit_of_minutes_stops_and_saves(trainer, monkeypatch):
    monkeypatch.setenv(limits.MINUTES_VARIABLE, "0.01")
    directory = begin(trainer)
    until(lambda: trainer.status.phase == "idle")
    assert "limit of 0.01 minutes" in trainer.status.note
    assert load_run(directory / "run.safetensors", PLACE)[0].step > 0


def test_too_little_memory_is_a_sentence(trainer):
    directory = shelf.create("", MODEL, 4000)

    def big():
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 TB")

    trainer.start(directory, big)
    until(lambda: trainer.status.phase == "idle")
    assert "not have enough memory" in trainer.status.note
    assert not trainer.busy


def test_an_error_that_nobody_expected_is_a_sentence_for_visitors_and_a_traceback_in_the_log(trainer, caplog):
    directory = shelf.create("", MODEL, 4000)

    def broken():
        raise KeyError(f"{directory}/secret")

    trainer.start(directory, broken)
    trainer.wait(300)
    assert trainer.status.phase == "idle"
    assert "an unexpected error (KeyError)" in trainer.status.note
    assert "secret" not in trainer.status.note
    assert caplog.records[-1].exc_info[0] is KeyError
    begin(trainer)  # and another run can begin
    trains(trainer)


def test_a_thread_that_cannot_start_leaves_nothing_behind(trainer, monkeypatch):
    def no_more(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_more)
        with pytest.raises(DemoError, match="no more threads"):
            begin(trainer)
    assert trainer.status.phase == "idle"
    begin(trainer)
    trains(trainer)


def test_a_stop_in_the_instant_of_a_failed_save_is_kept(trainer, monkeypatch):
    directory = begin(trainer)
    trains(trainer)
    real, stopper = Run.save, []

    def fail(run, *_):
        if not stopper:  # Stop is pressed while the error is on its way
            stopper.append(1)
            trainer.stop()
            raise CheckpointError(f"cannot write {run.directory}: No space left on device")
        real(run)

    monkeypatch.setattr(Run, "save", fail)
    trainer.wait(300)
    assert trainer.status.phase == "idle"
    assert str(directory.parent) not in trainer.status.note


def test_nobody_who_waits_for_a_turn_waits_for_the_disk(monkeypatch):
    """Every write of a file happens outside the turns, and all the same at the end of a step."""
    inside, written = [False], []

    def turn(work):
        inside[0] = True
        try:
            return work()
        finally:
            inside[0] = False

    real = os.fsync

    def watched(handle):
        written.append(inside[0])
        real(handle)

    monkeypatch.setattr(os, "fsync", watched)
    trainer = Trainer(turn, save_every=0.0)
    begin(trainer, TrainConfig(epochs=0.1, digits=800, batch=8))  # 10 steps
    trainer.wait(300)
    assert trainer.status.note == ""
    assert len(written) > 20
    assert not any(written)


NONSENSE = [None, float("nan"), float("inf"), -1, True, "x", [], {}, 10**12]


@pytest.mark.parametrize("field", range(len(GOOD)))
def test_settings_past_the_interface_get_a_sentence(field):
    read_run_settings(*GOOD)
    for bad in [*NONSENSE, 3.7]:
        values = list(GOOD)
        values[field] = bad
        fine = field == len(GOOD) - 1 or (field == 8 and bad == 3.7)  # no name is a name; 3.7 minutes are a length
        if fine:
            read_run_settings(*values)
        else:
            with pytest.raises(ConfigError):
                read_run_settings(*values)


@pytest.mark.parametrize(
    ("field", "bad", "sentence"),
    [
        (1, 12, "the width must be a multiple of 8, got 12"),
        (4, 1, "the learning rate must be more than 0 and less than 1"),
        (6, 1.5, "EMA must be from 0 to 1"),
        (8, 0, "the length in minutes must be more than 0 and at most 720"),
    ],
)
def test_a_refusal_names_the_field_as_the_page_does(field, bad, sentence):
    with pytest.raises(ConfigError) as refused:
        read_run_settings(*GOOD[:field], bad, *GOOD[field + 1 :])
    assert str(refused.value) == sentence


def test_a_batch_that_no_laptop_holds_is_refused():
    with pytest.raises(ConfigError, match="GB of memory"):
        read_run_settings("full", 512, "1 1 3 3 9 9 27 27", *GOOD[3:5], 512, *GOOD[6:])


@pytest.mark.parametrize(
    "question", [None, [], "x", 7, {}, {"run": "../.."}, {"run": 7, "step": "x"}, {"action": "fly"}]
)
def test_questions_past_the_interface_get_a_sentence(question):
    desk = Desk({}, allowed=True, trainer=Trainer())
    for ask in (moment, look_back, desk.control, desk.change):
        assert set(ask(question)) == {"error"}, ask
    assert "error" in desk.live(question) or desk.live(question)["run"] is None


def test_the_teachers_switch_refuses_calls_past_the_interface(trainer, monkeypatch):
    directory = begin(trainer)
    trains(trainer)
    desk = Desk({}, allowed=False, trainer=trainer)
    for action in ("pause", "go on", "stop", "resume"):
        assert desk.control({"action": action, "run": directory.name}) == {"error": REFUSAL}
    for action in ("rename", "delete"):
        assert desk.change({"action": action, "run": directory.name, "name": "x"}) == {"error": REFUSAL}
    with pytest.raises(DemoError, match="switched off"):
        desk.start(read_run_settings(*GOOD))
    assert trainer.status.phase == "training"
    assert limits.training_allowed()
    assert not limits.training_allowed(asked=False)
    monkeypatch.setenv("DDPM_DEMO_NO_TRAINING", "1")
    assert not limits.training_allowed()


def test_a_run_of_the_shelf_is_locked_out_of_deletion_elsewhere(trainer):
    directory = begin(trainer)
    trains(trainer)
    assert "another program" in Desk({}, allowed=True).change({"action": "delete", "run": directory.name})["error"]
    with pytest.raises(DemoError):
        RunLock(directory)
