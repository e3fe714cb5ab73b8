"""`bench sample` measures the same arithmetic in every way; no test looks at how long anything took."""

import pytest
import torch

from ddpm_demo.bench import sampling, timing
from ddpm_demo.core.config import preset
from ddpm_demo.core.device import best_placement
from ddpm_demo.core.model import Denoiser


def test_the_plain_loop_is_the_specs_sampler(tiny, linear, monkeypatch):
    """The comparison is worth something only if it does the same: one step from the same x_t and no noise."""
    from ddpm_demo.core.config import SamplerConfig
    from ddpm_demo.core.sampling import sample

    monkeypatch.setattr(torch, "randn", lambda *shape, **_: torch.ones(shape))
    monkeypatch.setattr(torch, "randn_like", lambda like: torch.zeros_like(like))
    plain = sampling.plain_sampling(tiny, linear, 2, best_placement())()
    monkeypatch.undo()
    step = next(sample(tiny, linear, SamplerConfig(), torch.ones(2, 1, 28, 28), generator=torch.Generator()))
    torch.testing.assert_close(plain.cpu(), step.x_s - step.std * step.z, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "expected"), [("full", 3.71e9)])
def test_the_multiply_adds_are_the_specs(name, expected):
    assert timing.multiply_adds(Denoiser(preset(name))) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("name", ["lite", "full"])
def test_live_multiply_adds_are_those_that_a_convolution_of_ones_counts(name):
    config = preset(name)
    model, expected = Denoiser(config), 0
    channels = [config.image_channels, *[config.hidden] * (len(config.dilations) + 1), config.image_channels]
    for k, (kernel, step) in enumerate(zip(*config.kernels_and_dilations, strict=True)):
        ones = torch.ones(1, 1, kernel, kernel)
        taps = torch.nn.functional.conv2d(torch.ones(1, 1, 28, 28), ones, padding=kernel // 2 * step, dilation=step)
        expected += int(taps.sum()) * channels[k] * channels[k + 1]
    assert timing.live_multiply_adds(model) == pytest.approx(expected, rel=1e-12)
    assert timing.live_multiply_adds(model) < timing.multiply_adds(model)


def counting(begin):
    """A step for a process of its own: it must be importable there."""
    return iter(range(begin, 10**9)).__next__


def test_a_way_apart_is_timed_in_its_own_process():
    with timing.Apart(counting, 3) as apart:
        assert apart.possible
        assert 0 < apart.time(0.01) < 1
        assert apart.time(0.01) > 0
        process = apart._process
        assert process.is_alive()
    assert not process.is_alive()


def test_a_row_has_every_figure(monkeypatch):
    monkeypatch.setattr(sampling, "SAMPLING_ROUNDS", 1)
    (row,) = sampling.bench_sample(presets=("lite",), counts=(1,), seconds=0.01)
    assert (row["preset"], row["n"]) == ("lite", 1)
    assert all(row[name] > 0 for name in ("step_ms", "plain_ms", "diffusers_ms", "images_per_s", "of_matrix_rate"))
    assert row["times_plain"] == pytest.approx(row["plain_ms"] / row["step_ms"])
    assert 0 <= row["frames"] < 1
