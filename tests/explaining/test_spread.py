"""The exact end of every sampler at every step count: against closed forms, and against the sampler itself."""

import functools
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig
from ddpm_demo.core.sampling import Walk, sample
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.explaining.spread import gaussian_end

ALPHA_BAR = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))


@pytest.fixture(scope="module")
def schedule():
    return Schedule.from_config(ScheduleConfig())


def test_the_figures_of_ten_steps(schedule):
    """Data N(0, 1), at 999, 888, ..., 0: right would be 1."""
    spreads = {
        ("ddim", "beta"): 0.8146,
        ("ddpm", "beta"): 0.99995,
        ("ddpm", "posterior"): 0.7217,
        ("dpmpp", "beta"): 1.3300,
    }
    for (kind, variance), spread in spreads.items():
        config = SamplerConfig(kind=kind, steps=10, variance=variance)
        assert gaussian_end(schedule, config)[1] == pytest.approx(spread, abs=5e-5), kind


def test_every_step_count_asks_that_often_from_the_first_timestep_to_the_last(schedule):
    for steps in range(1, 1001):
        timesteps = schedule.timesteps(steps)
        assert len(timesteps) == steps
        assert timesteps[0] == 999
        assert steps == 1 or timesteps[-1] == 0
        assert all(t > s for t, s in itertools.pairwise(timesteps))


def closed_form(steps, std):
    """DDIM on N(0, std^2): a product of factors, one a step, by numpy alone."""
    t = np.array([999 - round(i * 999 / (steps - 1)) for i in range(steps)] if steps > 1 else [999])
    now, after = ALPHA_BAR[t], np.append(ALPHA_BAR[t[1:]], 1.0)
    total = now * std**2 + 1 - now
    return float(np.prod((np.sqrt(after * now) * std**2 + np.sqrt((1 - after) * (1 - now))) / total))


def test_ddim_is_its_closed_form_at_all_thousand_step_counts(schedule):
    """A step depends on t and s alone, and is linear: each pair is taken once, by the sampler, from a pixel of 1."""
    std = 0.25

    @functools.cache
    def factor(t, s):
        one = torch.ones(1, 1, 1, 1, dtype=torch.float64)
        config, timesteps = SamplerConfig(kind="ddim"), [t] if s == -1 else [t, s]
        walk = Walk(schedule, config, one, generator=torch.Generator(), timesteps=timesteps)
        total = ALPHA_BAR[t] * std**2 + 1 - ALPHA_BAR[t]
        return float(walk.take(math.sqrt(1 - ALPHA_BAR[t]) * one / total).x_s)

    ends = []
    for steps in range(1, 1001):
        timesteps = schedule.timesteps(steps)
        ends.append(math.prod(itertools.starmap(factor, zip(timesteps, [*timesteps[1:], -1], strict=True))))
        assert ends[-1] == pytest.approx(closed_form(steps, std), rel=1e-9), steps
    for steps in (1, 2, 7, 61, 103, 600):
        spread = gaussian_end(schedule, SamplerConfig(kind="ddim", steps=steps), std=std)[1]
        assert spread == pytest.approx(ends[steps - 1], rel=1e-9)
    # no count is out of line, as elsewhere those are that do not divide 1000 (findings/ddim_more_steps_end_worse.sh)
    assert max(abs(end - std) for end in ends[499:]) < 0.005
    assert max(abs(b - a) for a, b in itertools.pairwise(ends[99:])) < 0.001


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 61])
@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("ddpm", {"variance": "beta"}),
        ("ddpm", {"variance": "posterior", "final_noise": "ho"}),
        ("ddim", {"eta": 0.0}),
        ("ddim", {"eta": 0.7}),
        ("dpmpp", {}),
        ("heun", {}),
    ],
)
def test_the_sampler_ends_where_the_closed_form_says(kind, settings, steps, schedule):
    """Many pixels go through `sample` with the exact answer; without noise it is one line, known by two points."""
    mean, std, config = -0.7, 0.5, SamplerConfig(kind=kind, steps=steps, **settings)

    def answer(x_t, t):
        alpha_bar = float(ALPHA_BAR[int(t[0])])
        return (1 - alpha_bar) ** 0.5 * (x_t - alpha_bar**0.5 * mean) / (alpha_bar * std**2 + 1 - alpha_bar)

    end_mean, end_std, share = gaussian_end(schedule, config, mean=mean, std=std)
    assert share == end_std / std
    noisy = kind == "ddpm" or settings.get("eta")
    count = 100 if noisy else 1
    start = torch.randn(2, 1, count, count, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    if not noisy:
        start = torch.tensor([0.0, 1.0], dtype=torch.float64).view(2, 1, 1, 1)
    *_, step = sample(answer, schedule, config, start, generator=torch.Generator().manual_seed(2))
    if noisy:
        assert float(step.x_s.mean()) == pytest.approx(end_mean, abs=5 * end_std / math.sqrt(start.numel()))
        assert float(step.x_s.std()) == pytest.approx(end_std, rel=5 / math.sqrt(2 * start.numel()))
    else:
        zero, one = step.x_s.flatten().tolist()
        assert zero == pytest.approx(end_mean, abs=1e-9)
        assert abs(one - zero) == pytest.approx(end_std, abs=1e-9)


def test_every_sampler_comes_to_the_right_spread_with_all_steps(schedule):
    for kind in SAMPLERS:
        end = gaussian_end(schedule, SamplerConfig(kind=kind, steps=1000), mean=0.3)
        assert end[0] == pytest.approx(0.3, abs=0.01)
        assert end[1] == pytest.approx(1.0, abs=0.01), kind


def test_the_table_of_the_docs_is_what_the_samplers_do(schedule):
    rules = [("ddpm", "beta"), ("ddpm", "posterior"), ("ddim", "beta"), ("dpmpp", "beta"), ("heun", "beta")]
    page = (Path(__file__).parents[2] / "docs" / "measurements.md").read_text(encoding="utf-8")
    table = page.split("## What few steps do to contrast")[1].split("|---|---|---|---|---|---|\n")[1].split("\n\n")[0]
    for line in table.splitlines():
        steps, *shown = line.strip("| ").split(" | ")
        for (kind, variance), word in zip(rules, shown, strict=True):
            end = gaussian_end(schedule, SamplerConfig(kind, steps=int(steps), variance=variance))[1]
            assert word == f"{end:.2f}", (steps, kind, variance)
    assert len(table.splitlines()) == 6
