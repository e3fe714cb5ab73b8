"""A residual block that computes what the core's does, from the same weights, faster on a CPU.

Two of PyTorch's CPU kernels take many times longer than their arithmetic needs. Each class here subclasses PyTorch's
layer, keeps its weights under the same names, and replaces only the slow part.
"""

import itertools
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional, grad

from ddpm_demo.core.model import Denoiser, ResidualBlock

VECTOR = 16  # channels of a group that PyTorch's kernel takes at once; with fewer it takes them one by one
OFF_CENTRE = 4.0  # a mean of more than two standard deviations costs E[y^2] - E[y]^2 its last digits in bfloat16
LARGE = 10.0  # for a feature
FAR_FROM_ZERO = 300.0  # mean over standard deviation, squared, from where float32's E[y^2] - E[y]^2 loses digits
MANY = 3  # images; for fewer, what is done once a call takes longer than it saves on every image


class ResidualConv(nn.Conv2d):
    """A dilated 3x3 convolution added to what it reads, y + conv(y), as one convolution.

    The centre tap gets the identity added to its weights, which saves a pass over the images on the way forward and
    another on the way back. In bfloat16 that rounds 1 + w instead of the two terms' sum: of the shipped networks the
    results lie 6 to 8 % nearer to those in float32.

    Its weight gradient skips the taps that fall into the padding. At dilation 27 seven eighths of the taps of a 28x28
    image read only zeros. oneDNN knows that on the way forward, but not for the gradient of the weights, which then
    takes four times as long as the rest of the layer.
    """

    def __init__(self, plain: nn.Conv2d) -> None:
        """Take over the weights of a 3x3 convolution of as many channels to as many, padded by its dilation."""
        width, dilation = plain.in_channels, int(plain.dilation[0])
        super().__init__(width, width, kernel_size=3, padding=dilation, dilation=dilation, device="meta")
        self.weight, self.bias = plain.weight, plain.bias
        self.identity: Tensor
        self.register_buffer("identity", torch.zeros_like(self.weight, requires_grad=False), persistent=False)
        self.identity[:, :, 1, 1].fill_diagonal_(1)

    def forward(self, y: Tensor) -> Tensor:
        """Map y (B, width, H, W) to (B, width, H, W)."""
        if len(y) < MANY:
            return y + super().forward(y)
        weight, bias, dilation = self.weight + self.identity, self.bias, int(self.dilation[0])
        assert bias is not None  # nn.Conv2d makes one unless told otherwise
        mostly_padding = 2 * dilation > min(y.shape[-2:])
        if not (mostly_padding and y.device.type == "cpu" and torch.is_grad_enabled()):
            return functional.conv2d(y, weight, bias, padding=dilation, dilation=dilation)
        if torch.is_autocast_enabled("cpu"):  # which rounds for a built-in convolution, but not for this one
            dtype = torch.get_autocast_dtype("cpu")
            y, weight, bias = y.to(dtype), weight.to(dtype), bias.to(dtype)
        result: Tensor = _MostlyPadding.apply(y, weight, bias, dilation)
        return result


