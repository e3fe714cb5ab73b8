"""The two layers of a residual block: exactly nn.Conv2d and nn.GroupNorm, without their slow cases on a processor.

Profiling a training step showed two kernels that take many times longer than their arithmetic. Each class here is
PyTorch's own, with the same weights under the same names, and replaces only that one kernel.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional, grad

VECTOR = 16  # channels of a group that PyTorch's kernel takes at once; with fewer it takes them one by one
MANY = 8  # images; for fewer, starting a dozen small operations takes longer than they save


class DilatedConv(nn.Conv2d):
    """A 3x3 convolution whose weight gradient skips the taps that fall into the padding.

    At dilation 27 seven eighths of the taps of a 28x28 image read only zeros. oneDNN knows that on the way forward,
    but not for the gradient of the weights, which then takes four times as long as the rest of the layer.
    """

    def __init__(self, width: int, dilation: int) -> None:
        """Make a convolution of `width` channels to as many; padding = dilation keeps the image's size."""
        super().__init__(width, width, kernel_size=3, padding=dilation, dilation=dilation)

    def forward(self, y: Tensor) -> Tensor:
        """Map y (B, width, H, W) to (B, width, H, W)."""
        dilation = int(self.dilation[0])
        mostly_padding = 2 * dilation > min(y.shape[-2:])
        if not (mostly_padding and y.device.type == "cpu" and torch.is_grad_enabled()):
            return super().forward(y)
        weight, bias = self.weight, self.bias
        assert bias is not None  # nn.Conv2d makes one unless told otherwise
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
        d = ctx.dilation
        grad_y = grad.conv2d_input(y.shape, weight, gradient, padding=d, dilation=d)
        grad_weight = torch.zeros_like(weight)
        pixels_in, pixels_out = y.permute(0, 2, 3, 1), gradient.permute(0, 2, 3, 1)  # (B, H, W, width)
        for row in range(3):
            for column in range(3):
                (from_row, to_row), (from_column, to_column) = (
                    _overlap((row - 1) * d, y.shape[2]),
                    _overlap((column - 1) * d, y.shape[3]),
                )
                live_in = pixels_in[:, from_row, from_column].reshape(-1, y.shape[1])  # (live pixels, width)
                live_out = pixels_out[:, to_row, to_column].reshape(-1, gradient.shape[1])
                grad_weight[:, :, row, column] = live_out.T @ live_in
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

    def forward(self, y: Tensor) -> Tensor:
        """Normalise y (B, width, H, W) over each group of channels and all pixels, then scale and shift."""
        narrow = self.num_channels // self.num_groups < VECTOR
        if not (narrow and y.device.type == "cpu" and y.dtype == torch.bfloat16):
            return super().forward(y)
        if len(y) < MANY:
            return super().forward(y.contiguous()).contiguous(memory_format=torch.channels_last)
        result: Tensor = _NarrowGroupNorm.apply(y, self.weight, self.bias, self.num_groups, self.eps)
        return result


class _NarrowGroupNorm(Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, weight: Tensor, bias: Tensor, groups: int, eps: float) -> Tensor:
        pixels = _pixels(y)  # (B, H*W, width)
        count = pixels.shape[1] * pixels.shape[2] // groups
        mean = _channel_sums(pixels, groups).sum(2) / count  # (B, groups)
        square = _channel_sums(pixels.square(), groups).sum(2) / count
        rstd = (square - mean * mean).clamp_(min=0).add_(eps).rsqrt_()  # (B, groups)
        scale = rstd[:, :, None] * weight.float().view(1, groups, -1)  # (B, groups, width / groups)
        shift = bias.float().view(1, groups, -1) - mean[:, :, None] * scale
        ctx.save_for_backward(y, weight, mean, rstd)
        return _images(torch.addcmul(_row(shift, y), pixels, _row(scale, y)), y)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        y, weight, mean, rstd = ctx.saved_tensors
        groups = mean.shape[1]
        pixels, slopes = _pixels(y), _pixels(gradient)  # (B, H*W, width)
        count = pixels.shape[1] * pixels.shape[2] // groups
        sums, products = _channel_sums(slopes, groups), _channel_sums(slopes * pixels, groups)
        grad_weight = ((products - mean[:, :, None] * sums) * rstd[:, :, None]).sum(0).flatten()
        grad_bias = sums.sum(0).flatten()
        # d out / d y has three terms: y itself, the mean that moves with it, and the variance (by the chain rule)
        scales = weight.float().view(1, groups, -1)
        weighted, weighted_products = (sums * scales).sum(2), (products * scales).sum(2)  # (B, groups)
        of_y = (weighted * mean - weighted_products) * rstd**3 / count
        constant = -of_y * mean - weighted * rstd / count
        whole = torch.ones_like(sums)
        grad_y = torch.addcmul(_row(constant[:, :, None] * whole, y), slopes, _row(rstd[:, :, None] * scales, y))
        grad_y.addcmul_(pixels, _row(of_y[:, :, None] * whole, y))
        return _images(grad_y, y), grad_weight.to(weight.dtype), grad_bias.to(weight.dtype), None, None


def _pixels(y: Tensor) -> Tensor:
    return y.permute(0, 2, 3, 1).flatten(1, 2).contiguous()  # (B, H*W, width), no copy if y is channels_last


def _images(pixels: Tensor, like: Tensor) -> Tensor:
    batch, width, height, columns = like.shape
    return pixels.view(batch, height, columns, width).permute(0, 3, 1, 2)


def _channel_sums(pixels: Tensor, groups: int) -> Tensor:
    # A product with ones adds up in float32 without a float32 copy of the images. Its result is rounded, so the
    # image goes in 28 parts, whose rounding errors average out.
    batch, size, width = pixels.shape
    parts = 28 if size % 28 == 0 else 1
    ones = pixels.new_ones(1, 1, size // parts).expand(batch * parts, 1, size // parts)
    sums = torch.bmm(ones, pixels.view(batch * parts, size // parts, width)).view(batch, parts, width)
    return sums.float().sum(1).view(batch, groups, -1)  # (B, groups, width / groups)


def _row(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(len(values), 1, -1).to(like.dtype)  # (B, 1, width)
