import pytest
import torch

from ddpm_demo.config import ConfigError, ModelConfig, spec_dilations
from ddpm_demo.model import seeded_denoiser
from ddpm_demo.receptive import influence_map, live_taps, receptive_field


def test_the_specs_network_layer_by_layer():
    kernels, dilations = ModelConfig().kernels_and_dilations
    assert receptive_field(kernels, dilations) == [7, 9, 11, 17, 23, 41, 59, 113, 167, 169]


def test_the_blocks_alone():
    assert receptive_field([3] * 8, spec_dilations(8)) == [3, 5, 11, 17, 35, 53, 107, 161]


def test_lists_of_different_length_are_refused():
    with pytest.raises(ConfigError, match="2 kernels need as many dilations, got 1"):
        receptive_field([3, 3], [1])


@pytest.mark.parametrize("dilation", [1, 3, 9, 27, 28, 81])
def test_live_taps_by_counting(dilation):
    inside = 0
    for row in range(28):
        for col in range(28):
            for dy in (-dilation, 0, dilation):
                for dx in (-dilation, 0, dilation):
                    inside += 0 <= row + dy < 28 and 0 <= col + dx < 28
    assert live_taps(28, dilation) == pytest.approx(inside / (9 * 28 * 28))


@pytest.mark.parametrize("dilations", [(1,), (1, 1, 1), (1, 3), (1, 1, 3, 3), (2, 5)])
def test_the_gradients_support_is_the_formulas_square(dilations):
    """With the norm frozen, in float64, on random weights: exactly the formula, and every pixel of it."""
    config = ModelConfig(hidden=8, dilations=dilations, groups=4, time_dim=16)
    model = seeded_denoiser(config, seed=3).double()
    width = receptive_field(*config.kernels_and_dilations)[-1]
    size = width + 6
    x = torch.randn(1, 1, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    seen = influence_map(model, x, 500, size // 2, size // 2, freeze_norm=True) > 0
    low, high = size // 2 - width // 2, size // 2 + width // 2
    expected = torch.zeros(size, size, dtype=torch.bool)
    expected[low : high + 1, low : high + 1] = True
    assert torch.equal(seen, expected)


def test_with_the_norm_alive_every_pixel_counts(tiny):
    x = torch.randn(1, 1, 40, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert bool((influence_map(tiny.double(), x, 500, 20, 20, freeze_norm=False) > 0).all())


def test_freezing_changes_the_gradient_and_not_the_answer(tiny, generator):
    from ddpm_demo.receptive import _FrozenNorm

    norm = torch.nn.GroupNorm(4, 8).double()
    torch.nn.init.normal_(norm.weight)
    y = torch.randn(2, 8, 5, 5, dtype=torch.float64, generator=generator)
    torch.testing.assert_close(_FrozenNorm(norm)(y), norm(y))


def test_the_gradient_is_right_by_finite_differences(tiny):
    model = tiny.double()
    x = torch.randn(1, 1, 12, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    influence = influence_map(model, x, 200, 5, 6, freeze_norm=False)
    t, h = torch.tensor([200]), 1e-6
    for row, col in [(5, 6), (0, 0), (11, 3)]:
        bump = torch.zeros_like(x)
        bump[0, 0, row, col] = h
        with torch.no_grad():
            slope = (model(x + bump, t) - model(x - bump, t))[0, 0, 5, 6] / (2 * h)
        assert float(influence[row, col]) == pytest.approx(abs(float(slope)), rel=1e-5, abs=1e-9)


def test_the_model_is_left_as_it_was(tiny):
    tiny.train()
    influence_map(tiny, torch.zeros(1, 1, 8, 8), 5, 3, 3, freeze_norm=True)
    assert tiny.training
    assert all(p.requires_grad for p in tiny.parameters())
    assert all(isinstance(block.norm, torch.nn.GroupNorm) for block in tiny.blocks)
