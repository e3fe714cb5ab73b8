"""Finish my drawing: a part of a digit is wiped out, and the network completes it in four ways at once."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.inpainting import complete
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import start_noise
from ddpm_demo.films.film_job import FilmJob
from ddpm_demo.films.plan import completion_steps, known_part
from ddpm_demo.machine.scheduler import NETWORK, InTurn
from ddpm_demo.measuring.completion import MASKS, known_mask
from ddpm_demo.networks.guidance_settings import GuidanceConfig
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_guide, load_placed
from ddpm_demo.networks.recommended import RECOMMENDED_GUIDANCE, RECOMMENDED_SAMPLER
from ddpm_demo.ui.film.device_run import PlannedRun, planned_walk
from ddpm_demo.ui.film.reading import read_digits, reading
from ddpm_demo.ui.parts.bridge import base64_of, browser_component, server_function
from ddpm_demo.ui.parts.digits import read_picture
from ddpm_demo.ui.parts.frames import packed
from ddpm_demo.ui.parts.readers import MAX_SEED, SIDE, from_base64, image_of, named_values, one_of, whole
from ddpm_demo.ui.parts.shared_runs import RUNS
from ddpm_demo.ui.words.page import prose
from ddpm_demo.words.sentence import say

COMPLETION_LESSON = say("""
## Finish my drawing: wipe out a part, and let the network complete it
Take the digit from the Noise tab, or draw one here, and wipe out part of it. The network was never taught to complete
anything: it goes from noise to a digit as always, and after each step the known part is put back, with as much noise
as the picture has at that point (RePaint, Lugmayr et al. 2022). Four attempts, each with its own noise.
""")
COMPLETIONS = 4
COMPLETION_STEPS = 25
MOST_JUMPS = 10
USUAL_JUMPS = 5


def build_completion(checkpoints: dict[str, Path], which: gr.HTML) -> None:
    """Lay out the section and connect it; the film's checkpoint is the network that completes."""

    @server_function
    def complete_digit(question: Any) -> dict[str, Any]:
        fields = named_values(question, "checkpoint, x0, known, jumps and seed")
        wanted = read_completion(checkpoints, fields.get("checkpoint"), fields)
        return {"run": RUNS.begin(messages_of(wanted), lambda: completion_plan(wanted)).name}

    prose(COMPLETION_LESSON, elem_classes="ddpm-lesson")
    masks = {name: base64_of(known_mask(name).numpy().astype("u1")) for name in MASKS}
    begin = {"checkpoint": which.value, "masks": masks, "jumps": USUAL_JUMPS, "most": MOST_JUMPS, "n": COMPLETIONS}
    view = browser_component(
        "film/completion", begin, elem_id="completion", server=[complete_digit, read_digits, read_picture]
    )
    # a link may choose before the module is there, which then finds this value as its first
    chosen = f"(name) => ({{ ...{json.dumps(begin)}, checkpoint: name }})"
    which.change(None, which, view, js=chosen, show_progress="hidden", queue=False, api_visibility="private")


def read_known(value: object) -> Tensor:
    """Return what is known of a picture, bool (1, 1, 28, 28), sent as 784 bytes in base64: 1 known, 0 wiped out."""
    refusal = say("the known part must be {count} bytes, each 0 or 1", count=SIDE * SIDE)
    content = from_base64(value, refusal, most=SIDE * SIDE)
    if len(content) != SIDE * SIDE or not set(content) <= {0, 1}:
        raise ConfigError(refusal)
    return torch.tensor(list(content), dtype=torch.bool).view(1, 1, SIDE, SIDE)


@dataclass(frozen=True)
class Completion:
    """What is completed, and how: `read_completion` makes one of a page's question."""

    name: str
    loaded: LoadedNetwork
    guide: LoadedNetwork | None
    guidance: GuidanceConfig | None
    config: SamplerConfig
    x0: Tensor
    known: Tensor
    jumps: int
    seed: int

    @property
    def facts(self) -> dict[str, Any]:
        """What every message says."""
        guide = self.guidance.guide if self.guidance else ""
        return {"checkpoint": self.name, "guide": guide, "n": COMPLETIONS, "jumps": self.jumps}

    @property
    def calls(self) -> int:
        """How often the network is asked."""
        return self.config.steps * (self.jumps + 1) - self.jumps


