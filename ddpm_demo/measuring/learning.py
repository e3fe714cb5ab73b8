"""How both classifiers learn: AdamW under a warm-up and a cosine, and at the end the average of the weights."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class LearningProgress:
    """How far the training is: steps done, of so many; `loss` is the last batch's cross-entropy."""

    done: int
    total: int
    loss: float


def learn(
    model: nn.Module,
    loss_of: Callable[[int], Tensor],
    *,
    steps: int,
    rate: float,
    warmup: int,
    weight_decay: float,
    averaging: float,
) -> Iterator[LearningProgress]:
    """Train a classifier in place by `loss_of(step)`, the loss of a step's batch; yield after every step.

    The rate rises over `warmup` steps to `rate` and falls to zero by a cosine. At the end the weights are their running
    average, of decay `averaging`, and the model is in eval mode.
    """
    averages = [parameter.detach().clone() for parameter in model.parameters()]
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=weight_decay)
    model.train()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (step + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * step / steps))
        loss = loss_of(step)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        decay = min(averaging, (1 + step) / (10 + step))
        torch._foreach_lerp_(averages, [parameter.detach() for parameter in model.parameters()], 1 - decay)
        yield LearningProgress(step + 1, steps, loss.item())
    with torch.no_grad():
        for parameter, average in zip(model.parameters(), averages, strict=True):
            parameter.copy_(average)
    model.eval()
