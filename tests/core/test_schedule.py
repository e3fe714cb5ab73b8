import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample
from ddpm_demo.core.schedule import Schedule, ScheduleConfig


def test_linear_betas_are_the_specs(linear):
    np.testing.assert_allclose(linear.beta, np.linspace(1e-4, 0.02, 1000), rtol=1e-14)


def test_alpha_bar_against_exact_fractions(linear):
    exact = Fraction(1)
    for t, beta in enumerate(linear.beta.tolist()):
        exact *= 1 - Fraction(beta)
        if t in (0, 1, 100, 500, 999):
            assert float(linear.alpha_bar[t]) == pytest.approx(float(exact), rel=1e-12)


@pytest.mark.parametrize(
    ("t", "value"),
    [
        (0, 0.9999),
        (1, 0.99978),
        (100, 0.895142),
        (250, 0.521423),
        (500, 0.0777967),
        (750, 0.00330016),
        (999, 4.03583e-05),
    ],
)
def test_alpha_bar_published_figures(linear, t, value):
    assert float(linear.alpha_bar[t]) == pytest.approx(value, rel=2e-5)


def test_half_of_the_signal_is_gone_between_258_and_259(linear):
    assert linear.alpha_bar[258] > 0.5 > linear.alpha_bar[259]


def test_cosine_against_diffusers():
    from diffusers import DDPMScheduler

    theirs = DDPMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2")
    ours = Schedule.from_config(ScheduleConfig(kind="cosine"))
    torch.testing.assert_close(ours.beta.float(), theirs.betas, rtol=1e-6, atol=1e-7)


def test_one_jump_equals_the_chain_in_mean_and_variance(linear):
    mean, variance = 1.0, 0.0
    for t in range(1000):
        alpha, beta = float(linear.alpha[t]), float(linear.beta[t])
        mean, variance = math.sqrt(alpha) * mean, alpha * variance + beta
        assert mean == pytest.approx(math.sqrt(linear.alpha_bar_at(t)), rel=1e-10)
        assert variance == pytest.approx(1 - linear.alpha_bar_at(t), rel=1e-10)


def test_x0_eps_and_x_t_go_round(linear, generator):
    x0, eps = (torch.randn(5, 1, 4, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    t = torch.tensor([0, 1, 300, 998, 999])
    x_t = linear.add_noise(x0, t, eps)
    torch.testing.assert_close(linear.predict_x0(x_t, t, eps), x0, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(linear.predict_eps(x_t, t, x0), eps, rtol=1e-9, atol=1e-9)
    one_by_one = torch.cat([linear.add_noise(x0[i : i + 1], int(t[i]), eps[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(x_t, one_by_one, rtol=1e-12, atol=1e-12)


def test_the_image_keeps_its_dtype(linear):
    x = torch.zeros(1, 1, 2, 2, dtype=torch.float32)
    assert linear.add_noise(x, torch.tensor([5]), x).dtype == torch.float32
    assert linear.add_noise(x, 5, x).dtype == torch.float32


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 28, 50, 999, 1000])
def test_timesteps_fall_strictly_from_the_last_to_zero(linear, steps):
    timesteps = linear.timesteps(steps)
    assert len(timesteps) == steps
    assert timesteps[0] == 999
    assert steps == 1 or timesteps[-1] == 0
    assert all(a > b for a, b in pairwise(timesteps))


@pytest.mark.parametrize("steps", [0, -1, 1001])
def test_impossible_step_counts_are_refused(linear, steps):
    with pytest.raises(ConfigError, match="from 1 to 1000"):
        linear.timesteps(steps)


def test_bayes_the_precisions_of_the_two_sides_add_up(linear):
    """1 / var of q(x_t | x_s), seen from x_s, plus 1 / var of q(x_s | x_0), is 1 / posterior variance."""
    for t, s in [(1, 0), (500, 499), (999, 998), (999, 0), (600, 300)]:
        beta = linear.step_beta(t, s)
        precision = (1 - beta) / beta + 1 / (1 - linear.alpha_bar_at(s))
        assert linear.reverse_std(t, s, "posterior") ** 2 == pytest.approx(1 / precision, rel=1e-9)


def test_reverse_std_of_single_steps_is_the_tables(linear):
    for t in (1, 2, 500, 999):
        assert linear.reverse_std(t, t - 1, "beta") == pytest.approx(math.sqrt(float(linear.beta[t])), rel=1e-10)
    assert linear.reverse_std(0, -1, "posterior") == 0.0


@pytest.mark.parametrize("t", [-2, 1000])
def test_a_t_outside_the_schedule_is_refused(linear, t):
    with pytest.raises(ConfigError, match="from -1 to 999"):
        linear.alpha_bar_at(t)


@pytest.mark.parametrize("kind", ["ddpm", "ddim", "dpmpp"])
@pytest.mark.parametrize(
    "config",
    [
        ScheduleConfig(beta_1=1e-12, beta_T=1e-12, timesteps=50),
        ScheduleConfig(beta_1=0.5, beta_T=0.5, timesteps=199),  # leaves 1.2e-60 of the signal
        ScheduleConfig(timesteps=10_000),
        ScheduleConfig(kind="cosine", timesteps=10_000),
        ScheduleConfig(kind="cosine", timesteps=1),
    ],
)
def test_whatever_schedule_is_not_refused_can_be_sampled(config, kind, generator):
    schedule = Schedule.from_config(config)
    rule = SamplerConfig(kind=kind, steps=min(20, len(schedule)))  # clips nothing
    start = torch.randn(1, 1, 4, 4, generator=generator)
    *_, last = sample(lambda x_t, t: 0.9 * x_t.tanh(), schedule, rule, start, generator=generator)
    assert torch.isfinite(last.x_s).all()


def test_half_precision_pictures_get_the_faintest_noise_too(linear):
    """Cast before 1 - alpha_bar is taken, as in diffusers, a table in bfloat16 has none up to t = 9."""
    t = torch.arange(1000)
    for dtype in (torch.float16, torch.bfloat16):
        clean, eps = torch.zeros(1000, 1, 1, 1, dtype=dtype), torch.ones(1000, 1, 1, 1, dtype=dtype)
        noise = linear.add_noise(clean, t, eps).flatten()
        assert noise.dtype == dtype
        exact = (1 - linear.alpha_bar).sqrt()
        assert ((noise.double() / exact - 1).abs() <= torch.finfo(dtype).eps / 2 + 1e-9).all()
