import functools
import math

import pytest
import torch

from ddpm_demo.core.config import ConfigError, ModelConfig
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.machine.device import Placement
from ddpm_demo.machine.step_clock import StepClock
from ddpm_demo.store.checkpoint import CheckpointError
from ddpm_demo.training import loop
from ddpm_demo.training.loop import (
    TrainingError,
    TrainState,
    draw_timesteps,
    fraction_done,
    keep_average,
    learning_rate,
    loss_weights,
    train,
)
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.training.run import Run
from ddpm_demo.training.saved_run import load_run, save_run

MODEL = ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16)
PLACES = [Placement(torch.device("cpu"), torch.float32), Placement(torch.device("cpu"), torch.bfloat16)]


@pytest.fixture(scope="module")
def digits():
    return torch.randint(256, (64, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def all_tensors(state):
    yield from state.model.state_dict().values()
    yield from state.ema.state_dict().values()
    for parameter in state.model.parameters():
        yield from state.optimizer.state[parameter].values()
    yield state.generator.get_state()


def assert_same_bits(a, b):
    assert a.step == b.step
    assert all(torch.equal(x, y) for x, y in zip(all_tensors(a), all_tensors(b), strict=True))


@pytest.mark.parametrize("placement", PLACES, ids=["float32", "bfloat16"])
@pytest.mark.parametrize(("cut", "optimizer"), [(0, "adamw"), (1, "muon"), (7, "adamw"), (7, "muon")])
def test_a_resumed_run_is_the_same_run_bit_for_bit(linear, digits, tmp_path, placement, cut, optimizer):
    config = TrainConfig(epochs=1.5, batch=8, warmup=4, optimizer=optimizer)  # 12 steps over two epochs
    whole = TrainState.fresh(MODEL, config, placement)
    losses = [p.loss for p in train(whole, linear, digits, config)]
    assert len(losses) == 12

    first = TrainState.fresh(MODEL, config, placement)
    steps = train(first, linear, digits, config)
    before = [next(steps).loss for _ in range(cut)]
    steps.close()
    save_run(tmp_path / "run", first, config, ScheduleConfig())
    second, config_again, _ = load_run(tmp_path / "run", placement)
    assert config_again == config
    after = [p.loss for p in train(second, linear, digits, config_again)]
    assert before + after == losses
    assert_same_bits(whole, second)


def test_the_seed_decides_everything(linear, digits):
    def losses(seed):
        config = TrainConfig(epochs=0.5, batch=8, seed=seed)
        return [p.loss for p in train(TrainState.fresh(MODEL, config, PLACES[0]), linear, digits, config)]

    assert losses(1) == losses(1)
    assert losses(1) != losses(2)


def test_one_step_is_algorithm_1(linear, digits):
    """The first step, written out from Ho et al. 2020, Algorithm 1, ends with the same weights."""
    from ddpm_demo.core.model import seeded_denoiser
    from ddpm_demo.store.mnist import batch_indices, to_x0

    config = TrainConfig(epochs=1, batch=8, warmup=0, grad_clip=1e6)
    state = TrainState.fresh(MODEL, config, PLACES[0])
    progress = next(train(state, linear, digits, config))

    model, generator = seeded_denoiser(MODEL, 0), torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=progress.lr, weight_decay=0.0)
    x0 = to_x0(digits[torch.from_numpy(batch_indices(64, 8, seed=0, step=0))])
    t = torch.randint(1000, (8,), generator=generator)
    eps = torch.randn(x0.shape, generator=generator)
    alpha_bar = linear.alpha_bar[t].float().view(-1, 1, 1, 1)
    loss = (eps - model(alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * eps, t)).square().mean()
    loss.backward()
    optimizer.step()
    assert progress.loss == pytest.approx(loss.item(), rel=1e-6)
    for mine, theirs in zip(state.model.parameters(), model.parameters(), strict=True):
        # Adam's first step is lr * sign(gradient): compare where the gradient is not rounding noise
        clear = theirs.grad.abs() > 1e-6
        torch.testing.assert_close(mine[clear], theirs[clear], rtol=1e-4, atol=1e-6)


def test_it_learns(linear):
    """On pictures that are all black the answer is simple, and a small network finds it."""
    black = torch.zeros(64, 28, 28, dtype=torch.uint8)
    config = TrainConfig(epochs=10, batch=8, lr=5e-3, warmup=10)
    losses = [p.loss for p in train(TrainState.fresh(MODEL, config, PLACES[0]), linear, black, config)]
    assert sum(losses[-10:]) < 0.3 * sum(losses[:10])


def test_the_average_follows_the_weights(linear, digits):
    config = TrainConfig(epochs=1, batch=8, ema_decay=0.0)
    state = TrainState.fresh(MODEL, config, PLACES[0])
    for _ in train(state, linear, digits, config):
        pass
    for average, weight in zip(state.ema.parameters(), state.model.parameters(), strict=True):
        torch.testing.assert_close(average, weight)


def test_a_loss_that_is_no_number_stops_with_good_weights(linear, digits):
    config = TrainConfig(epochs=1, batch=8)
    state = TrainState.fresh(MODEL, config, PLACES[0])
    steps = train(state, linear, digits, config)
    next(steps)
    kept = [p.detach().clone() for p in state.model.parameters()]
    with torch.no_grad():
        state.model.out_project.bias.fill_(float("inf"))
    kept[-1].fill_(float("inf"))
    with pytest.raises(TrainingError, match="no longer a number at step 2"):
        next(steps)
    assert state.step == 1
    assert all(torch.equal(a, b) for a, b in zip(kept, state.model.parameters(), strict=True))


def test_the_learning_rate_warms_up_and_falls_to_zero():
    config = TrainConfig(epochs=1, lr=1e-3, warmup=10)
    assert learning_rate(config, 0, 0.0) == pytest.approx(1e-4)
    assert learning_rate(config, 10, 0.0) == pytest.approx(1e-3)
    assert learning_rate(config, 500, 0.5) == pytest.approx(5e-4)
    assert learning_rate(config, 999, 1.0) == pytest.approx(0.0)


def test_loss_weights():
    schedule = Schedule.from_config(ScheduleConfig())
    assert torch.equal(loss_weights(schedule, TrainConfig(epochs=1)), torch.ones(1000))
    config = TrainConfig(epochs=1, loss_weight="p2", p2_k=0.5, p2_gamma=0.7)
    weights = loss_weights(schedule, config).double()
    assert float(weights.mean()) == pytest.approx(1.0, rel=1e-6)
    expected = ((0.5 + schedule.snr[999]) / (0.5 + schedule.snr[10])) ** -0.7
    assert float(weights[999] / weights[10]) == pytest.approx(float(expected), rel=1e-5)


def test_timesteps_are_uniform_but_for_the_share_from_the_middle(generator):
    uniform = draw_timesteps(1000, 8, 0.0, torch.Generator().manual_seed(3))
    assert torch.equal(uniform, torch.randint(1000, (8,), generator=torch.Generator().manual_seed(3)))

    middle = draw_timesteps(1000, 20_000, 1.0, generator)
    logits = torch.logit((middle + 0.5) / 1000)
    assert float(logits.mean()) == pytest.approx(-0.4, abs=0.02)
    assert float(logits.std()) == pytest.approx(0.8, abs=0.02)
    assert 0 <= int(middle.min()) < int(middle.max()) <= 999

    # beyond t = 900 hardly any come from the middle: there the share shows
    mixed = draw_timesteps(1000, 20_000, 0.6, generator)
    assert float((mixed >= 900).double().mean()) == pytest.approx(0.4 * 0.1, abs=0.005)


def test_a_run_with_timesteps_from_the_middle_says_so_and_resumes(linear, digits, tmp_path):
    config = TrainConfig(epochs=1, batch=8, middle=0.6)
    run = Run(tmp_path, TrainState.fresh(MODEL, config, PLACES[0]), config, ScheduleConfig(), PLACES[0])
    run.save()
    assert Run.resume(tmp_path, PLACES[0]).config == config
    assert run.provenance().middle == 0.6


def test_min_snr_weights_are_the_papers():
    """Hang et al. 2023: for x0 the weight is min(SNR, gamma), and the error of eps is SNR times that of x0."""
    schedule = Schedule.from_config(ScheduleConfig())
    weights = loss_weights(schedule, TrainConfig(epochs=1, loss_weight="min_snr", min_snr_gamma=3.0)).double()
    by_hand = [min(snr, 3.0) / snr for snr in (schedule.alpha_bar / (1 - schedule.alpha_bar)).tolist()]
    mean = sum(by_hand) / 1000
    assert weights.tolist() == pytest.approx([weight / mean for weight in by_hand], rel=1e-6)
    assert weights[999] == weights.max() == weights[700]  # where the SNR is below gamma, all t count alike
    assert float(weights.mean()) == pytest.approx(1.0, rel=1e-6)
    unlimited = loss_weights(schedule, TrainConfig(epochs=1, loss_weight="min_snr", min_snr_gamma=1e5))
    torch.testing.assert_close(unlimited, torch.ones(1000))


def test_minutes_end_by_the_clock():
    state = TrainState.fresh(MODEL, TrainConfig(minutes=2), PLACES[0])
    state.seconds = 30.0
    assert fraction_done(state, TrainConfig(minutes=2), 100) == pytest.approx(0.25)


def test_a_run_is_never_overwritten(tmp_path):
    config = TrainConfig(epochs=1)
    Run.begin(tmp_path, MODEL, config, PLACES[0]).save()
    with pytest.raises(ConfigError, match="already holds a run: add --resume"):
        Run.begin(tmp_path, MODEL, config, PLACES[0])


def test_a_directory_without_a_run_or_with_half_of_one_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="holds no run to resume"):
        Run.resume(tmp_path, PLACES[0])
    run = Run.begin(tmp_path, MODEL, TrainConfig(epochs=1), PLACES[0])
    run.save()
    run.state_path.write_bytes(run.state_path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="only a part"):
        Run.resume(tmp_path, PLACES[0])


