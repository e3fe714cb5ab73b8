"""What a student sets before a film: how many digits and which noise are in view, everything else is under Settings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import torch

from ddpm_demo.machine.device import answering_placement
from ddpm_demo.networks.ideal_checkpoints import is_ideal
from ddpm_demo.ui.film.film_settings import MAX_DIGIT_WEIGHT, MAX_GUIDE_WEIGHT, MAX_IMAGES, MAX_STEPS, MIN_STEPS
from ddpm_demo.ui.film.form_words import ANY_DIGIT, NO_GUIDE, WORDS, opening_words, said_sampler
from ddpm_demo.ui.parts.bridge import browser_component
from ddpm_demo.ui.parts.choice import choice, named, unsaid
from ddpm_demo.ui.parts.readers import UNCHANGED
from ddpm_demo.ui.words.page import prose
from ddpm_demo.words.sentence import say

# measured by `ddpm-demo bench seed`; docs/measurements.md has the figures
SEED_CONTRACT = say(
    "The same seed and settings give the same digits: on one machine bit for bit; on another processor, or in a "
    "browser, but for about 5 of 10,000 pixels, by one grey level and hardly ever by two."
)
IN_BFLOAT16 = say(
    "The same seed and settings give nearly the same digits on this server. It computes in bfloat16: a browser, or "
    "another computer, may well end in other digits."
)
# Gradio hands the fields to JavaScript by position: here, and nowhere else, they get their names back
NAMED = """(names, words, values) => {
    const settings = {};
    names.forEach((name, k) => {
        const known = new Map(words[name] ?? []);
        Object.assign(settings, known.get(values[k]) ?? { [name]: values[k] });
    });
    return settings;
}"""


@dataclass(frozen=True)
class FilmForm:
    """The fields of the settings, by the setting's name, and the buttons."""

    fields: Mapping[str, Any]
    steered: gr.Checkbox
    contrast: gr.Markdown
    dice: gr.Button
    start: gr.Button
    stop: gr.Button
    differences: gr.Markdown

    @property
    def inputs(self) -> list[Any]:
        """The fields as an event of Gradio wants them; `by_name` and `named_in_browser` give them their names back."""
        return list(self.fields.values())

    def by_name(self, values: Sequence[Any]) -> dict[str, Any]:
        """Return what Gradio sent of `inputs` by the names of the fields, in the page's words."""
        return dict(zip(self.fields, values, strict=True))

    def named_in_browser(self) -> str:
        """Return a JavaScript function that makes the settings by name, an object, from the values Gradio gives."""
        words = {name: list(known.items()) for name, known in WORDS.items()}
        return f"(values) => ({NAMED})({json.dumps(list(self.fields))}, {json.dumps(words)}, values)"


