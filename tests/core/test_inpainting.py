"""RePaint against a Gaussian whose conditional is known in closed form, with an exact oracle for eps."""

import math

import pytest
import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.inpainting import complete
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample

RHO = 0.9


def oracle(schedule, covariance):
    """The exact expected noise for data N(0, covariance) over the two pixels of a (B, 1, 1, 2) image."""

    def eps_hat(x_t, t):
        alpha_bar = schedule.alpha_bar_at(int(t[0]))
        total = alpha_bar * covariance + (1 - alpha_bar) * torch.eye(2, dtype=torch.float64)
        score = -torch.linalg.solve(total, x_t.flatten(1).T).T  # grad log p(x_t)
        return (-math.sqrt(1 - alpha_bar) * score).view_as(x_t)

    return eps_hat


def completed(schedule, jumps, *, count=4000, steps=100, kind="ddpm", value=1.5):
    covariance = torch.tensor([[1.0, RHO], [RHO, 1.0]], dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    x_T = torch.randn(count, 1, 1, 2, generator=generator, dtype=torch.float64)
    x0 = torch.full((1, 1, 1, 2), value, dtype=torch.float64)
    known = torch.tensor([True, False]).view(1, 1, 1, 2)
    config = SamplerConfig(kind=kind, steps=steps, variance="posterior", final_noise="ho")
    steps_taken = list(
        complete(
            oracle(schedule, covariance), schedule, config, x_T, x0=x0, known=known, jumps=jumps, generator=generator
        )
    )
    assert [step.index for step in steps_taken] == list(range(steps))
    return steps_taken[-1].x_s.flatten(1)


@pytest.mark.parametrize("kind", ["ddpm", "ddim", "dpmpp"])
def test_the_known_part_is_kept_exactly(linear, kind):
    final = completed(linear, 2, count=8, steps=10, kind=kind)
    assert torch.equal(final[:, 0], torch.full((8,), 1.5, dtype=torch.float64))


def test_with_jumps_the_unknown_part_has_the_conditional_mean_and_variance(linear):
    final = completed(linear, 5, count=2000, steps=300)[:, 1]
    assert float(final.mean()) == pytest.approx(RHO * 1.5, abs=0.08)
    assert float(final.var()) == pytest.approx(1 - RHO**2, abs=0.03)


def test_without_jumps_it_has_not(linear):
    final = completed(linear, 0, count=2000, steps=300)[:, 1]
    assert float(final.mean()) < RHO * 1.5 - 0.3
    assert float(final.var()) > 1 - RHO**2 + 0.08


def test_the_network_is_called_once_a_step_and_jump(linear):
    calls = []

    def counted(x_t, t):
        calls.append(int(t[0]))
        return torch.zeros_like(x_t)

    known = torch.zeros(1, 1, 2, 2, dtype=torch.bool)
    known[..., 0] = True
    x_T = torch.randn(1, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    config = SamplerConfig(steps=5)
    list(complete(counted, linear, config, x_T, x0=x_T, known=known, jumps=3, generator=generator))
    assert len(calls) == 5 * 4 - 3
    assert calls[:5] == [999, 999, 999, 999, 749]


def test_the_networks_mode_comes_back(tiny, linear):
    tiny.train()
    known = torch.zeros(1, 1, 28, 28, dtype=torch.bool)
    known[..., :14, :] = True
    x_T = torch.randn(1, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    steps = complete(
        tiny,
        linear,
        SamplerConfig(steps=3),
        x_T,
        x0=torch.zeros_like(x_T),
        known=known,
        jumps=0,
        generator=torch.Generator().manual_seed(0),
    )
    next(steps)
    assert not tiny.training
    steps.close()
    assert tiny.training


@pytest.mark.parametrize("jumps", [-1, 21, 1.5, True, None])
def test_jumps_out_of_range_are_refused(linear, jumps):
    with pytest.raises(ConfigError, match="jumps must be a whole number from 0 to 20"):
        completed(linear, jumps, count=1, steps=2)


@pytest.mark.parametrize(("fill", "words"), [(False, "no part of the picture is known"), (True, "nothing to complete")])
def test_a_mask_that_leaves_nothing_to_do_is_refused(linear, fill, words):
    x_T = torch.zeros(1, 1, 2, 2)
    known = torch.full((1, 1, 2, 2), fill)
    steps = complete(
        lambda x, t: x,
        linear,
        SamplerConfig(steps=2),
        x_T,
        x0=x_T,
        known=known,
        jumps=0,
        generator=torch.Generator(),
    )
    with pytest.raises(ConfigError, match=words):
        next(steps)


def test_an_empty_wish_is_the_sampler_itself(linear, tiny):
    """With one known corner pixel of x0 = what the sampler drew there, the same seed begins with the same picture."""
    x_T = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    config = SamplerConfig(steps=4)
    first = next(sample(tiny, linear, config, x_T, generator=torch.Generator().manual_seed(1)))
    known = torch.zeros(1, 1, 28, 28, dtype=torch.bool)
    known[..., 0, 0] = True
    steps = complete(
        tiny, linear, config, x_T, x0=first.x0_hat, known=known, jumps=0, generator=torch.Generator().manual_seed(1)
    )
    begun = next(steps)
    assert torch.equal(begun.x_s[~known.expand_as(begun.x_s)], first.x_s[~known.expand_as(first.x_s)])