def read_completion(checkpoints: Mapping[str, Path], name: Any, question: Any) -> Completion:
    """Return what a page asks to have completed, its networks loaded; raise DemoError if it makes no sense."""
    fields = named_values(question, "x0, known, jumps and seed")
    name = one_of(name, checkpoints, say("choose one of the listed checkpoints above"))
    x0, known = image_of(fields.get("x0"), say("a digit"), most=1), read_known(fields.get("known"))
    jumps = whole(say("the number of jumps"), fields.get("jumps"), 0, MOST_JUMPS)
    seed = whole(say("the seed"), fields.get("seed"), 0, MAX_SEED)

    loaded, guidance = load_placed(checkpoints[name]), RECOMMENDED_GUIDANCE.get(name)
    if guidance is not None and guidance.guide not in checkpoints:
        guidance = None
    config = replace(RECOMMENDED_SAMPLER, steps=min(COMPLETION_STEPS, len(loaded.schedule)))
    return Completion(name, loaded, load_guide(checkpoints, guidance), guidance, config, x0, known, jumps, seed)


def completion_plan(wanted: Completion) -> PlannedRun:
    """Return the completion for the visitor's device: a walk whose steps stand there again for every jump.

    Raises ConfigError where there is nothing to complete, or nothing to go by: the server will say which.
    """
    if wanted.known.all() or not wanted.known.any():
        raise ConfigError("nothing of the picture is known, or all of it")
    guide, weight = (wanted.guide.digest, wanted.guidance.weight) if wanted.guide and wanted.guidance else ("", 1.0)
    job = FilmJob(wanted.loaded.digest, wanted.config, COMPLETIONS, wanted.seed, guide, weight)
    steps = completion_steps(wanted.loaded.schedule, wanted.config, wanted.jumps)
    known = known_part(wanted.x0, wanted.known)
    walk = planned_walk(job, wanted.loaded, wanted.guide, shown=len(steps), steps=steps, known=known)
    return PlannedRun((walk,), wanted.facts)


def messages_of(wanted: Completion) -> Iterator[dict[str, Any]]:
    """Complete a digit in COMPLETIONS ways, yielding a message a step, then the judge's reading.

    A step's message holds x_t as the next step gets it, with the known part in place; the last one, at t = -1, the
    finished pictures, and `difference`, the most that their known part differs from what was given. Every call of the
    network is a turn of its own among the films.
    """
    loaded, x0, known, guidance = wanted.loaded, wanted.x0, wanted.known, wanted.guidance
    network = loaded.guided_by(wanted.guide, guidance.weight if guidance else 1.0)
    generator, device = torch.Generator().manual_seed(wanted.seed), loaded.placement.device
    x_T = start_noise(COMPLETIONS, loaded.channels, SIDE, generator)
    walk = complete(
        InTurn(network, NETWORK.film_turn),
        loaded.schedule,
        wanted.config,
        x_T.to(device),
        x0=x0.to(device),
        known=known.to(device),
        jumps=wanted.jumps,
        generator=generator,
    )
    begun, total = time.perf_counter(), wanted.calls
    for step in walk:
        finished = step.x_s.float().cpu()
        calls = total if step.s < 0 else (step.index + 1) * (wanted.jumps + 1)
        message = {
            **wanted.facts,
            "first": step.index,
            "t": step.s,
            "x_t": packed([finished], 8),
            "calls": calls,
            "done": calls / total,
            "seconds": time.perf_counter() - begun,
        }
        if step.s < 0:
            message["difference"] = float((finished - x0).abs().masked_fill(~known, 0).max())
        yield message
    yield reading(finished, x0)
