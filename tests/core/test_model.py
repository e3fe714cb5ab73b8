import math

import pytest
import torch

from ddpm_demo.core.config import ModelConfig, preset
from ddpm_demo.core.model import Denoiser, count_parameters, seeded_denoiser, sinusoidal_embedding
from ddpm_demo.machine.device import Placement, best_placement
from ddpm_demo.machine.placement import place


@pytest.mark.parametrize(("name", "count"), [("full", 4_871_425), ("lite", 320_833)])
def test_parameter_counts(name, count):
    assert count_parameters(Denoiser(preset(name))) == count


def test_full_preset_is_the_specs_network_layer_by_layer():
    with torch.device("meta"):
        model = Denoiser(preset("full"))
    convolutions = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    shapes = [(c.in_channels, c.out_channels, c.kernel_size[0], c.dilation[0]) for c in convolutions]
    blocks = [(256, 256, 3, d) for d in (1, 1, 3, 3, 9, 9, 27, 27)]
    assert shapes == [(256, 256, 1, 1), (256, 256, 1, 1), (1, 256, 7, 1), *blocks, (256, 1, 3, 1)]
    assert [m.num_groups for m in model.modules() if isinstance(m, torch.nn.GroupNorm)] == [8] * 8


def test_embedding_by_the_specs_formula():
    t = torch.tensor([0, 1, 500, 999])
    embedding = sinusoidal_embedding(t, 256)
    assert embedding.shape == (4, 256)
    for row, value in enumerate(t.tolist()):
        for k in (0, 1, 64, 127):
            angle = value * math.exp(-math.log(10000) * k / 127)
            assert float(embedding[row, k]) == pytest.approx(math.sin(angle), abs=1e-4)
            assert float(embedding[row, 128 + k]) == pytest.approx(math.cos(angle), abs=1e-4)


def test_forward_by_the_specs_own_lines(tiny, generator):
    """The spec's pseudocode, written out, against the module."""
    x, t = torch.randn(3, 1, 28, 28, generator=generator), torch.tensor([0, 400, 999])
    y = tiny.in_project(x)
    first, act, second = tiny.time_project
    time = second(act(first(sinusoidal_embedding(t, 16)[:, :, None, None])))
    for block in tiny.blocks:
        x_conditioned = y + time
        d = block.conv.dilation
        y = x_conditioned + torch.nn.functional.conv2d(
            x_conditioned, block.conv.weight, block.conv.bias, padding=d, dilation=d
        )
        y = torch.nn.functional.silu(block.norm(y))
    torch.testing.assert_close(tiny(x, t), tiny.out_project(y))


def test_any_image_size_and_channels():
    model = Denoiser(ModelConfig(image_channels=3, hidden=8, dilations=(1, 27), time_dim=16))
    assert model(torch.zeros(2, 3, 20, 33), torch.tensor([1, 2])).shape == (2, 3, 20, 33)


def test_the_seed_decides_the_weights_and_leaves_the_global_state_alone():
    config = ModelConfig(hidden=8, dilations=(1,), time_dim=16)
    before = torch.get_rng_state()
    a, b, c = (seeded_denoiser(config, seed).in_project.weight for seed in (1, 1, 2))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert torch.equal(before, torch.get_rng_state())


def test_bfloat16_blocks_stay_close_to_float32(generator):
    x, t = torch.randn(2, 1, 28, 28, generator=generator), torch.tensor([3, 700])
    config = preset("lite")
    reference = seeded_denoiser(config, 0)(x, t)
    fast = place(seeded_denoiser(config, 0), Placement(torch.device("cpu"), torch.bfloat16))(x, t)
    assert fast.dtype == torch.float32
    assert float((fast - reference).detach().square().mean() / reference.detach().square().mean()) < 1e-3


def test_training_in_bfloat16_keeps_float32_weights():
    placement = Placement(torch.device("cpu"), torch.bfloat16)
    model = place(seeded_denoiser(preset("lite"), 0), placement, keep_float32_weights=True)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    model(torch.zeros(1, 1, 28, 28), torch.tensor([5])).sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


def test_best_placement_says_a_device_and_a_format():
    placement = best_placement()
    assert placement.dtype_name in ("float32", "bfloat16")
    assert placement.device.type in ("cpu", "cuda")