def build_film_form(names: Sequence[str], contrast_words: str = "") -> FilmForm:
    """Lay out the fields for these checkpoints, with the first one chosen; `contrast_words` stands under its steps."""
    opened = names[0] if names else None
    first = opening_words(opened)
    with gr.Row(elem_id="generate-wish"):
        count = gr.Slider(
            1,
            MAX_IMAGES,
            value=first["n"],
            step=1,
            label=say("Digits"),
            min_width=215,
            scale=3,
            elem_id="generate-count",
        )
        digit = choice(
            named([ANY_DIGIT]) + unsaid(name for name in WORDS["digit"] if name != ANY_DIGIT),
            first["digit"],
            label=say("Ask for"),
            elem_id="generate-digit",
        )
    with gr.Row(elem_id="generate-buttons"):
        start = gr.Button(say("Generate"), variant="primary", min_width=96, elem_id="generate-start")
        dice = gr.Button(say("Another noise"), min_width=96, elem_id="generate-dice")
        stop = gr.Button(say("Stop"), variant="stop", interactive=False, min_width=64, elem_id="generate-stop")
    steered = gr.Checkbox(
        first["guide"] != NO_GUIDE,
        label=say("Steered by a second, weaker network"),
        info=say("It is pushed away from that one's mistakes: clearer digits (Karras et al. 2024)."),
        elem_id="generate-steered",
    )
    with gr.Accordion(say("Settings"), open=False, elem_id="generate-settings", elem_classes="ddpm-settings"):
        prose(say("#### The network"))
        which = choice(
            unsaid(names),
            opened,
            label=say("Checkpoint"),
            info=say("The trained weights that do the work."),
            elem_id="generate-which",
        )
        guide = choice(
            named([NO_GUIDE]) + unsaid(name for name in names if not is_ideal(name)),
            first["guide"],
            label=say("Guide"),
            info=say("A weaker network to steer away from."),
            elem_id="generate-guide",
        )
        weight = gr.Slider(
            0,
            MAX_GUIDE_WEIGHT,
            value=first["guide_weight"],
            step=0.25,
            label=say("Guidance weight"),
            info=say("0 is the guide alone, 1 the network alone; above 1 goes further from the guide."),
            elem_id="generate-weight",
        )
        prose(say("#### From noise to digit"))
        sampler = gr.Radio(
            [(said_sampler(title), title) for title in WORDS["sampler"]],
            value=first["sampler"],
            label=say("Sampler"),
            info=say("The rule that turns xₜ into the next picture."),
        )
        steps = gr.Slider(
            MIN_STEPS,
            MAX_STEPS,
            value=first["steps"],
            step=1,
            label=say("Steps"),
            info=say("Network calls from noise to digit; 1000 uses every timestep."),
        )
        contrast = prose(contrast_words, elem_id="generate-contrast")
        clip = gr.Radio(
            named(WORDS["clip"]),
            value=first["clip"],
            label=say("Clipping"),
            info=say(
                "The spec clips nothing; Ho et al.'s code clips the implied clean image, which forgives many errors."
            ),
        )
        eta = gr.Slider(
            0,
            1,
            value=first["eta"],
            step=0.05,
            label=say("η (DDIM only)"),
            info=say("How much fresh noise DDIM adds: 0 none, 1 as much as DDPM."),
        )
        prose(say("#### Asking for a digit"))
        digit_weight = gr.Slider(
            0,
            MAX_DIGIT_WEIGHT,
            value=first["digit_weight"],
            step=0.5,
            label=say("How strongly"),
            info=say("How many times the classifier's gradient is subtracted from ε̂; 0 means not at all."),
            elem_id="generate-asking",
        )
        with gr.Row():
            first_t = gr.Slider(
                0,
                MAX_STEPS - 1,
                value=first["first"],
                step=1,
                label=say("From t ="),
                min_width=230,
                elem_id="generate-first",
            )
            last_t = gr.Slider(
                0,
                MAX_STEPS - 1,
                value=first["last"],
                step=1,
                label=say("Down to t ="),
                min_width=230,
                elem_id="generate-last",
            )
        limit_guide = gr.Checkbox(
            first["limit_guide"],
            label=say("Use the guide only there, too"),
            info=say("Outside the interval the network is alone: neither classifier nor guide is run."),
            elem_id="generate-guide-too",
        )
        prose(say("#### The noise"))
        seed = gr.Number(
            first["seed"],
            precision=0,
            minimum=0,
            label=say("Seed"),
            info=seed_words(),
            elem_id="generate-seed",
        )
        prose(say("#### Who computes"))
        browser_component("film/where", None, elem_id="generate-where")
    differences = prose(UNCHANGED, elem_id="generate-differences")
    fields = {
        "checkpoint": which,
        "sampler": sampler,
        "clip": clip,
        "steps": steps,
        "eta": eta,
        "n": count,
        "seed": seed,
        "guide": guide,
        "guide_weight": weight,
        "digit": digit,
        "digit_weight": digit_weight,
        "first": first_t,
        "last": last_t,
        "limit_guide": limit_guide,
    }
    return FilmForm(fields, steered, contrast, dice, start, stop, differences)


def seed_words() -> str:
    """Return what a seed promises on this server, by the number format in which its networks answer."""
    return SEED_CONTRACT if answering_placement().dtype == torch.float32 else IN_BFLOAT16
