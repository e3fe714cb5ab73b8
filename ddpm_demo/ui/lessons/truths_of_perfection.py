"""The truths of the perfect network: what it draws, its answer to what it was not taught, how far a network looks."""

from pathlib import Path

import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample, start_noise, to_uint8
from ddpm_demo.explaining.how_far import Look, look_at
from ddpm_demo.machine.scheduler import NETWORK, InTurn
from ddpm_demo.measuring.copying import nearest
from ddpm_demo.networks.ideal_checkpoints import IDEAL
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_placed
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.ui.lessons.workplace import Truth, Workplace

COPY = 0.5  # a distance, pixels being 0 to 1, at which nobody sees a difference
PERFECT = "perfect"  # what a lesson calls the perfect network among the checkpoints


def denoiser_of(workplace: Workplace, name: str) -> LoadedNetwork:
    """Return a checkpoint, or the ideal of all training digits."""
    return load_placed(Path(IDEAL)) if name == PERFECT else workplace.load(name)


def draws(workplace: Workplace, *, checkpoint: str, count: int, steps: int, seed: int) -> Truth:
    """Say whether a network draws copies of training digits, their mean, or new digits."""
    loaded, taught = denoiser_of(workplace, checkpoint), load_mnist(train=True)[0]
    generator = torch.Generator().manual_seed(seed)
    x_T = start_noise(count, loaded.channels, 28, generator).to(loaded.placement.device)
    x, model = x_T, InTurn(loaded.model, NETWORK.film_turn)
    for step in sample(model, loaded.schedule, SamplerConfig("ddim", steps=steps), x_T, generator=generator):
        x = step.x_s
        workplace.report((step.index + 1) / (steps + 1))
    images = to_uint8(x[:, 0])
    unseen = load_mnist(train=False)[0][: 4 * count]
    index, distance = NETWORK.turn(lambda: nearest(images, taught))
    _, usual = NETWORK.turn(lambda: nearest(unseen, taught))
    mean = taught.float().mean(dim=0).round().to(torch.uint8)[None]
    _, from_mean = nearest(images, mean)
    near = float(distance.median())
    right = "copies" if near < COPY else "mean" if float(from_mean.median()) < near else "new"
    values = {"distance": near, "unseen": float(usual.median()), "copies": int((distance < COPY).sum()), "count": count}
    return Truth(right, values, {"drawn": to_x0(images), "nearest": to_x0(taught[index])})


def memory_compared(
    workplace: Workplace, *, checkpoint: str, t: int, digits: int, taught: bool, within: float
) -> Truth:
    """Say whether the perfect network's guess of the noise is better than a network's, on digits it knows or not."""
    loaded, perfect = workplace.load(checkpoint), denoiser_of(workplace, PERFECT)
    if not torch.equal(loaded.schedule.alpha_bar, perfect.schedule.alpha_bar):
        raise ConfigError("this lesson asks for a checkpoint of the linear schedule")
    x0 = to_x0(load_mnist(train=taught)[0][:digits])
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
    x_t, steps = loaded.schedule.add_noise(x0, t, eps), torch.full((digits,), t)
    errors = []
    for model in (perfect, loaded):
        device = model.placement.device
        with torch.no_grad():
            eps_hat = NETWORK.turn(lambda m=model.model, d=device: m(x_t.to(d), steps.to(d)))  # type: ignore[misc]
        errors.append(float((eps_hat.float().cpu() - eps).square().mean()))
        workplace.report(len(errors) / 2)
    ratio = errors[0] / errors[1]
    right = "same" if abs(ratio - 1) <= within else "worse" if ratio > 1 else "better"
    values = {"perfect": errors[0], "network": errors[1], "times": max(ratio, 1 / ratio), "t": t}
    return Truth(right, values)


def look_width(workplace: Workplace, *, checkpoint: str, t: int, digits: int, drawings: int) -> Truth:
    """Return how wide the patch is whose perfect answer explains the network's best at t."""
    look = _look(workplace, checkpoint, t, digits, drawings)
    return Truth(float(look.width), _values(look))


def look_compared(workplace: Workplace, *, checkpoint: str, t: int, other: int, digits: int, drawings: int) -> Truth:
    """Say whether at another timestep that patch is narrower or wider."""
    look = _look(workplace, checkpoint, t, digits, drawings)
    workplace.report(0.5)
    there = _look(workplace, checkpoint, other, digits, drawings)
    right = "same" if there.width == look.width else "narrower" if there.width < look.width else "wider"
    return Truth(right, {**_values(look), "other": there.width, "other_share": there.by_width[there.width]})


def _look(workplace: Workplace, checkpoint: str, t: int, digits: int, drawings: int) -> Look:
    loaded = workplace.load(checkpoint)
    device = loaded.placement.device
    return NETWORK.turn(
        lambda: look_at(loaded.model, loaded.schedule, t, digits=digits, taught=drawings, device=device)
    )


def _values(look: Look) -> dict[str, float]:
    return {"width": look.width, "share": look.by_width[look.width], "whole": look.whole, "t": look.t}