class _MostlyPadding(Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> Tensor:
        ctx.save_for_backward(y, weight)
        ctx.dilation = dilation
        return functional.conv2d(y, weight, bias, padding=dilation, dilation=dilation)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        y, weight = ctx.saved_tensors
        d, width, centre = ctx.dilation, y.shape[1], (1, 1)
        grad_y = grad.conv2d_input(y.shape, weight, gradient, padding=d, dilation=d)
        grad_weight = torch.empty_like(weight)
        pixels_in, pixels_out = y.permute(0, 2, 3, 1), gradient.permute(0, 2, 3, 1)  # (B, H, W, width)
        for tap in itertools.product(range(3), range(3)):
            if tap == centre:  # reads every pixel: nothing to skip
                of_tap = grad.conv2d_weight(y, (width, width, 1, 1), gradient)[:, :, 0, 0]
            else:
                (from_row, to_row), (from_column, to_column) = (
                    _overlap((place - 1) * d, size) for place, size in zip(tap, y.shape[2:], strict=True)
                )
                live_in = pixels_in[:, from_row, from_column].reshape(-1, width)  # (live pixels, width)
                live_out = pixels_out[:, to_row, to_column].reshape(-1, width)
                of_tap = live_out.T @ live_in
            grad_weight[:, :, tap[0], tap[1]] = of_tap
        return grad_y, grad_weight, gradient.sum((0, 2, 3)), None


def _overlap(shift: int, size: int) -> tuple[slice, slice]:
    """Return the input rows that a tap at `shift` reads, and the output rows that it writes, inside the image."""
    live = max(0, size - abs(shift))
    return slice(max(0, shift), max(0, shift) + live), slice(max(0, -shift), max(0, -shift) + live)


class ImageGroupNorm(nn.GroupNorm):
    """GroupNorm (Wu & He 2018) over images in channels_last, from sums over each channel's pixels.

    PyTorch's kernel for this layout walks the few channels of one group at a time. Where they do not fill a
    register (8 of 64 channels) it takes as long as the convolution; sums over all channels at once do not. For a few
    images there and back to the other layout, whose kernel is a quick one, is quicker still.
    """

    def __init__(self, plain: nn.GroupNorm) -> None:
        """Take over the scale and shift of a GroupNorm."""
        super().__init__(plain.num_groups, plain.num_channels, plain.eps, device="meta")
        self.weight, self.bias = plain.weight, plain.bias

    def forward(self, y: Tensor) -> Tensor:
        """Normalise y (B, width, H, W) over each group of channels and all pixels, then scale and shift."""
        narrow = self.num_channels // self.num_groups < VECTOR
        if not (narrow and y.device.type == "cpu" and y.dtype == torch.bfloat16):
            if y.device.type == "cpu" and y.dtype == torch.float32 and _far_from_zero(y, self.num_groups):
                y = y.contiguous()  # for the other layout PyTorch takes E[y^2] - E[y]^2, of which nothing is left there
                return super().forward(y).contiguous(memory_format=torch.channels_last)
            return super().forward(y)
        if len(y) < MANY:
            return super().forward(y.contiguous()).contiguous(memory_format=torch.channels_last)
        result: Tensor = _NarrowGroupNorm.apply(y, self.weight, self.bias, self.num_groups, self.eps)
        return result


class _NarrowGroupNorm(Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, weight: Tensor, bias: Tensor, groups: int, eps: float) -> Tensor:
        y = y.contiguous(memory_format=torch.channels_last)
        mean, variance = _group_moments(y, groups)
        if bool((mean.square() > OFF_CENTRE * variance).any()):
            # E[y^2] - E[y]^2 would cancel; a shift of a whole group changes nothing in its norm
            y = y - _per_channel(mean[:, :, None], y)
            mean, variance = _group_moments(y, groups)
        rstd = variance.add_(eps).rsqrt_()  # (B, groups)
        scale = rstd[:, :, None] * weight.float().view(1, groups, -1)  # (B, groups, width / groups)
        shift = bias.float().view(1, groups, -1) - mean[:, :, None] * scale
        ctx.save_for_backward(y, weight, mean, rstd)
        return torch.addcmul(_per_channel(shift, y), y, _per_channel(scale, y))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        y, weight, mean, rstd = ctx.saved_tensors
        groups, pixels = mean.shape[1], y.shape[2] * y.shape[3]
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        slopes, products = _channel_means(gradient, groups), _channel_means(gradient * y, groups)
        mean, rstd = mean[:, :, None], rstd[:, :, None]  # (B, groups, 1)
        scales = weight.float().view(1, groups, -1)
        # d out / d y has three terms: y itself, the mean that moves with it, and the variance (by the chain rule)
        tilts = (products - mean * slopes) * rstd  # (B, groups, width / groups): how each channel pulls at its scale
        of_y = (tilts * scales).mean(2, keepdim=True).mul_(rstd.square()).neg_()
        of_mean = (slopes * scales).mean(2, keepdim=True).mul_(rstd)
        constant = (of_y * mean).add_(of_mean).neg_()
        grad_y = torch.addcmul(_per_channel(constant, y), gradient, _per_channel(rstd * scales, y))
        grad_y.addcmul_(y, _per_channel(of_y, y))
        grad_weight, grad_bias = tilts.sum(0).flatten() * pixels, slopes.sum(0).flatten() * pixels
        return grad_y, grad_weight.to(weight.dtype), grad_bias.to(weight.dtype), None, None


def _far_from_zero(y: Tensor, groups: int) -> bool:
    """Return whether a group's mean is some seventeen standard deviations or more, by a few of its pixels.

    A network that was trained keeps near zero, so a number a group is looked at first, which costs next to nothing.
    """
    y = y.detach()
    first = y[:, :: y.shape[1] // groups, 0, 0].flatten().tolist()
    if min(first) > -LARGE and max(first) < LARGE:
        return False
    variance, mean = torch.var_mean(y[:, :, ::9, ::9].reshape(len(y), groups, -1), dim=2)
    return bool((mean.square() > FAR_FROM_ZERO * variance).any())


def _group_moments(y: Tensor, groups: int) -> tuple[Tensor, Tensor]:
    """Return mean and variance over each group's channels and pixels, float32 (B, groups)."""
    mean = _channel_means(y, groups).mean(2)
    square = _channel_means(y.square(), groups).mean(2)
    return mean, (square - mean * mean).clamp_(min=0)


def _channel_means(y: Tensor, groups: int) -> Tensor:
    # Pooling is the one kernel that adds bfloat16 up in float32 without a float32 copy of the images. Its result is
    # rounded, hence a row of pixels at a time: the rounding errors of the rows average out.
    rows = functional.avg_pool2d(y, (1, y.shape[3]))  # (B, width, H, 1)
    return rows.float().mean((2, 3)).view(len(y), groups, -1)  # (B, groups, width / groups)


def _per_channel(values: Tensor, like: Tensor) -> Tensor:
    groups, width = values.shape[1], like.shape[1]
    values = values.to(like.dtype).expand(-1, -1, width // groups)
    return values.reshape(len(values), width, 1, 1)


class FastBlock(ResidualBlock):
    """A residual block with the two layers above; its weights are the plain block's own, under the same names."""

    def __init__(self, plain: ResidualBlock) -> None:
        """Take the place of a block of the core."""
        nn.Module.__init__(self)
        assert isinstance(plain.norm, nn.GroupNorm)
        self.conv, self.norm, self.act = ResidualConv(plain.conv), ImageGroupNorm(plain.norm), plain.act

    def forward(self, y: Tensor, time: Tensor) -> Tensor:
        """Map y (B, width, H, W) and time (B, width, 1, 1) to (B, width, H, W)."""
        y = self.conv(y + time)  # (B, width, H, W): the residual sum, in one convolution
        return self.act(self.norm(y))  # type: ignore[no-any-return]


def swap_in_fast_blocks(model: Denoiser) -> None:
    """Put a `FastBlock` in the place of every block of a network; its weights stay the same tensors."""
    for i, block in enumerate(model.blocks):
        if not isinstance(block, FastBlock):
            assert isinstance(block, ResidualBlock)
            model.blocks[i] = FastBlock(block)
