"""Autoguidance against closed forms, and what cannot guide."""

import math

import pytest
import torch

from ddpm_demo.core.config import ConfigError, GuidanceConfig, ModelConfig, SamplerConfig, ScheduleConfig
from ddpm_demo.core.device import best_placement
from ddpm_demo.core.guidance import Guided, check_guide
from ddpm_demo.core.model import Denoiser
from ddpm_demo.core.sampling import sample
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.store import checkpoint
from ddpm_demo.store.checkpoint import CheckpointError
from ddpm_demo.store.shipped import load_guided


def expert(schedule, variance):
    """The exact network for data N(0, variance): eps_hat = sqrt(1 - a) x_t / (a variance + 1 - a)."""

    def eps(x_t, t):
        a = schedule.alpha_bar[int(t[0])]
        return (1 - a).sqrt() / (a * variance + 1 - a) * x_t

    return eps


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0, 3.0])
def test_the_answer_lies_on_the_line_through_both(weight, generator):
    said = torch.randn(2, 3, 1, 4, 4, generator=generator)
    guided = Guided(lambda x_t, t: said[0], lambda x_t, t: said[1], weight)
    x_t, t = torch.zeros(3, 1, 4, 4), torch.zeros(3)
    torch.testing.assert_close(guided(x_t, t), weight * said[0] + (1 - weight) * said[1])
    assert all(torch.equal(a, b) for a, b in zip(guided.answers, said, strict=True))


@pytest.mark.parametrize("weight", [0.0, 1.0, 2.0, 4.0])
def test_a_gaussian_gets_as_narrow_as_it_must(linear, weight):
    """With exact Gaussian networks every DDIM step only multiplies: the whole way is one factor, known exactly."""
    good, wide, factor = 0.25, 0.5, 1.0
    timesteps = linear.timesteps(100)
    for t, s in zip(timesteps, [*timesteps[1:], -1], strict=True):
        a, b = linear.alpha_bar_at(t), linear.alpha_bar_at(s)
        share = sum(w / (a * v + 1 - a) for w, v in ((weight, good), (1 - weight, wide)))
        eps = math.sqrt(1 - a) * share  # of x_t
        factor *= math.sqrt(b / a) * (1 - math.sqrt(1 - a) * eps) + math.sqrt(1 - b) * eps
    x_T = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    guided = Guided(expert(linear, good), expert(linear, wide), weight)
    config = SamplerConfig(kind="ddim", steps=100)
    *_, last = sample(guided, linear, config, x_T, generator=torch.Generator())
    assert float(last.x_s) == pytest.approx(factor, rel=1e-10)
    # the guide alone is about as wide as its data, so is the network, and more weight is narrower than both
    if weight < 1:
        assert factor == pytest.approx(math.sqrt(wide), rel=0.05)
    elif weight == 1:
        assert factor == pytest.approx(math.sqrt(good), rel=0.05)
    else:
        assert factor < 0.9 * math.sqrt(good)


def test_a_guide_that_learnt_something_else_is_refused(tiny, linear):
    check_guide(tiny, linear, tiny, linear)
    for other in (ScheduleConfig(kind="cosine"), ScheduleConfig(timesteps=500), ScheduleConfig(beta_T=0.03)):
        with pytest.raises(ConfigError, match="another noise schedule"):
            check_guide(tiny, linear, tiny, Schedule.from_config(other))
    colour = Denoiser(ModelConfig(image_channels=3, hidden=8, dilations=(1,)))
    with pytest.raises(ConfigError, match="number of channels"):
        check_guide(tiny, linear, colour, linear)


def test_loading_a_guide(tiny, linear, tmp_path):
    path, placement = tmp_path / "guide.safetensors", best_placement()
    with pytest.raises(CheckpointError, match="no checkpoint"):
        load_guided(tiny, linear, GuidanceConfig(str(path)), placement)
    checkpoint.save(path, checkpoint.Checkpoint(tiny, ScheduleConfig(), {}))
    assert load_guided(tiny, linear, None, placement) is tiny
    assert load_guided(tiny, linear, GuidanceConfig(str(path), 1.0), placement) is tiny
    assert isinstance(load_guided(tiny, linear, GuidanceConfig(str(path), 2.0), placement), Guided)
    with pytest.raises(ConfigError, match="another noise schedule"):
        load_guided(tiny, Schedule.from_config(ScheduleConfig(kind="cosine")), GuidanceConfig(str(path)), placement)
