"""What many output pixels owe to the input, at one forward pass for all of them: a click on the receptive map."""

import torch
from torch import Tensor

from ddpm_demo.core.model import Denoiser


class KeptPasses:
    """Forward passes whose graph is kept, so that each further pixel costs a backward pass alone.

    The maps are those of `core.receptive.influence_map`, bit by bit, but one an image instead of their mean.
    """

    def __init__(self, model: Denoiser, x_t: Tensor, t: Tensor) -> None:
        """Run the network once on images x_t (B, C, H, W) at timesteps t (B,); it is not changed."""
        self._x = x_t.detach().clone().requires_grad_(True)
        first: list[Tensor] = []
        hook = model.blocks[0].register_forward_hook(lambda _module, _inputs, output: first.append(output))
        try:
            with torch.enable_grad():
                self._eps_hat = model(self._x, t)  # (B, C, H, W)
        finally:
            hook.remove()
        self._first_block = first[0]  # (B, width, H, W)

    def behind_answer(self, row: int, col: int) -> Tensor:
        """Return |d eps_hat[row, col] / d x_t|, summed over image channels: (B, H, W)."""
        return self._gradient(self._eps_hat[:, :, row, col].sum())

    def behind_first_block(self, row: int, col: int) -> Tensor:
        """Return the same of the first block's output, its channels mixed at random so that they do not cancel."""
        pixel = self._first_block[:, :, row, col]  # (B, width)
        mix = torch.randn(pixel.shape[1], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        return self._gradient((pixel * mix.to(pixel)).sum())

    def _gradient(self, total: Tensor) -> Tensor:
        (gradient,) = torch.autograd.grad(total, self._x, retain_graph=True)
        return gradient.abs().sum(dim=1)
