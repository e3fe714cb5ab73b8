"""From your own digit: noised to a chosen t, denoised into branches, and the branches counted by class."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample
from ddpm_demo.films.film_job import FilmJob
from ddpm_demo.films.plan import Way, planned_steps
from ddpm_demo.machine.scheduler import NETWORK, InTurn
from ddpm_demo.measuring import classifier
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_placed
from ddpm_demo.ui.film.device_run import PlannedRun, planned_walk
from ddpm_demo.ui.film.reading import read_digits, reading
from ddpm_demo.ui.parts.bridge import AS_SENT, browser_component, server_function
from ddpm_demo.ui.parts.digits import read_picture
from ddpm_demo.ui.parts.frames import packed
from ddpm_demo.ui.parts.readers import MAX_SEED, image_of, named_values, one_of, whole
from ddpm_demo.ui.parts.shared_runs import RUNS, SharedRun, origin
from ddpm_demo.ui.words.page import prose
from ddpm_demo.words.sentence import say

BRANCHES_LESSON = say("""
## From your own digit: when does the seven stop being a seven?
Take the digit from the Noise tab, or draw one here. Add noise up to t, then let the network denoise that one picture
several times, with different noise along the way (SDEdit, Meng et al. 2022). At small t every branch is the same digit;
at large t nothing of it is left, and each branch becomes whatever the noise makes of it. A classifier, which takes no
part in the drawing, counts them.
""")
BRANCHES = 12
STEPS = 25


def build_branches(checkpoints: dict[str, Path], which: gr.HTML) -> None:
    """Lay out the section and connect it; the film's checkpoint is the network that denoises."""

    def choose(name: Any) -> dict[str, Any]:
        return {"checkpoint": name}

    prose(BRANCHES_LESSON, elem_classes="ddpm-lesson")
    view = browser_component(
        "film/branches",
        choose(which.value),
        elem_id="branches",
        server=[make_branch(checkpoints), read_digits, read_picture],
    )
    which.change(choose, which, view, show_progress="hidden", queue=False, api_visibility="private", **AS_SENT)


def make_branch(checkpoints: dict[str, Path]) -> Callable[[Any], dict[str, Any]]:
    """Return the function by which the page asks one of the checkpoints for branches of a digit."""

    @server_function
    def branch(question: Any) -> dict[str, Any]:
        fields = named_values(question, "checkpoint, x0, t and seed")
        name = one_of(fields.get("checkpoint"), checkpoints, say("choose one of the listed checkpoints above"))
        run = branches_run(checkpoints[name], question)
        return {"run": run.name, "checkpoint": name, "origin": origin(run)}

    return branch


def branches_run(path: Path, question: Any) -> SharedRun:
    """Return the run that noises a digit to t and denoises it BRANCHES times, in one message. Raises DemoError.

    Those of one digit, t and seed are computed once.
    """
    judge = classifier.load_judge()
    loaded = load_placed(path)
    fields = named_values(question, "x0, t and seed")
    x0 = image_of(fields.get("x0"), "a digit", most=1)
    t = whole("t", fields.get("t"), 0, len(loaded.schedule) - 1)
    seed = whole(say("the seed"), fields.get("seed"), 0, MAX_SEED)

    def begin() -> Iterator[dict[str, Any]]:
        yield branches_of(loaded, x0, t, seed)

    key = (loaded.digest, id(judge), x0.numpy().tobytes(), t, seed)
    return RUNS.ask(key, begin, lambda: branches_plan(loaded, x0, t, seed))


def _noised(loaded: LoadedNetwork, x0: Tensor, t: int, generator: torch.Generator) -> tuple[Tensor, SamplerConfig]:
    """Return x_t (1, 1, 28, 28), where all branches begin, and how they go on."""
    x_t = loaded.schedule.add_noise(x0, t, torch.randn(x0.shape, generator=generator))
    return x_t, SamplerConfig(variance="posterior", clip="x0", steps=min(STEPS, t + 1))


def branches_of(loaded: LoadedNetwork, x0: Tensor, t: int, seed: int) -> dict[str, Any]:
    """Return the branches of a digit x0 (1, 1, 28, 28) as the page gets them."""
    generator, begun = torch.Generator().manual_seed(seed), time.perf_counter()
    x_t, config = _noised(loaded, x0, t, generator)
    start = x_t.expand(BRANCHES, -1, -1, -1).contiguous().to(loaded.placement.device)
    *_, last = sample(
        InTurn(loaded.model, NETWORK.film_turn), loaded.schedule, config, start, generator=generator, start=t
    )
    return {
        "t": t,
        "n": BRANCHES,
        "x_t": packed([x_t], 8),
        "branches": packed([last.x_s], 8),
        **reading(last.x_s, x0),
        "seconds": time.perf_counter() - begun,
        "calls": config.steps,
    }


def branches_plan(loaded: LoadedNetwork, x0: Tensor, t: int, seed: int) -> PlannedRun:
    """Return the same for the visitor's device: one picture for all to begin with, and the noise drawn after it."""
    x_t, config = _noised(loaded, x0, t, torch.Generator().manual_seed(seed))
    job, steps = FilmJob(loaded.digest, config, BRANCHES, seed), planned_steps(loaded.schedule, config, t)
    way = Way(seed, drawn=x_t.numel())
    walk = planned_walk(job, loaded, None, shown=len(steps), steps=steps, start=x_t, way=way)
    return PlannedRun((walk,), {"t": t, "n": BRANCHES, "calls": config.steps})
