"""The two layers against PyTorch's own, of which they must be exact stand-ins."""

import pytest
import torch
from torch import nn

from ddpm_demo.layers import ImageGroupNorm, ResidualConv
from ddpm_demo.train_bench import PlainResidualConv


def gradients(layer, y, slope):
    inputs = (y, *layer.parameters())
    return torch.autograd.grad(layer(y), inputs, slope)


@pytest.mark.parametrize("dilation", [1, 9, 14, 15, 27, 40])
@pytest.mark.parametrize("size", [(28, 28), (20, 33)])
@pytest.mark.parametrize("count", [2, 4])
def test_the_convolution_and_its_residual_have_pytorchs_values_and_gradients(count, dilation, size, generator):
    ours = ResidualConv(6, dilation).double()
    theirs = PlainResidualConv(6, 6, kernel_size=3, padding=dilation, dilation=dilation).double()
    theirs.load_state_dict(ours.state_dict())
    y = torch.randn(count, 6, *size, generator=generator, dtype=torch.float64).requires_grad_()
    slope = torch.randn(count, 6, *size, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(ours(y), theirs(y))
    for mine, his in zip(gradients(ours, y, slope), gradients(theirs, y, slope), strict=True):
        torch.testing.assert_close(mine, his)


def test_autocast_rounds_the_convolution_as_it_would_any_other(generator):
    layer = ResidualConv(8, 27)
    y = torch.randn(4, 8, 28, 28, generator=generator)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        trained, no_gradient = layer(y), layer(y.detach()).detach()
    assert trained.dtype == torch.bfloat16
    torch.testing.assert_close(trained.detach(), no_gradient)
    assert all(g.dtype == torch.float32 for g in torch.autograd.grad(trained.float().sum(), list(layer.parameters())))


@pytest.mark.parametrize("channels", [64, 256])  # the narrow groups of `lite`, the wide ones of `full`
@pytest.mark.parametrize("offset", [0.0, 3.0])
@pytest.mark.parametrize("count", [2, 8])
def test_the_norm_errs_no_more_than_bfloat16_itself(count, channels, offset, generator):
    layer = ImageGroupNorm(8, channels)
    with torch.no_grad():
        layer.weight.normal_(generator=generator)
        layer.bias.normal_(generator=generator)
    shift = offset * torch.randn(count, channels, 1, 1, generator=generator)
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
    layer, y = ImageGroupNorm(8, 64), torch.randn(2, 64, 28, 28, generator=generator)
    assert torch.equal(layer(y), nn.functional.group_norm(y, 8, layer.weight, layer.bias, layer.eps))


def test_an_image_without_contrast_stays_finite():
    y = torch.ones(8, 64, 28, 28, dtype=torch.bfloat16).to(memory_format=torch.channels_last)
    assert torch.isfinite(ImageGroupNorm(8, 64)(y)).all()
