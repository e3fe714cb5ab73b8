"""Completing a picture when a part of it is known: RePaint (Lugmayr et al. 2022).

The denoiser stays unconditional. The known part is put back at every step, with as much noise as the picture then has.
"""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from ddpm_demo.core.config import ConfigError, check_whole
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import EpsModel, Step, Walk, evaluating, next_step
from ddpm_demo.core.schedule import Schedule

MAX_JUMPS = 20


@torch.no_grad()
def complete(
    model: EpsModel,
    schedule: Schedule,
    config: SamplerConfig,
    x_T: Tensor,
    *,
    x0: Tensor,
    known: Tensor,
    jumps: int,
    generator: torch.Generator,
) -> Iterator[Step]:
    """Walk from noise x_T (B, C, H, W) to pictures that agree with x0 (1 or B, C, H, W) wherever `known` is True.

    Lugmayr et al. 2022, "RePaint", Algorithm 1, with jumps of one step: after a step from t to s the known part is
    replaced by x0 noised to s; then, `jumps` times, the picture is noised from s back to t and the step taken again,
    so that the unknown part can adapt to the known one. Without jumps each part only sees the other through
    the network's eyes, a step late. Yields every step in its final form, after its jumps: steps * (jumps + 1)
    - jumps calls of the network in all. `known` is bool (1 or B, 1, H, W). At the end the known part is x0, exactly.
    Raises ConfigError when steps exceed the schedule, or for jumps out of range, or a mask that leaves nothing to do.
    """
    check_whole("the number of jumps", jumps, low=0, high=MAX_JUMPS)
    if not known.any():
        raise ConfigError("no part of the picture is known: that would be drawing from pure noise")
    if known.all():
        raise ConfigError("the whole picture is known: there is nothing to complete")
    walk = Walk(schedule, config, x_T, generator=generator)
    with evaluating(model):
        while walk.left:
            for turn in range(1 + (jumps if walk.s >= 0 else 0)):
                if turn:
                    walk.jump_back()
                step = next_step(walk, model)
                given = x0.expand_as(x_T)
                if step.s >= 0:
                    given = schedule.add_noise(given, step.s, walk.noise())
                step = replace(step, x_s=torch.where(known, given, step.x_s))
                walk.x = step.x_s
            yield step
