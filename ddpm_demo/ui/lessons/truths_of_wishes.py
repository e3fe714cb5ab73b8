"""The truths of the last lessons: asking for a digit, finishing a drawing, and what a few drawings can teach."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ddpm_demo.core.config import check_whole
from ddpm_demo.core.inpainting import complete
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample, start_noise
from ddpm_demo.machine.scheduler import NETWORK, InTurn
from ddpm_demo.measuring import classifier
from ddpm_demo.measuring.completion import known_mask
from ddpm_demo.measuring.copying import Scale, nearest_drawings, scale_of
from ddpm_demo.networks.guidance_settings import DigitConfig
from ddpm_demo.networks.loaded_networks import LoadedNetwork, steering_classifier
from ddpm_demo.networks.noisy_classifier import guide_to_digit
from ddpm_demo.networks.recommended import RECOMMENDED_SAMPLER
from ddpm_demo.store.drawings_file import DRAWINGS_FILE, read_drawings
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.training import shelf
from ddpm_demo.training.saved_run import read_settings
from ddpm_demo.training.training_set import fresh_variations, variations
from ddpm_demo.ui.film.experiments import GENTLE
from ddpm_demo.ui.lessons.workplace import Truth, Workplace

ASKED_STEPS = 25  # of DDIM, which adds no noise of its own: what differs is the asking alone
COMPLETED_STEPS = 25
LEFT_OUT = 8  # drawings at most, each left out of the set in its turn
MOST = 0.5  # from this share on, most of them
SOME = 0.1  # so much more often than anyway is some


def asked_best(workplace: Workplace, *, checkpoint: str, digit: int, count: int, seed: int) -> Truth:
    """Say in which third of the way asking for a digit makes it most often, by the judge: early, middle or late."""
    loaded, T = workplace.load(checkpoint), len(workplace.load(checkpoint).schedule)
    high, low = 2 * T // 3, T // 3
    parts = {"early": (T - 1, high), "middle": (high - 1, low), "late": (low - 1, 0)}
    shares, pictures = {}, {}
    for k, (name, (first, last)) in enumerate(parts.items()):
        wish = DigitConfig(digit, GENTLE, first=first, last=last)
        pictures[name] = _drawn(loaded, wish, count, seed)
        shares[name] = _share_read_as(digit, pictures[name])
        workplace.report((k + 1) / 4)
    anyway = _share_read_as(digit, _drawn(loaded, None, count, seed))
    values = {**shares, "anyway": anyway, "high": high, "low": low}
    return Truth(max(shares, key=lambda name: shares[name]), values, {name: y[:8] for name, y in pictures.items()})


def asked_within(
    workplace: Workplace, *, checkpoint: str, digit: int, first_t: int, last_t: int, count: int, seed: int
) -> Truth:
    """Say how many become the digit that is asked for from t = first_t to last_t only: most, some, or none more."""
    loaded = workplace.load(checkpoint)
    asked = _drawn(loaded, DigitConfig(digit, GENTLE, first=first_t, last=last_t), count, seed)
    workplace.report(0.5)
    anyway = _drawn(loaded, None, count, seed)
    share, before = _share_read_as(digit, asked), _share_read_as(digit, anyway)
    right = "most" if share >= MOST else "some" if share >= before + SOME else "none"
    return Truth(right, {"asked": share, "anyway": before}, {"asked": asked[:8], "anyway": anyway[:8]})


def _drawn(loaded: LoadedNetwork, wish: DigitConfig | None, count: int, seed: int) -> Tensor:
    """Draw digits (count, 1, 28, 28) from one seed, asked for one or not."""
    device, generator = loaded.placement.device, torch.Generator().manual_seed(seed)
    x_T = start_noise(count, loaded.channels, 28, generator).to(device)
    asking = (
        loaded.model
        if wish is None
        else guide_to_digit(loaded.model, loaded.schedule, wish, steering_classifier()[0], device)
    )
    config = SamplerConfig(kind="ddim", clip="x0", steps=min(ASKED_STEPS, len(loaded.schedule)))
    model = InTurn(asking, NETWORK.film_turn)
    *_, last = sample(model, loaded.schedule, config, x_T, generator=generator)
    return last.x_s.float().cpu()


def _share_read_as(digit: int, pictures: Tensor) -> float:
    return float((classifier.load_judge().model.classes(pictures) == digit).double().mean())


def completed_compared(
    workplace: Workplace,
    *,
    checkpoint: str,
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    digits: int,
    seed: int,
    within: float,
) -> Truth:
    """Say which of two ways of completing test digits is read more often as what they were.

    Each way is `mask`, the part that is missing, and `jumps`, and may name `steps`. `kept` is the most that a known
    pixel differs from what was given.
    """
    loaded, device = workplace.load(checkpoint), workplace.load(checkpoint).placement.device
    pictures, labels = (part[:digits] for part in load_mnist(train=False))
    x0 = to_x0(pictures)  # (digits, 1, 28, 28)
    ways = [{"mask": "lower half", "jumps": 0, "steps": COMPLETED_STEPS, **each} for each in (first, second)]
    calls = [way["steps"] * (way["jumps"] + 1) - way["jumps"] for way in ways]
    made, shares, drawn, kept = 0, list[float](), list[Tensor](), 0.0
    for way in ways:
        known = known_mask(way["mask"])
        config = replace(RECOMMENDED_SAMPLER, steps=way["steps"])
        generator = torch.Generator().manual_seed(seed)
        walk = complete(
            InTurn(loaded.model, NETWORK.film_turn),
            loaded.schedule,
            config,
            start_noise(len(x0), loaded.channels, 28, generator).to(device),
            x0=x0.to(device),
            known=known.to(device),
            jumps=way["jumps"],
            generator=generator,
        )
        x_s = x0
        for step in walk:
            x_s, made = step.x_s.float().cpu(), made + (way["jumps"] + 1 if step.s >= 0 else 1)
            workplace.report(made / sum(calls))
        shares.append(float((classifier.load_judge().model.classes(x_s) == labels).double().mean()))
        drawn.append(x_s)
        kept = max(kept, float((x_s - x0).abs().masked_fill(~known, 0).max()))
    better = shares[0] - shares[1]
    right = "same" if abs(better) < within else "first" if better > 0 else "second"
    given = torch.where(known_mask(ways[1]["mask"]), x0, torch.full_like(x0, -1.0))
    values = {"first": shares[0], "second": shares[1], "calls_first": calls[0], "calls_second": calls[1], "kept": kept}
    return Truth(right, values, {"given": given[:8], "first": drawn[0][:8], "second": drawn[1][:8]})


def left_out_drawing(workplace: Workplace, *, sign: int, drawings: int) -> Truth:
    """Say where a drawing that was left out lies: near to what the others teach, far from it, or between.

    The drawings are those of the newest run on the user's own, or else the first so many of MNIST's digit `sign`.
    """
    check_whole("the number of drawings", drawings, low=5, high=2000)
    path = newest_drawings() if workplace.own_drawings else None
    if path is None:
        pictures = first_of(sign, drawings)
    else:
        pictures = read_drawings(path, read_settings(path.with_name("run.safetensors")).train.pictures)
    workplace.report(0.1)
    apart, k, nearest = _left_out(pictures)
    scale = _scale(pictures)
    # the middle between the two yardsticks is nearer to neither
    near, far = scale.fresh + (scale.other - scale.fresh) / 4, scale.other - (scale.other - scale.fresh) / 4
    right = "close" if apart <= near else "far" if apart >= far else "between"
    shown = {"drawing": pictures[k], "nearest": nearest, "variation": fresh_variations(pictures, 0)[k]}
    values = {"drawings": len(pictures), "left_out": apart, "fresh": scale.fresh, "other": scale.other}
    return Truth(right, values, {name: to_x0(picture[None]) for name, picture in shown.items()})


def sets_compared(_: Workplace, *, sign: int, few: int, many: int, within: float) -> Truth:
    """Say whether a drawing that was left out lies nearer to the rest of a few drawings of MNIST, or of many."""
    for count in (few, many):
        check_whole("the number of drawings", count, low=5, high=2000)
    apart = [_left_out(first_of(sign, count))[0] for count in (few, many)]
    ratio = apart[0] / apart[1]
    right = "same" if abs(ratio - 1) <= within else "many" if ratio > 1 else "few"
    return Truth(right, {"few": apart[0], "many": apart[1], "few_drawings": few, "many_drawings": many})


def first_of(sign: int, count: int) -> Tensor:
    """Return the first `count` of MNIST's training digits of a class, uint8 (count, 28, 28)."""
    digits, labels = load_mnist(train=True)
    return digits[labels == sign][:count]


def newest_drawings() -> Path | None:
    """Return the file of drawings that the newest run on the user's own learns from; None without such a run."""
    files = (entry.directory / DRAWINGS_FILE for entry in shelf.entries() if not entry.fault)
    return next((path for path in files if path.exists()), None)


def _left_out(drawings: Tensor) -> tuple[float, int, Tensor]:
    """Leave out drawings uint8 (N, 28, 28) one at a time and teach the rest: how far is each from what is taught?

    Returns the middle distance, which drawing has it, and the nearest picture that the others teach, (28, 28).
    """
    found = []
    for k in range(min(LEFT_OUT, len(drawings))):
        rest = torch.cat((drawings[:k], drawings[k + 1 :]))
        near = nearest_drawings(drawings[k : k + 1], rest, variations(rest, 0))
        found.append((float(near.distance[0]), k, near.picture[0]))
    return sorted(found, key=lambda each: each[:2])[len(found) // 2]


def _scale(drawings: Tensor) -> Scale:
    return scale_of(drawings, variations(drawings, 0), fresh_variations(drawings, 0))
