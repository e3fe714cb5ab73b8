"""The Generate tab: digits out of pure noise, every frame on the screen as it is made."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from ddpm_demo.core.config import CHOSEN_GUIDANCE, CHOSEN_SAMPLER, ConfigError, GuidanceConfig
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.ui.bridge import browser_component
from ddpm_demo.ui.film.branches import build_branches
from ddpm_demo.ui.film.broadcasts import Broadcasts
from ddpm_demo.ui.film.films import (
    CLIPS,
    MAX_IMAGES,
    MAX_STEPS,
    MAX_WEIGHT,
    MIN_STEPS,
    NO_GUIDE,
    SAMPLERS,
    words_of,
)
from ddpm_demo.ui.film.inspector import inspect_step
from ddpm_demo.ui.film.path import build_path
from ddpm_demo.ui.film.race import build_race
from ddpm_demo.ui.film.take_home import LINK_NAME, link_settings, take_home

GENERATE_LESSON = """
## The reverse process: a digit comes out of noise
Start from pure noise. At every step the network says which noise it believes is in the picture; a little of it is taken
away, and (in DDPM) a little fresh noise is put back. Nothing tells the network *which* digit to draw: the noise
decides. Try DDIM with 50 steps and η = 0, then the same seed with 10.

A **guide** makes the digits clearer (Karras et al. 2024): a worse network, here one that learnt for five minutes, tends
to make the network's mistakes, only larger. So ε̂ is the guide's answer and, from there, *weight* times the way to the
network's own. The spec knows no guide: that is weight 1.
"""
# what the buttons do, in the browser: the film's new value, and which button can be pressed
PRESS_START = """(...settings) => [{settings, press: Date.now()},
    {__type__: "update", interactive: false}, {__type__: "update", interactive: true}]"""
PRESS_STOP = """() => [{press: Date.now()},
    {__type__: "update", interactive: true}, {__type__: "update", interactive: false}]"""
ENDED = """() => [{__type__: "update", interactive: true}, {__type__: "update", interactive: false}]"""


@dataclass(frozen=True)
class GenerateTab:
    """The fields that a link sets, in the order of `restore_film`'s answers."""

    which: gr.Dropdown
    guide: gr.Dropdown
    fields: Sequence[Component]
    note: gr.Markdown
    checkpoints: dict[str, Path]
    broadcasts: Broadcasts

    @property
    def outputs(self) -> list[Component]:
        """What `restore_film` answers with, before what it tells the page to press."""
        return [*self.fields, self.note]

    def restore_film(self, request: gr.Request) -> list[Any]:
        """Answer a page's opening: the settings of the film that its address names, and whether to press Generate."""
        text = request.query_params.get(LINK_NAME)
        if text is None:
            return [gr.skip()] * (len(self.outputs) + 1)
        try:
            wanted = link_settings(text)
            guide = wanted.guidance.guide if wanted.guidance else NO_GUIDE
            if wanted.checkpoint not in self.checkpoints or guide not in (NO_GUIDE, *self.checkpoints):
                raise ConfigError("that checkpoint is not here")
        except (ConfigError, ValueError) as error:
            why = error if isinstance(error, ConfigError) else "not understood"
            note = f"This link asked for a film that cannot be made ({why}) and was ignored."
            return [gr.skip()] * len(self.fields) + [note, gr.skip()]
        config = wanted.config
        weight = wanted.guidance.weight if wanted.guidance else gr.skip()
        fields = [wanted.checkpoint, wanted.sampler, wanted.clip, config.steps, config.eta, wanted.n, wanted.seed]
        fields += [guide, weight]
        return [*fields, "The film of this link, drawn again with the settings below.", {"press": True}]


def build_generate_tab(checkpoints: dict[str, Path]) -> GenerateTab:
    """Lay out the tab for these checkpoints, by name, and connect it; the film's own way is `film.event_stream`."""
    chosen_rule, chosen_clip = words_of(CHOSEN_SAMPLER)
    gr.Markdown(GENERATE_LESSON)
    note = gr.Markdown(elem_id="generate-note")
    with gr.Row():
        with gr.Column(min_width=300, scale=2):
            names = list(checkpoints)
            which = gr.Dropdown(
                names,
                value=names[0] if names else None,
                label="Checkpoint",
                info="The trained weights that do the work.",
                elem_id="generate-which",
            )
            sampler = gr.Radio(
                list(SAMPLERS),
                value=chosen_rule,
                label="Sampler",
                info="The rule that turns x_t into the next picture.",
            )
            clip = gr.Radio(
                list(CLIPS),
                value=chosen_clip,
                label="Clipping",
                info="The spec clips nothing; Ho et al.'s code clips the implied clean image, which forgives a lot.",
            )
            steps = gr.Slider(
                MIN_STEPS,
                MAX_STEPS,
                value=CHOSEN_SAMPLER.steps,
                step=1,
                label="Steps",
                info="Network calls from noise to digit; 1000 uses every timestep.",
            )
            eta = gr.Slider(
                0,
                1,
                value=0,
                step=0.05,
                label="η (DDIM only)",
                info="How much fresh noise DDIM adds: 0 none, 1 as much as DDPM.",
            )
            first_guide, first_weight = guide_of(names[0] if names else "")
            guide = gr.Dropdown(
                [NO_GUIDE, *names],
                value=first_guide,
                label="Guide",
                info="A worse network, to keep away from.",
                elem_id="generate-guide",
            )
            weight = gr.Slider(
                0,
                MAX_WEIGHT,
                value=first_weight,
                step=0.25,
                label="Guidance weight",
                info="0 the guide alone, 1 the network alone; more goes on beyond it.",
                elem_id="generate-weight",
            )
            count = gr.Slider(1, MAX_IMAGES, value=16, step=1, label="Digits", info="How many are drawn at once.")
            with gr.Row():
                seed = gr.Number(
                    0, precision=0, minimum=0, label="Seed", info="The same seed and settings give the same digits."
                )
                dice = gr.Button("New seed", min_width=100)
            with gr.Row(elem_id="generate-buttons"):
                start = gr.Button("Generate", variant="primary", min_width=120, elem_id="generate-start")
                stop = gr.Button("Stop", variant="stop", interactive=False, min_width=100, elem_id="generate-stop")
        with gr.Column(min_width=300, scale=4):
            film = browser_component("film/film", None, elem_id="generate-film", server=[inspect_step, take_home])

    settings = [which, sampler, clip, steps, eta, count, seed, guide, weight]
    # only when a person chooses: a link brings a guide of its own
    which.input(guide_of, which, [guide, weight], show_progress="hidden", queue=False, api_visibility="private")
    # in the browser alone: the film's module asks for the film, and says when it has ended
    start.click(None, settings, [film, start, stop], js=PRESS_START, api_visibility="private")
    stop.click(None, None, [film, start, stop], js=PRESS_STOP, api_visibility="private")
    film.submit(None, None, [start, stop], js=ENDED, api_visibility="private")
    dice.click(
        lambda: secrets.randbelow(10_000), None, seed, show_progress="hidden", queue=False, api_visibility="private"
    )
    build_path()
    build_race(checkpoints, which, seed, guide)
    build_branches(checkpoints, which)
    return GenerateTab(which, guide, settings, note, checkpoints, Broadcasts())


def guide_of(name: object) -> tuple[str, float]:
    """Return the guide that suits a checkpoint best, and its weight, for the page's fields."""
    chosen = CHOSEN_GUIDANCE.get(name) if isinstance(name, str) else None
    if chosen and chosen.guide in shipped_checkpoints():
        return chosen.guide, chosen.weight
    return NO_GUIDE, GuidanceConfig.weight
