"""Muon for the weights of the convolutions, AdamW for everything else."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

MOMENTUM = 0.95
# The quintic of Jordan et al. 2024 ("Muon: An optimizer for hidden layers"): five rounds of it take a singular value
# that is at least 0.0016 of the matrix's norm to between 0.68 and 1.21, and a faint one to 3.4445^5 = 485 times itself.
QUINTIC = (3.4445, -4.7750, 2.0315)
ROUNDS = 5


class MuonAdamW(torch.optim.AdamW):
    """AdamW (Loshchilov & Hutter 2019), but the parameters named `matrices` take Muon's steps.

    Muon (Jordan et al. 2024) keeps a momentum of the gradient and steps along the nearest orthogonal matrix, so
    that the rare directions of a layer's weights learn at the pace of the others, or nearly: those fainter than the
    rounds reach stay behind. A convolution's weight is
    taken as the matrix (out, in * kernel * kernel). The step is scaled so that its entries are as large as AdamW's
    (Liu et al. 2025, "Muon is scalable for LLM training", equation 4): one learning rate serves both.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        matrices: Iterable[Tensor],
        lr: float,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Optimise `parameters`, of which `matrices` are a part; no weight decay.

        `dtype` is the number format of Muon's matrix products. bfloat16 is exact enough for them, but takes a hundred
        times as long as float32 on a processor without such instructions.
        """
        super().__init__(parameters, lr=lr, weight_decay=0.0, fused=True)
        self.matrices = list(matrices)
        self.dtype = dtype

    def state_keys(self, parameter: Tensor) -> tuple[str, ...]:
        """Return the names of what this optimiser remembers of a parameter."""
        return state_keys(matrix=any(parameter is known for known in self.matrices))

    def take_up(self, parameter: Tensor, saved: Mapping[str, Tensor]) -> None:
        """Go on from the saved state of a parameter, each tensor put where this optimiser keeps its own.

        On the parameter's device, as torch.optim's `load_state_dict` does: the fused kernels want `step` there too, in
        float32. The rest also lies in memory as the parameter does, since another order would round sums otherwise.
        """
        layout = torch.contiguous_format
        if parameter.dim() == 4 and parameter.is_contiguous(memory_format=torch.channels_last):
            layout = torch.channels_last
        self.state[parameter] = {
            key: saved[key].to(parameter.device, torch.float32)
            if key == "step"
            else saved[key].to(parameter.device, parameter.dtype, memory_format=layout)
            for key in self.state_keys(parameter)
        }

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Take one step from the gradients in the parameters; those of `matrices` are used up."""
        assert closure is None
        lr = self.param_groups[0]["lr"]
        same_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
        for weight in self.matrices:
            if weight.grad is not None:
                same_shape[weight.shape].append(weight)
        for weights in same_shape.values():  # together: eight small products take longer than one of eight
            ahead = self._ahead(weights)  # (N, out, in * kernel * kernel)
            scale = 0.2 * max(ahead.shape[1:]) ** 0.5
            directions = orthogonal(ahead, self.dtype).view(len(weights), *weights[0].shape)
            torch._foreach_sub_(weights, list(directions.unbind()), alpha=lr * scale)
            for weight in weights:
                weight.grad = None  # AdamW passes over a parameter without a gradient
        super().step()

    def _ahead(self, weights: list[Tensor]) -> Tensor:
        """Take the gradients into the momentums, and return where those are heading (Nesterov), as matrices."""
        for weight in weights:
            if not self.state[weight]:
                self.state[weight]["momentum"] = torch.zeros_like(weight)
        momentums = [self.state[weight]["momentum"] for weight in weights]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        torch._foreach_lerp_(momentums, gradients, 1 - MOMENTUM)
        return torch.stack(list(torch._foreach_lerp(gradients, momentums, MOMENTUM))).flatten(2)


def state_keys(*, matrix: bool) -> tuple[str, ...]:
    """Return the names of what MuonAdamW remembers of a parameter: of a matrix, and of any other."""
    return ("momentum",) if matrix else ("step", "exp_avg", "exp_avg_sq")


def orthogonal(matrices: Tensor, dtype: torch.dtype) -> Tensor:
    """Return roughly U V^T of each matrix U S V^T in (N, rows, columns).

    Singular values of at least 0.0016 of the matrix's norm come out between 0.68 and 1.21, smaller ones as far below.
    """
    a, b, c = QUINTIC
    tall = matrices.shape[1] > matrices.shape[2]
    wide = (matrices.mT if tall else matrices).to(dtype)
    wide = wide / wide.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(ROUNDS):
        gram = torch.bmm(wide, wide.mT)
        quartic = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)  # b gram + c gram^2
        wide = torch.baddbmm(wide, quartic, wide, beta=a)  # a wide + quartic wide
    result: Tensor = wide.mT if tall else wide
    return result.float()
