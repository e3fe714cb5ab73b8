"""What a student sets before a film: how many digits and which noise in sight, everything else under Settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ddpm_demo.networks.guidance_settings import DigitConfig, GuidanceConfig
from ddpm_demo.networks.ideal_checkpoints import is_ideal
from ddpm_demo.networks.recommended import RECOMMENDED_GUIDANCE, RECOMMENDED_SAMPLER
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.ui.film.film_settings import (
    ANY_DIGIT,
    CLIPS,
    MAX_ASKING,
    MAX_IMAGES,
    MAX_STEPS,
    MAX_WEIGHT,
    MIN_STEPS,
    NO_GUIDE,
    SAMPLER_CHOICES,
    WISHES,
    heeds,
    words_of,
)
from ddpm_demo.ui.parts.readers import UNCHANGED, changed_in_words

FIRST_COUNT = 16
FIRST_SEED = 0
GUIDE_TOO = True  # one interval for both, which at first is the whole way


@dataclass(frozen=True)
class FilmForm:
    """The fields and buttons; `settings` are the fields in the order of `read_film_settings`."""

    which: gr.Dropdown
    sampler: gr.Radio
    clip: gr.Radio
    steps: gr.Slider
    eta: gr.Slider
    count: gr.Slider
    seed: gr.Number
    guide: gr.Dropdown
    weight: gr.Slider
    digit: gr.Dropdown
    asking: gr.Slider
    first: gr.Slider
    last: gr.Slider
    guide_too: gr.Checkbox
    dice: gr.Button
    start: gr.Button
    stop: gr.Button
    differences: gr.Markdown

    @property
    def settings(self) -> list[Any]:
        """What a film is made from."""
        fields: list[Any] = [self.which, self.sampler, self.clip, self.steps, self.eta, self.count, self.seed]
        return [*fields, self.guide, self.weight, self.digit, self.asking, self.first, self.last, self.guide_too]

    @property
    def hidden(self) -> list[Any]:
        """Those of the settings that `differences` tells of, in the order of `differences_in_words`."""
        wish = [self.asking, self.first, self.last, self.guide_too]
        return [self.which, self.sampler, self.clip, self.steps, self.eta, self.guide, self.weight, *wish]


def build_film_form(names: Sequence[str]) -> FilmForm:
    """Lay out the fields for these checkpoints, of which the first is chosen."""
    opened = names[0] if names else None
    rule, clipping = words_of(RECOMMENDED_SAMPLER)
    first_guide, first_weight = guide_of(opened or "")
    with gr.Row(elem_id="generate-wish"):
        count = gr.Slider(
            1, MAX_IMAGES, value=FIRST_COUNT, step=1, label="Digits", min_width=150, scale=3, elem_id="generate-count"
        )
        digit = gr.Dropdown(
            list(WISHES),
            value=ANY_DIGIT,
            label="Ask for",
            min_width=130,
            scale=1,
            filterable=False,
            elem_id="generate-digit",
        )
    with gr.Row(elem_id="generate-buttons"):
        start = gr.Button("Generate", variant="primary", min_width=96, elem_id="generate-start")
        dice = gr.Button("Another noise", min_width=96, elem_id="generate-dice")
        stop = gr.Button("Stop", variant="stop", interactive=False, min_width=64, elem_id="generate-stop")
    with gr.Accordion("Settings", open=False, elem_id="generate-settings", elem_classes="ddpm-settings"):
        gr.Markdown("#### The network")
        which = gr.Dropdown(
            list(names),
            value=opened,
            label="Checkpoint",
            info="The trained weights that do the work.",
            elem_id="generate-which",
        )
        guide = gr.Dropdown(
            [NO_GUIDE, *(name for name in names if not is_ideal(name))],
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
        gr.Markdown("#### The way from noise to digit")
        sampler = gr.Radio(
            list(SAMPLER_CHOICES), value=rule, label="Sampler", info="The rule that turns x_t into the next picture."
        )
        steps = gr.Slider(
            MIN_STEPS,
            MAX_STEPS,
            value=RECOMMENDED_SAMPLER.steps,
            step=1,
            label="Steps",
            info="Network calls from noise to digit; 1000 uses every timestep.",
        )
        clip = gr.Radio(
            list(CLIPS),
            value=clipping,
            label="Clipping",
            info="The spec clips nothing; Ho et al.'s code clips the implied clean image, which forgives a lot.",
        )
        eta = gr.Slider(
            0,
            1,
            value=RECOMMENDED_SAMPLER.eta,
            step=0.05,
            label="η (DDIM only)",
            info="How much fresh noise DDIM adds: 0 none, 1 as much as DDPM.",
        )
        gr.Markdown("#### Asking for a digit")
        usual = DigitConfig(0)
        asking = gr.Slider(
            0,
            MAX_ASKING,
            value=usual.weight,
            step=0.5,
            label="How strongly",
            info="Times the classifier's gradient that is taken from ε̂; 0 is not at all.",
            elem_id="generate-asking",
        )
        with gr.Row():
            first = gr.Slider(
                0,
                MAX_STEPS - 1,
                value=MAX_STEPS - 1,
                step=1,
                label="From t =",
                min_width=140,
                elem_id="generate-first",
            )
            last = gr.Slider(
                0,
                MAX_STEPS - 1,
                value=usual.last,
                step=1,
                label="Down to t =",
                min_width=140,
                elem_id="generate-last",
            )
        guide_too = gr.Checkbox(
            GUIDE_TOO,
            label="The guide, too, only there",
            info="Outside the interval the network is alone: neither classifier nor guide is computed.",
            elem_id="generate-guide-too",
        )
        gr.Markdown("#### The noise")
        seed = gr.Number(
            FIRST_SEED,
            precision=0,
            minimum=0,
            label="Seed",
            info="The same seed and settings give the same digits.",
            elem_id="generate-seed",
        )
    differences = gr.Markdown(UNCHANGED, elem_id="generate-differences")
    wish = (digit, asking, first, last, guide_too)
    return FilmForm(which, sampler, clip, steps, eta, count, seed, guide, weight, *wish, dice, start, stop, differences)


def guide_of(name: object) -> tuple[str, float]:
    """Return the guide that suits a checkpoint best, and its weight, for the page's fields."""
    chosen = RECOMMENDED_GUIDANCE.get(name) if isinstance(name, str) else None
    if chosen and chosen.guide in shipped_checkpoints():
        return chosen.guide, chosen.weight
    return NO_GUIDE, GuidanceConfig.weight


