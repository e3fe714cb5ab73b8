"""A step written out is the step: the sum of its terms is x_s, for every sampler and way of clipping."""

import pytest
import torch

from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample
from ddpm_demo.explaining.written_step import write_out

CONFIGS = [
    SamplerConfig(kind=kind, steps=steps, variance=variance, clip=clip, eta=eta)
    for kind, variance, eta in [
        ("ddpm", "beta", 0.0),
        ("ddpm", "posterior", 0.0),
        ("ddim", "beta", 0.0),
        ("ddim", "beta", 0.7),
        ("dpmpp", "beta", 0.0),
        ("heun", "beta", 0.0),
    ]
    for clip in ("none", "x0", "x_t")
    for steps in (2, 11)
]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_the_terms_add_up_to_the_step(linear, config):
    x_T = torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def wavy(x_t, t):
        return torch.tanh(x_t) * (0.3 + t.view(-1, 1, 1, 1) / 1000)

    for step in sample(wavy, linear, config, x_T, generator=torch.Generator().manual_seed(2)):
        written = write_out(linear, config, step)
        torch.testing.assert_close(written.total(), step.x_s, rtol=1e-9, atol=1e-9)
        assert written.clamped == (config.clip == "x_t")
