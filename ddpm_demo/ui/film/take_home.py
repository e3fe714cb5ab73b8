"""What a student takes home from a film: pictures, numbers, a link, and a program that draws the same digits."""

import base64
import dataclasses
import io
import json
from typing import Any

import numpy as np

from ddpm_demo.core.config import ALWAYS, ConfigError
from ddpm_demo.store import pictures
from ddpm_demo.ui.film.film_link import link_text
from ddpm_demo.ui.film.film_settings import FilmSettings, interval_of
from ddpm_demo.ui.film.films import FILMS, FINE_DIGITS, Film, Films
from ddpm_demo.ui.parts.bridge import server_function
from ddpm_demo.ui.parts.readers import named_values
from ddpm_demo.words.sentence import say

# of a film with a guide the program has these as well
IMPORTS = "from ddpm_demo.core.guidance import Autoguidance\n"
GUIDE_LINE = """\
guide = load_named({guide!r}).model
model = Autoguidance(model, guide, {weight:g}{interval})
"""
# and where that takes part at some timesteps only
INTERVAL_IMPORTS = "from ddpm_demo.core.config import Interval\n"
# and of one that asks for a digit these
ASKED_IMPORTS = """\
from ddpm_demo.networks.guidance_settings import DigitConfig
from ddpm_demo.networks.noisy_classifier import guide_to_digit, load_classifier
"""
ASKED = "model = guide_to_digit(model, schedule, {wish}, load_classifier(), placement.device)\n"
SHADES = " .:-=+*#%@"  # from paper to ink, in the program's output
GIF_FRAMES = 50  # besides the finished picture
GIF_BYTES = 960_000  # a little room below a megabyte

PROGRAM = '''\
"""Draws {n} {digits} with ddpm_demo: the film of seed {seed}."""

import torch

from ddpm_demo.core.samplers import SamplerConfig
{imports}from ddpm_demo.core.sampling import sample, start_noise, to_uint8
from ddpm_demo.networks.loaded_networks import load_named

loaded = load_named({checkpoint!r})  # a name, or the path of a checkpoint of your own
model, schedule, placement = loaded.model, loaded.schedule, loaded.placement
{guide}{asked}config = {config}
generator = torch.Generator().manual_seed({seed})
x_T = start_noise({n}, 1, 28, generator).to(placement.device)
for step in sample(model, schedule, config, x_T, generator=generator):
    pass  # step.x_t, step.eps_hat, step.x0_hat and step.z are there to look at
for digit in to_uint8(step.x_s[:, 0]):
    for row in digit.tolist():
        print("".join({shades!r}[grey * {last} // 255] * 2 for grey in row))
'''


@server_function
def take_home(question: Any, films: Films = FILMS) -> dict[str, Any]:
    """Answer the page: `gif`, `png`, `npz`, `link` or `python` of a film, as a file in base64 or as text."""
    asked = named_values(question, "kind and run")
    kind, film = asked.get("kind"), films.get(asked.get("run"))
    name = f"ddpm-seed-{film.settings.seed}"
    if kind == "gif":
        frames = film.frames()
        last = len(frames) - 1
        some = [frames[round(k * last / min(last, GIF_FRAMES))] for k in range(min(last, GIF_FRAMES) + 1)]
        gif = pictures.film_gif(some, scale=2 if film.settings.n <= FINE_DIGITS else 1, limit=GIF_BYTES)
        steps = film.settings.config.steps  # the pictures are one more: the noise, and what each step makes of it
        told = {"frames": len(some), "steps": steps, "ms": pictures.frame_time(len(some))}
        if len(some) == steps + 1:
            note = say("{frames} frames, one a step, {ms} ms each", **told)
        else:
            note = say("{frames} frames, of a film of {steps} steps, {ms} ms each", **told)
        return {**_file(gif, f"{name}-{len(some)}-frames.gif", "image/gif"), "note": note}
    if kind == "png":
        return _file(pictures.grid_png(film.frames()[-1]), f"{name}.png", "image/png")
    if kind == "npz":
        return _file(film_npz(film), f"{name}.npz", "application/octet-stream")
    if kind == "python":
        return {"text": program(film.settings, film.network, film.guide)}
    if kind == "link":
        return {"text": link_text(film.settings)}
    raise ConfigError("choose gif, png, npz, link or python")


def film_npz(film: Film) -> bytes:
    """Return `images` uint8 (N, 28, 28), `x_t`, `x0_hat`, `eps_hat` float32 (F, N, 28, 28), `t` (F,) and `settings`."""
    buffer = io.BytesIO()
    steps = [kept.step for kept in film.steps]
    np.savez_compressed(
        buffer,
        images=film.frames()[-1],
        x_t=np.stack([step.x_t[:, 0].numpy() for step in steps]).astype(np.float32),
        x0_hat=np.stack([step.x0_hat[:, 0].numpy() for step in steps]).astype(np.float32),
        eps_hat=np.stack([step.eps_hat[:, 0].numpy() for step in steps]).astype(np.float32),
        t=np.array([step.t for step in steps], np.int32),  # not int64: JavaScript's readers make BigInts of that
        settings=json.dumps(dataclasses.asdict(film.settings)),
    )
    return buffer.getvalue()


def program(settings: FilmSettings, network: str, guide: str = "") -> str:
    """Return a Python program that prints the film's digits; `checkpoint.find` finds `network` and `guide`."""
    # at a weight of 1 a film is the network's alone, and the sum would differ from it by rounding
    guidance = settings.guidance if settings.guidance and settings.guidance.weight != 1 else None
    held = interval_of(guidance)
    interval = "" if held == ALWAYS else f", {held}"
    return PROGRAM.format(
        imports=(IMPORTS if guidance else "")
        + (INTERVAL_IMPORTS if interval else "")
        + (ASKED_IMPORTS if settings.wish else ""),
        asked=ASKED.format(wish=settings.wish) if settings.wish else "",
        guide=GUIDE_LINE.format(guide=guide, weight=guidance.weight, interval=interval) if guidance else "",
        n=settings.n,
        digits="digit" if settings.n == 1 else "digits",
        seed=settings.seed,
        checkpoint=network,
        config=settings.config,
        shades=SHADES,
        last=len(SHADES) - 1,
    )


def _file(content: bytes, name: str, kind: str) -> dict[str, Any]:
    return {"file": base64.b64encode(content).decode("ascii"), "name": name, "type": kind}
