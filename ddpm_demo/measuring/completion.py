"""How well a denoiser completes real digits with a part missing, as judged by the small classifier."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ddpm_demo.core.config import ConfigError, check_choice
from ddpm_demo.core.inpainting import complete
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import EpsModel, Step, start_noise, to_uint8
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.measuring.classifier import Classifier
from ddpm_demo.store.mnist import to_x0

COMPLETED_AT_ONCE = 64
# by name: where the picture is missing, (rows, columns) as slices, and how far to roll it to repeat what is known
MASKS: Mapping[str, tuple[tuple[slice, slice], tuple[int, int]]] = {
    "lower half": ((slice(14, None), slice(None)), (14, 0)),
    "upper half": ((slice(0, 14), slice(None)), (14, 0)),
    "right half": ((slice(None), slice(14, None)), (0, 14)),
    "left half": ((slice(None), slice(0, 14)), (0, 14)),
    "quarter": ((slice(14, None), slice(14, None)), (14, 0)),
    "every second column": ((slice(None), slice(1, None, 2)), (0, 1)),
}


def known_mask(name: str) -> Tensor:
    """Return what is known of a picture, bool (1, 1, 28, 28): all but the named part. Raises ConfigError."""
    check_choice("the mask", name, MASKS)
    known = torch.ones(1, 1, 28, 28, dtype=torch.bool)
    rows, columns = MASKS[name][0]
    known[..., rows, columns] = False
    return known


def repeated(x0: Tensor, name: str) -> Tensor:
    """Return images x0 (B, 1, 28, 28) whose missing part repeats what is beside it: what needs no network."""
    rows, columns = MASKS[name][1]
    return torch.where(known_mask(name), x0, x0.roll((rows, columns), dims=(2, 3)))


@dataclass(frozen=True)
class Completion:
    """How far the measurement is, in network calls, and what it found for the digits that are finished.

    `as_original`, `as_repeated` and `as_whole` are the shares, 0 to 1, that the judge reads as the digit's own class:
    of the completions, of the digits whose missing part merely repeats the rest, and of the whole digits. `error` is
    the largest difference between a completion's known part and what was given, in x0's units: it must be 0.
    """

    done: int
    total: int
    digits: int = 0
    as_original: float = 0.0
    as_repeated: float = 0.0
    as_whole: float = 0.0
    error: float = 0.0
    images: Tensor | None = None


def measure_completion(
    model: EpsModel,
    schedule: Schedule,
    config: SamplerConfig,
    judge: Classifier,
    digits: Tensor,
    labels: Tensor,
    *,
    mask: str,
    jumps: int,
    seed: int,
    device: torch.device,
) -> Iterator[Completion]:
    """Complete digits uint8 (N, 28, 28) of classes `labels` (N,) and judge them; the last record has all `images`.

    Raises ConfigError for no digits, an unknown mask, or settings that `core.inpainting.complete` refuses.
    """
    if not len(digits):
        raise ConfigError("at least one digit must be completed")
    known, generator = known_mask(mask), torch.Generator().manual_seed(seed)
    steps = len(schedule.timesteps(config.steps))
    calls = steps * (jumps + 1) - jumps
    total, done, error = len(digits) * calls, 0, 0.0
    right = torch.zeros(3)
    finished: list[Tensor] = []
    for part, truth in zip(digits.split(COMPLETED_AT_ONCE), labels.split(COMPLETED_AT_ONCE), strict=True):
        x0 = to_x0(part)
        x_T = start_noise(len(part), 1, 28, generator).to(device)
        walk = complete(
            model,
            schedule,
            config,
            x_T,
            x0=x0.to(device),
            known=known.to(device),
            jumps=jumps,
            generator=generator,
        )
        last: Step | None = None
        for last in walk:
            done += len(part) * (jumps + 1 if last.s >= 0 else 1)
            yield Completion(done, total)
        assert last is not None
        x_s = last.x_s.float().cpu()
        error = max(error, float((x_s - x0).abs().masked_fill(~known, 0).max()))
        for k, pictures in enumerate((x_s, repeated(x0, mask), x0)):
            right[k] += int((judge.classes(pictures) == truth).sum())
        finished.append(to_uint8(x_s[:, 0]))
    as_original, as_repeated, as_whole = (right / len(digits)).tolist()
    yield Completion(
        total, total, len(digits), as_original, as_repeated, as_whole, error=error, images=torch.cat(finished)
    )
