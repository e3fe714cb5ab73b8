import pytest
import torch

from ddpm_demo.core.config import ConfigError, ModelConfig, spec_dilations
from ddpm_demo.core.model import seeded_denoiser
from ddpm_demo.core.receptive import live_taps, path_counts, receptive_field
from ddpm_demo.explaining.influence import (
    effective_width,
    influence_map,
    measured_receptive_field,
    radial_profile,
    share_outside,
)


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
    from ddpm_demo.explaining.influence import _FrozenNorm

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


def test_paths_add_up_to_the_product_of_the_kernels():
    """On an image larger than the field no path is lost: 49 times (9 taps + straight on) a block, times 9."""
    counts = path_counts([1, 2, 3], 41, 20, 20, layers=5)
    assert float(counts.sum()) == 49 * 10**3 * 9
    assert float(path_counts(spec_dilations(8), 175, 87, 87, layers=10).sum()) == 49 * 10**8 * 9


def test_paths_by_walking_every_one_of_them():
    """Dilations 1 and 2 on 9x9, every path walked; those that leave the image are lost."""
    size, row, col = 9, 1, 7

    def ways(reach, step):
        return [(dy * step, dx * step) for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1)]

    here = {(row, col): 1}
    layers = [ways(1, 1), [*ways(1, 2), (0, 0)], [*ways(1, 1), (0, 0)], ways(3, 1)]
    for layer in layers:
        there = {}
        for (y, x), count in here.items():
            for dy, dx in layer:
                if 0 <= y + dy < size and 0 <= x + dx < size:
                    there[y + dy, x + dx] = there.get((y + dy, x + dx), 0) + count
        here = there
    counts = path_counts([1, 2], size, row, col, layers=4)
    assert {(y, x): int(counts[y, x]) for y in range(size) for x in range(size) if counts[y, x]} == here


@pytest.mark.parametrize(("row", "col", "layers"), [(-1, 0, 1), (0, 28, 1), (0, 0, 0), (0, 0, 5)])
def test_pixels_and_layers_that_do_not_exist_are_refused(row, col, layers):
    with pytest.raises(ConfigError, match="must"):
        path_counts([1, 3], 28, row, col, layers=layers)


@pytest.mark.parametrize(
    "dilations", [spec_dilations(8), (1, 3, 3, 9, 9, 27, 27, 81), (1, 1, 1, 3, 3, 9, 9, 27), (1,) * 8]
)
def test_the_measured_field_is_the_formulas(dilations):
    config = ModelConfig(dilations=dilations)
    assert measured_receptive_field(dilations) == receptive_field(*config.kernels_and_dilations)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_support_after_a_layer_is_where_paths_lead(layers):
    """Holes included: dilations 4 and 4 leave some, and the gradient has the same."""
    config = ModelConfig(hidden=8, dilations=(4, 4), groups=4, time_dim=16)
    model = seeded_denoiser(config, seed=1).double()
    x = torch.randn(1, 1, 28, 28, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    seen = influence_map(model, x, 10, 3, 20, freeze_norm=True, layers=layers) > 0
    assert torch.equal(seen, path_counts([4, 4], 28, 3, 20, layers=layers) > 0)


def test_a_batch_is_averaged(tiny):
    model = tiny.double()
    x = torch.randn(3, 1, 12, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    together = influence_map(model, x, 5, 4, 4, freeze_norm=False)
    alone = torch.stack([influence_map(model, x[i : i + 1], 5, 4, 4, freeze_norm=False) for i in range(3)])
    torch.testing.assert_close(together, alone.mean(0))


def test_shares_profiles_and_widths_of_a_known_map():
    influence = torch.zeros(28, 28)
    influence[10, 10], influence[10, 13], influence[27, 0] = 6.0, 3.0, 1.0
    assert share_outside(influence, 10, 10, 7) == pytest.approx(0.1)
    assert share_outside(influence, 10, 10, 5) == pytest.approx(0.4)
    profile = radial_profile(influence, 10, 10)
    assert profile[0] == 6.0
    assert float(profile[3]) == pytest.approx(3.0 / 24)
    assert effective_width(influence, 10, 10, share=0.89) == 7
    assert effective_width(influence, 10, 10, share=0.5) == 1
