"""Muon for the weights of the convolutions, AdamW for everything else."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

MOMENTUM = 0.95
# The quintic of Jordan et al. 2024 ("Muon: An optimizer for hidden layers"): five rounds of it take any singular
# value from (0, 1] to somewhere near 1, which is enough.
QUINTIC = (3.4445, -4.7750, 2.0315)
ROUNDS = 5


class MuonAdamW(torch.optim.AdamW):
    """AdamW (Loshchilov & Hutter 2019), but the parameters named `matrices` take Muon's steps.

    Muon (Jordan et al. 2024) keeps a momentum of the gradient and steps along the nearest orthogonal matrix, so
    that every direction of a layer's weights learns at the same pace, the rare ones too. A convolution's weight is
    taken as the matrix (out, in * kernel * kernel). The step is scaled so that its entries are as large as AdamW's
    (Liu et al. 2025, "Muon is scalable for LLM training", equation 4): one learning rate serves both.
    """

    def __init__(self, parameters: Iterable[Tensor], *, matrices: Iterable[Tensor], lr: float) -> None:
        """Optimise `parameters`, of which `matrices` are a part; no weight decay."""
        super().__init__(parameters, lr=lr, weight_decay=0.0, fused=True)
        self.matrices = list(matrices)

    def state_keys(self, parameter: Tensor) -> tuple[str, ...]:
        """Return the names of what this optimiser remembers of a parameter."""
        matrix = any(parameter is known for known in self.matrices)
        return ("momentum",) if matrix else ("step", "exp_avg", "exp_avg_sq")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Take one step from the gradients that stand in the parameters; those of `matrices` are used up."""
        assert closure is None
        lr = self.param_groups[0]["lr"]
        for weight in self.matrices:
            gradient = weight.grad
            if gradient is None:
                continue
            momentum = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
            momentum.lerp_(gradient, 1 - MOMENTUM)
            ahead = gradient.lerp(momentum, MOMENTUM).flatten(1)  # Nesterov's look ahead: (out, in * kernel * kernel)
            scale = 0.2 * max(ahead.shape) ** 0.5
            weight.sub_(orthogonal(ahead).view(weight.shape), alpha=lr * scale)
            weight.grad = None  # AdamW passes over a parameter without a gradient
        super().step()


def orthogonal(matrix: Tensor) -> Tensor:
    """Return roughly U V^T of a matrix U S V^T, float32: its singular values all taken to between 0.7 and 1.2."""
    a, b, c = QUINTIC
    wide = matrix.bfloat16() if matrix.shape[0] <= matrix.shape[1] else matrix.bfloat16().T
    wide = wide / wide.norm().clamp(min=1e-7)
    for _ in range(ROUNDS):
        gram = wide @ wide.T
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    result: Tensor = wide if matrix.shape[0] <= matrix.shape[1] else wide.T
    return result.float()