def differences_in_words(
    first: str | None,
    which: object,
    sampler: object,
    clip: object,
    steps: object,
    eta: object,
    guide: object,
    weight: object,
    asking: object,
    first_t: object,
    last_t: object,
    guide_too: object,
) -> str:
    """Return in one line what differs from the settings that the page opens with; `first` is their checkpoint.

    The guide and its weight are compared with those that suit the checkpoint.
    """
    rule, clipping = words_of(RECOMMENDED_SAMPLER)
    suits, heavy = guide_of(which)
    pairs = [
        ("checkpoint", which, first),
        ("sampler", sampler, rule),
        ("steps", steps, RECOMMENDED_SAMPLER.steps),
        ("clipping", clip, clipping),
        *([("η", eta, RECOMMENDED_SAMPLER.eta)] if heeds(sampler, "eta") else []),
        ("guide", guide, suits),
        *([("guidance weight", weight, heavy)] if guide != NO_GUIDE else []),
        ("asking weight", asking, DigitConfig.weight),
        ("guidance from t", first_t, MAX_STEPS - 1),
        ("guidance down to t", last_t, DigitConfig.last),
        *([("guide only there", guide_too, GUIDE_TOO)] if guide != NO_GUIDE else []),
    ]
    return changed_in_words(pairs)