def test_resuming_clears_what_a_kill_left_half_written(tmp_path):
    Run.begin(tmp_path, MODEL, TrainConfig(epochs=1), PLACES[0]).save()
    (tmp_path / ".run.safetensors.abc").write_bytes(b"half")
    Run.resume(tmp_path, PLACES[0])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.safetensors", "run.safetensors"]


def test_the_clock_goes_on_from_where_it_stood(linear, digits, tmp_path):
    config = TrainConfig(minutes=60, batch=8)
    state = TrainState.fresh(MODEL, config, PLACES[0])
    next(train(state, linear, digits, config))
    state.seconds = 1000.0
    save_run(tmp_path / "run", state, config, ScheduleConfig())
    again, _, _ = load_run(tmp_path / "run", PLACES[0])
    assert next(train(again, linear, digits, config)).seconds > 1000
    assert math.isfinite(again.loss)


def test_a_run_that_sleeps_takes_as_many_steps_as_one_that_does_not(linear, digits, monkeypatch):
    """A suspended process, by a clock on which every step takes half a second: eight hours are no training."""
    config = TrainConfig(minutes=0.1, batch=8)  # twelve steps

    def run(asleep):
        times = iter([0.0, *(0.5 * (k + 1) + (asleep if k >= 4 else 0.0) for k in range(40))])
        monkeypatch.setattr(loop, "StepClock", functools.partial(StepClock, now=lambda: next(times)))
        return [(p.step, p.total, p.lr, p.seconds) for p in train(fresh(config), linear, digits, config)]

    def fresh(config):
        return TrainState.fresh(MODEL, config, PLACES[0])

    awake = run(0.0)
    assert [step for step, *_ in awake] == list(range(1, 13))
    assert run(8 * 3600.0) == awake


def test_the_average_warms_up():
    """Its n-th step keeps min(decay, n / (9 + n)), as diffusers' does whatever its flag says: see findings/."""
    average, weight = [torch.zeros(3)], [torch.ones(3)]
    kept = 1.0
    for step in range(1, 300):
        keep_average(average, weight, 0.95, step)
        kept *= min(0.95, step / (9 + step))
        assert float(average[0][0]) == pytest.approx(1 - kept, abs=1e-6)
