"""What the Train tab's page asks of one moment: its digits, the nearest that was taught, what its network guessed."""

import functools
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.machine.device import answering_placement
from ddpm_demo.machine.placement import place
from ddpm_demo.machine.scheduler import InTurn
from ddpm_demo.measuring.copying import Scale, nearest_drawings, scale_of
from ddpm_demo.store.drawings_file import DRAWINGS_FILE, read_drawings
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.training import shelf, snapshots
from ddpm_demo.training.run_entry import Entry
from ddpm_demo.training.saved_run import read_settings
from ddpm_demo.training.training_set import fresh_variations, variations
from ddpm_demo.ui.parts.bridge import server_function
from ddpm_demo.ui.parts.digits import class_indices
from ddpm_demo.ui.parts.frames import packed
from ddpm_demo.ui.parts.readers import MAX_SEED, named_values, whole
from ddpm_demo.words.sentence import say

TIMESTEPS = 10  # at which a moment's network is looked at


@server_function
def moment(question: Any) -> dict[str, Any]:
    """Answer the page: the sixteen digits of a moment, with EMA and without.

    Of a run that learns the user's own drawings also the one nearest to each digit with EMA.
    """
    fields = named_values(question)
    directory = shelf.directory_of(fields.get("run"))
    return digits_at(directory, whole(say("the step"), fields.get("step"), 0, 10**9))


@server_function
def noises(question: Any = None) -> dict[str, Any]:
    """Answer the page, before any run: what every drawing begins with."""
    return {"noises": packed([snapshots.sixteen_noises()], 8), "n": snapshots.DIGITS}


@server_function
def look_back(question: Any) -> dict[str, Any]:
    """Answer the page: what the network at a moment of training made of a noisy digit, at ten timesteps."""
    fields = named_values(question)
    run, step = shelf.entry(fields.get("run")), whole(say("the step"), fields.get("step"), 0, 10**9)
    seed = whole(say("the seed"), fields.get("seed"), 0, MAX_SEED)
    return guesses_at(run, step, whole(say("the digit"), fields.get("digit"), 0, 9), seed)


def digits_at(directory: Path, step: int) -> dict[str, Any]:
    """Return the sixteen digits that a run's network drew at a step, with EMA and without, packed for the page.

    Of a run that learns the user's own drawings also the one nearest to each digit with EMA. Raises DemoError where
    nothing was kept of that step.
    """
    ema, plain = snapshots.pictures(directory, step)
    answer: dict[str, Any] = {"ema": packed([to_x0(ema)], 8), "plain": packed([to_x0(plain)], 8), "n": snapshots.DIGITS}
    return answer | ({"nearest": nearest_taught(directory, ema)} if (directory / DRAWINGS_FILE).exists() else {})


def guesses_at(run: Entry, step: int, label: int, seed: int) -> dict[str, Any]:
    """Return what the network at a step of a run made of a noisy digit `label`, at ten timesteps, packed for the page.

    Raises DemoError where nothing was kept of that step, or where the run's settings cannot be read.
    """
    if run.model is None:
        raise ConfigError("this run's settings cannot be read")
    schedule = Schedule.from_config(read_settings(run.directory / "run.safetensors").schedule)
    placement = answering_placement()
    model = place(snapshots.network(run.directory, step, run.model), placement)
    digits, _ = load_mnist(train=False)
    x0 = to_x0(digits[class_indices(label)[0]])  # (1, 1, 28, 28)
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(seed))
    t = torch.linspace(0, len(schedule) - 1, TIMESTEPS).round().long()
    x_t = schedule.add_noise(x0.expand(TIMESTEPS, -1, -1, -1), t, eps.expand(TIMESTEPS, -1, -1, -1))
    with torch.no_grad():
        eps_hat = InTurn(model)(x_t.to(placement.device), t.to(placement.device)).float().cpu()
    x0_hat = torch.cat([schedule.predict_x0(x_t[k : k + 1], int(t[k]), eps_hat[k : k + 1]) for k in range(TIMESTEPS)])
    return {
        "t": t.tolist(),
        "x0": packed([x0], 8),
        "x_t": packed([x_t], 8),
        "x0_hat": packed([x0_hat], 8),
        "alpha_bar": [schedule.alpha_bar_at(int(k)) for k in t],
        "error_of_x0": (x0_hat.clamp(-1, 1) - x0).square().mean(dim=(1, 2, 3)).tolist(),
    }


def nearest_taught(directory: Path, digits: Tensor) -> dict[str, Any]:
    """Say which taught drawing or variation is nearest to each digit, how far it is, and what is near or far.

    `fresh` and `other` are those of `Scale`, `drawings` counts them.
    """
    config = read_settings(directory / "run.safetensors").train
    taught, drawings, scale = _taught(directory / DRAWINGS_FILE, config.pictures, config.seed)
    found = nearest_drawings(digits, drawings, taught)
    return {
        "pictures": packed([to_x0(found.picture)], 8),
        "distance": found.distance.tolist(),
        "drawings": len(drawings),
        **asdict(scale),
    }


@functools.lru_cache(maxsize=4)
def _taught(path: Path, count: int, seed: int) -> tuple[Tensor, Tensor, Scale]:
    """Return what a run's drawings became: all variations, the drawings, and the scale. A run's never change."""
    drawings = read_drawings(path, count)
    taught = variations(drawings, seed)
    return taught, drawings, scale_of(drawings, taught, fresh_variations(drawings, seed))
