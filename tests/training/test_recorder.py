import itertools
import math
import time

import pytest
import torch

from ddpm_demo.core.config import ModelConfig
from ddpm_demo.machine.device import Placement
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.training import recorder, snapshots
from ddpm_demo.training.history import read_all
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.training.run import Run
from ddpm_demo.training.training_set import chosen_digits

MODEL = ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16)
PLACE = Placement(torch.device("cpu"), torch.float32)
CONFIG = TrainConfig(epochs=1, digits=160, batch=8)  # 20 steps


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(recorder, "LINE_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(recorder, "FIRST_SNAPSHOT_SECONDS", 0.0)
    monkeypatch.setattr(recorder, "SHARE", 1e9)


def test_watching_changes_nothing_in_the_training(tmp_path):
    watched, alone = (Run.begin(tmp_path / name, MODEL, CONFIG, PLACE) for name in "ab")
    assert len(list(watched.record())) == len(list(alone.train())) == 20
    for a, b in zip(watched.state.ema.parameters(), alone.state.ema.parameters(), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(watched.state.generator.get_state(), alone.state.generator.get_state())


def test_the_story_is_what_happened(tmp_path):
    run = Run.begin(tmp_path, MODEL, CONFIG, PLACE)
    progress = list(run.record())
    lines = read_all(tmp_path)
    losses = [line for line in lines if line["kind"] == "loss"]
    assert lines[0]["kind"] == "begin"
    assert lines[-1] == {**lines[-1], "kind": "end", "step": 20}
    assert [line["loss"] for line in losses] == pytest.approx([p.loss for p in progress], abs=1e-6)
    assert losses[0]["mean"] == losses[0]["loss"]
    sums, counts = torch.zeros(10), torch.zeros(10)
    for p in progress:
        sums, counts = sums * recorder.RECENT, counts * recorder.RECENT
        for t, error in zip(p.t.tolist(), p.error.tolist(), strict=True):
            sums[t // 100] += error
            counts[t // 100] += 1
    first = next(line for line in lines if line["kind"] == "tenths")["tenths"]
    alone = progress[0]
    for k in range(10):
        inside = [e for t, e in zip(alone.t.tolist(), alone.error.tolist(), strict=True) if t // 100 == k]
        assert first[k] == (pytest.approx(sum(inside) / len(inside), abs=1e-5) if inside else None)
    held = [line for line in lines if line["kind"] == "held_out"]
    assert held[-1]["step"] == 20
    assert [m.step for m in snapshots.listed(tmp_path)] == [line["step"] for line in held]


def test_a_moment_is_the_samplers_own_digits(tmp_path):
    from ddpm_demo.core.sampling import sample, start_noise, to_uint8
    from ddpm_demo.core.schedule import Schedule

    run = Run.begin(tmp_path, MODEL, CONFIG, PLACE)
    list(run.record())
    ema, plain = snapshots.pictures(tmp_path, 20)
    x_T = start_noise(16, 1, 28, torch.Generator().manual_seed(snapshots.SEED))
    schedule = Schedule.from_config(run.schedule)
    for shown, model in ((ema, run.state.ema), (plain, run.state.model)):
        *_, last = sample(model, schedule, snapshots.SAMPLER, x_T, generator=torch.Generator())
        assert torch.equal(shown, to_uint8(last.x_s[:, 0]))
    network = snapshots.network(tmp_path, 20, MODEL)
    for a, b in zip(network.parameters(), run.state.ema.parameters(), strict=True):
        torch.testing.assert_close(a, b.half().float())


def test_moments_beyond_a_resumption_go(tmp_path):
    run = Run.begin(tmp_path, MODEL, CONFIG, PLACE)
    steps = run.record(save_every=1e9)
    for _ in range(12):
        next(steps)
    steps.close()
    assert run.state.step == 12
    again = Run.resume(tmp_path, PLACE)
    again.state.step = 6  # as if it had been killed after the save at step 6
    snapshots.forget_after(tmp_path, 6)
    assert max(m.step for m in snapshots.listed(tmp_path)) <= 6
    assert snapshots.steps_kept(tmp_path)[1][-1] <= 6


def test_moments_are_bounded_and_early_ones_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshots, "MAX_PICTURES", 8)
    monkeypatch.setattr(snapshots, "MAX_WEIGHTS", 4)
    run = Run.begin(tmp_path, MODEL, CONFIG, PLACE)
    digits = torch.zeros(16, 28, 28, dtype=torch.uint8)
    for step in range(1, 41):
        snapshots.keep(tmp_path, snapshots.Snapshot(step, float(step), True), digits, digits.clone(), run.state.ema)
    shown, weights = snapshots.steps_kept(tmp_path)
    assert len(shown) == 8
    assert len(weights) == 4
    assert (shown[0], shown[-1], weights[0], weights[-1]) == (1, 40, 1, 40)
    gaps = [b - a for a, b in itertools.pairwise(shown)]
    assert gaps[0] < gaps[-2]


def test_the_extras_stay_within_their_share(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "SHARE", 0.0)
    monkeypatch.setattr(recorder, "LOAN_SECONDS", 0.0)
    run = Run.begin(tmp_path, MODEL, CONFIG, PLACE)
    list(run.record())
    assert [m.step for m in snapshots.listed(tmp_path)] == [20]  # the end alone, when training is over


def test_every_step_and_every_call_for_a_moment_takes_a_turn_of_its_own(tmp_path):
    taken, deep = [0], [0]

    def turn(work):
        assert deep[0] == 0  # a turn inside a turn would wait for itself for ever
        deep[0] += 1
        taken[0] += 1
        result = work()
        deep[0] -= 1
        return result

    run = Run.begin(tmp_path, MODEL, TrainConfig(epochs=1, digits=8, batch=8), PLACE)
    steps = run.record(turn=turn)
    next(steps)
    steps_drawn, batches = snapshots.SAMPLER.steps, math.ceil(recorder.WATCHED_DIGITS / 64)
    assert taken[0] == 1 + 2 * steps_drawn + batches  # one step; the digits with both sets of weights; the loss
    assert [m.step for m in snapshots.listed(tmp_path)] == [1]


def test_waiting_for_others_is_no_cost_of_the_extras(tmp_path):
    def crowded(work):
        time.sleep(0.02)
        return work()

    run = Run.begin(tmp_path, MODEL, TrainConfig(epochs=1, digits=8, batch=8), PLACE)
    began = time.perf_counter()
    list(run.record(turn=crowded))
    passed = time.perf_counter() - began
    extras = [line["extras"] for line in read_all(tmp_path) if "extras" in line]
    assert extras[-1] < passed - 20 * 0.02  # the twenty calls of a moment waited at least so long


def test_only_the_classes_that_were_ticked():
    digits, labels = load_mnist(train=True)
    chosen = chosen_digits(TrainConfig(epochs=1, classes=(1, 7)), train=True)
    assert torch.equal(chosen, digits[(labels == 1) | (labels == 7)])
    assert len(chosen_digits(TrainConfig(epochs=1, classes=(1,), digits=100), train=True)) == 100
    assert len(chosen_digits(TrainConfig(epochs=1), train=False)) == 10_000
