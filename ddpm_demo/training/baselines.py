"""What a network must beat: the errors, known without training it, of answers that know less or remember more."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.store.checkpoint import describe
from ddpm_demo.store.tensors import CheckpointError
from ddpm_demo.training.saved_run import read_settings
from ddpm_demo.words.sentence import say

BASELINES_FILE = Path(__file__).with_name("baselines.json")  # assets/baselines.py writes it
TITLES = {
    "memory_test": say("perfect memory, test digits"),
    "affine": say("best matrix of the pixels"),
    "memory_training": say("perfect memory, its own digits"),
}


@dataclass(frozen=True)
class Baseline:
    """A mean squared error of the noise on the linear schedule: its average over all t, and over each tenth of them."""

    title: str
    loss: float
    by_tenth: tuple[float, ...]


@cache
def baselines(network: Path) -> tuple[Baseline, ...]:
    """Return the baselines, the largest average first: answering zero, the measured ones, and a shipped network's own.

    Raises CheckpointError when `network` is no checkpoint.
    """
    found = json.loads(BASELINES_FILE.read_text(encoding="utf-8"))
    rows = [Baseline(say("answering zero"), 1.0, (1.0,) * 10)]
    rows += [Baseline(TITLES[name], loss, tuple(found["by_tenth"][name])) for name, loss in found["average"].items()]
    held = describe(network)[2].held_out
    if held is not None:
        tenths = (float("nan") if tenth is None else tenth for tenth in held.by_tenth or [None] * 10)
        rows.append(Baseline(say("{name}, as shipped", name=network.stem), held.loss, tuple(tenths)))
    return tuple(sorted(rows, key=lambda row: -row.loss))


def comparable(run: Path) -> bool:
    """Return whether a run's loss stands beside the baselines: all of MNIST's digits, on the linear schedule."""
    try:
        settings = read_settings(run / "run.safetensors")
    except CheckpointError:  # it has begun, and has no file yet
        return False
    taught = settings.train
    return settings.schedule == ScheduleConfig() and not (taught.pictures or taught.classes or taught.digits)


@torch.no_grad()
def affine_errors(digits: Tensor, schedule: Schedule) -> list[float]:
    """Return the least error that an affine map of all pixels can have, at each of T timesteps.

    For digits uint8 (N, H, W) with covariance C the best map is that of Gaussian data, eps_hat = sqrt(1 - a)
    (a C + (1 - a) I)^-1 (x_t - sqrt(a) mean), a = alpha_bar; its error is the mean over C's eigenvalues v of
    a v / (a v + 1 - a).
    """
    pixels = digits.flatten(1).float() / 127.5 - 1
    pixels = pixels - pixels.mean(dim=0)
    v = torch.linalg.eigvalsh((pixels.T @ pixels).double() / len(pixels)).clamp(min=0)  # (HW,)
    signal = schedule.alpha_bar[:, None] * v  # (T, HW)
    errors: list[float] = (signal / (signal + 1 - schedule.alpha_bar[:, None])).mean(dim=1).tolist()
    return errors
