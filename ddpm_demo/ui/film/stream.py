"""The film of a run, as messages to the page: what the network makes, as it makes it."""

import base64
import secrets
import time
import zlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ddpm_demo.core.guidance import Guided
from ddpm_demo.core.sampling import frame_indices, sample, start_noise
from ddpm_demo.machine.network_thread import InTurn
from ddpm_demo.ui.film.films import FILMS, Film, Films, FilmSettings, Kept, film_bits, grey_levels, kept_steps, on_cpu
from ddpm_demo.ui.networks import Loaded, guided

MESSAGES_PER_SECOND = 25  # more than this would only queue up on the way to the page
EPS_REACH = 3.0  # the noise is shown from -3 to 3: 99.7 % of a Gaussian


def generate(
    loaded: Loaded, settings: FilmSettings, films: Films = FILMS, *, guide: Loaded | None = None
) -> Iterator[dict[str, Any]]:
    """Draw digits, yielding messages with the film's frames in order, and remember their floats in `films`.

    `guide` is the network that the settings' guidance names.

    The first message is x_T alone, before the network has run. A frame is x_t, x0_hat and eps_hat of one step; of a
    long run at most `kept_steps` are sent, even in log-SNR, and the finished picture always.
    """
    config, n, schedule = settings.config, settings.n, loaded.schedule
    network = guided(loaded, guide, settings.guidance.weight if settings.guidance else 1)
    timesteps = schedule.timesteps(config.steps)
    generator = torch.Generator().manual_seed(settings.seed)
    x_T = start_noise(n, loaded.model.config.image_channels, 28, generator)
    shown = set(frame_indices(schedule, timesteps, kept_steps(n)))
    run, bits = secrets.token_hex(8), film_bits(n, len(shown))
    film = Film(settings, schedule, loaded.known_as or settings.checkpoint)
    if settings.guidance and guide:
        film.guide = guide.known_as or settings.guidance.guide
    films.add(run, film)
    same = {"run": run, "n": n, "size": 28, "frames": len(shown) + 1, "reach": EPS_REACH}
    yield {
        **same,
        "bits": bits,
        "first": 0,
        "steps": [moment(film, timesteps[0], 0.0)],
        "x_t": packed([x_T], bits),
        "x0_hat": "",
        "eps_hat": "",
        "done": 0.0,
        "note": "the network is at its first step",
    }

    begun, sent, first = time.perf_counter(), 0.0, 0
    pending: list[Kept] = []
    before = None
    model = InTurn(network)
    for step in sample(model, schedule, config, x_T.to(loaded.placement.device), generator=generator):
        if step.index in shown:
            said = network.answers if isinstance(network, Guided) else None
            answers = said and (said[0].cpu(), said[1].cpu())
            kept = Kept(on_cpu(step), answers, *((None, None) if before is None else (before.x0_hat.cpu(), before.t)))
            films.keep(run, kept)
            pending.append(kept)
        before, now = step, time.perf_counter()
        seconds, done = now - begun, (step.index + 1) / config.steps
        rate = f"{seconds / (step.index + 1) * 1000:.0f} ms a step"
        if step.s < 0:
            note = f"{config.steps} steps in {seconds:.1f} s, {rate}, {n / seconds:.2f} images/s"
        elif now - sent < 1 / MESSAGES_PER_SECOND:
            continue
        else:
            left = f"about {seconds / done - seconds:.0f} s left"
            note = f"step {step.index + 1} of {config.steps}, {rate}, {n * done / seconds:.2f} images/s, {left}"
        yield {
            **same,
            "bits": bits,
            "first": first,
            "steps": [moment(film, kept.step.t, kept.step.std) for kept in pending],
            "x_t": packed([kept.step.x_t for kept in pending], bits),
            "x0_hat": packed([kept.step.x0_hat for kept in pending], bits),
            "eps_hat": packed([kept.step.eps_hat for kept in pending], bits, EPS_REACH),
            "done": done,
            "note": note,
        }
        first, pending, sent = first + len(pending), [], now

    film.finished = step.x_s.cpu()
    yield {
        **same,
        "bits": 8,
        "first": first,
        "steps": [moment(film, -1, 0.0)],
        "x_t": packed([film.finished], 8),
        "x0_hat": packed([film.finished], 8),
        "eps_hat": packed([torch.zeros_like(film.finished)], 8, EPS_REACH),
        "done": 1.0,
        "note": note,
    }


def moment(film: Film, t: int, std: float) -> dict[str, float]:
    """Return the numbers beside a frame: its timestep, how much signal there is, and the step's noise."""
    return {"t": t, "alpha_bar": film.schedule.alpha_bar_at(t), "sigma": std}


def packed(pictures: list[Tensor], bits: int, reach: float = 1.0) -> str:
    """Return pictures (N, C, H, W) as grey levels, deflated, in base64; nothing for none."""
    levels = b"".join(grey_levels(picture[:, 0].cpu(), reach=reach, bits=bits) for picture in pictures)
    if not levels:
        return ""
    # noise has no repetitions to look for, only the paper around a digit has: smaller than level 9, faster than level 1
    deflate = zlib.compressobj(strategy=zlib.Z_RLE)
    return base64.b64encode(deflate.compress(levels) + deflate.flush()).decode("ascii")
