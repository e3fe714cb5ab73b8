"""The two layers against PyTorch's own, of which they must be exact stand-ins."""

import pytest
import torch
from torch import nn

from ddpm_demo.core.config import ModelConfig
from ddpm_demo.core.model import ResidualBlock, seeded_denoiser
from ddpm_demo.machine.fast_layers import FastBlock, ImageGroupNorm, ResidualConv, swap_in_fast_blocks


def gradients(layer, y, slope):
    inputs = (y, *layer.parameters())
    return torch.autograd.grad(layer(y), inputs, slope)


@pytest.mark.parametrize("dilation", [1, 9, 14, 15, 27, 40])
@pytest.mark.parametrize("size", [(28, 28), (20, 33)])
@pytest.mark.parametrize("count", [2, 4])
def test_the_convolution_and_its_residual_have_pytorchs_values_and_gradients(count, dilation, size, generator):
    theirs = nn.Conv2d(6, 6, kernel_size=3, padding=dilation, dilation=dilation).double()
    ours = ResidualConv(theirs)
    y = torch.randn(count, 6, *size, generator=generator, dtype=torch.float64).requires_grad_()
    slope = torch.randn(count, 6, *size, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(ours(y), y + theirs(y))
    found = gradients(ours, y, slope)
    true = torch.autograd.grad(y + theirs(y), (y, *theirs.parameters()), slope)
    for mine, his in zip(found, true, strict=True):
        torch.testing.assert_close(mine, his)


def test_autocast_rounds_the_convolution_as_it_would_any_other(generator):
    layer = ResidualConv(nn.Conv2d(8, 8, kernel_size=3, padding=27, dilation=27))
    y = torch.randn(4, 8, 28, 28, generator=generator)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        trained, no_gradient = layer(y), layer(y.detach()).detach()
    assert trained.dtype == torch.bfloat16
    torch.testing.assert_close(trained.detach(), no_gradient)
    assert all(g.dtype == torch.float32 for g in torch.autograd.grad(trained.float().sum(), list(layer.parameters())))


@pytest.mark.parametrize("channels", [64, 256])  # the narrow groups of `lite`, the wide ones of `full`
@pytest.mark.parametrize(("offset", "common"), [(0.0, 0.0), (3.0, 0.0), (0.0, 10.0), (0.0, 30.0), (1.0, -30.0)])
@pytest.mark.parametrize("count", [2, 8])
def test_the_norm_errs_no_more_than_bfloat16_itself(count, channels, offset, common, generator):
    layer = ImageGroupNorm(nn.GroupNorm(8, channels))
    with torch.no_grad():
        layer.weight.normal_(generator=generator)
        layer.bias.normal_(generator=generator)
    shift = common + offset * torch.randn(count, channels, 1, 1, generator=generator)
    y = (torch.randn(count, channels, 28, 28, generator=generator) + shift).bfloat16()
    y = y.to(memory_format=torch.channels_last).requires_grad_()
    slope = torch.randn(count, channels, 28, 28, generator=generator).bfloat16()

    exact = nn.GroupNorm(8, channels).double()
    exact.load_state_dict(layer.state_dict())
    wide = y.detach().double().requires_grad_()
    normed = layer(y)
    assert normed.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(normed.double(), exact(wide), rtol=2e-2, atol=4e-2)
    found, true = gradients(layer, y, slope), gradients(exact, wide, slope.double())
    for mine, his in zip(found, true, strict=True):
        assert float((mine - his).norm() / his.norm()) < 0.01


def test_the_norm_is_pytorchs_own_in_float32(generator):
    layer, y = ImageGroupNorm(nn.GroupNorm(8, 64)), torch.randn(2, 64, 28, 28, generator=generator)
    assert torch.equal(layer(y), nn.functional.group_norm(y, 8, layer.weight, layer.bias, layer.eps))


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("channels", [64, 256])
@pytest.mark.parametrize(("common", "tolerance"), [(0.0, 1e-5), (20.0, 1e-3), (1000.0, 1e-3), (-3000.0, 1e-3)])
def test_the_norm_holds_far_from_zero_in_float32(common, tolerance, channels, count, generator):
    """As after a raw timestep was added: PyTorch's own in channels_last ends there with another spread altogether."""
    layer = ImageGroupNorm(nn.GroupNorm(8, channels))
    y = torch.randn(count, channels, 28, 28, generator=generator) + common
    y = y.to(memory_format=torch.channels_last).requires_grad_()
    normed = layer(y)
    exact = nn.GroupNorm(8, channels).double()(y.detach().double()).detach()
    assert normed.is_contiguous(memory_format=torch.channels_last)
    assert float((normed.detach().double() - exact).abs().max()) < tolerance
    assert abs(float(normed.detach().std()) - 1) < 1e-3
    normed.sum().backward()
    assert torch.isfinite(y.grad).all()


@pytest.mark.parametrize("count", [1, 8])
def test_the_norm_holds_far_from_zero_in_bfloat16(count, generator):
    """There 1000 and its neighbours are 4 apart: what is normed is what is left of the numbers."""
    y = (20 * torch.randn(count, 64, 28, 28, generator=generator) + 1000).bfloat16()
    y = y.to(memory_format=torch.channels_last)
    exact = nn.GroupNorm(8, 64).double()(y.double()).detach()
    assert float((ImageGroupNorm(nn.GroupNorm(8, 64)).bfloat16()(y).detach().double() - exact).abs().max()) < 0.05


def test_an_image_without_contrast_stays_finite():
    y = torch.ones(8, 64, 28, 28, dtype=torch.bfloat16).to(memory_format=torch.channels_last)
    assert torch.isfinite(ImageGroupNorm(nn.GroupNorm(8, 64))(y)).all()


def test_a_network_keeps_its_weights_and_its_answers_when_fast_blocks_are_swapped_in(generator):
    plain = seeded_denoiser(ModelConfig(hidden=16, dilations=(1, 9, 27), groups=4, time_dim=16), seed=0).double()
    fast = seeded_denoiser(plain.config, seed=0).double()
    swap_in_fast_blocks(fast)
    assert all(type(block) is ResidualBlock for block in plain.blocks)
    assert all(type(block) is FastBlock for block in fast.blocks)
    assert list(plain.state_dict()) == list(fast.state_dict())
    assert [name for name, _ in plain.named_parameters()] == [name for name, _ in fast.named_parameters()]
    x_t = torch.randn(4, 1, 28, 28, generator=generator, dtype=torch.float64)
    t = torch.tensor([0, 300, 600, 999])
    torch.testing.assert_close(fast(x_t, t), plain(x_t, t), rtol=1e-10, atol=1e-10)
    slope = torch.randn(4, 1, 28, 28, generator=generator, dtype=torch.float64)
    true = torch.autograd.grad(plain(x_t, t), list(plain.parameters()), slope)
    found = torch.autograd.grad(fast(x_t, t), list(fast.parameters()), slope)
    for mine, his in zip(found, true, strict=True):
        torch.testing.assert_close(mine, his, rtol=1e-8, atol=1e-8)


def test_swapping_twice_changes_nothing():
    model = seeded_denoiser(ModelConfig(hidden=8, dilations=(1,), groups=4, time_dim=16), seed=0)
    swap_in_fast_blocks(model)
    block = model.blocks[0]
    swap_in_fast_blocks(model)
    assert model.blocks[0] is block
