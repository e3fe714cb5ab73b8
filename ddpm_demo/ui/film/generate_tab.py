"""The Generate tab: digits out of pure noise, every frame on the screen as it is made."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from ddpm_demo.core.config import ConfigError, DemoError
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.films.executor import Executor
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.ui.film.branches import build_branches
from ddpm_demo.ui.film.broadcasts import Broadcasts
from ddpm_demo.ui.film.completion import build_completion
from ddpm_demo.ui.film.contrast import contrast_words
from ddpm_demo.ui.film.film_link import LINK_NAME, read_film_link
from ddpm_demo.ui.film.film_settings import MAX_IMAGES, MAX_STEPS, MIN_STEPS
from ddpm_demo.ui.film.flow import flow_of_film
from ddpm_demo.ui.film.form import build_film_form
from ddpm_demo.ui.film.form_words import (
    CHANGED_WORDS,
    NO_GUIDE,
    differences_in_words,
    guide_of,
    opening_words,
    steer,
    words_of_settings,
)
from ddpm_demo.ui.film.inspector import inspect_step
from ddpm_demo.ui.film.nearest import nearest_digits
from ddpm_demo.ui.film.path import build_path
from ddpm_demo.ui.film.race_tab import build_race
from ddpm_demo.ui.film.stream import start_picture
from ddpm_demo.ui.film.take_home import take_home
from ddpm_demo.ui.parts.bridge import AS_SENT, browser_component, event
from ddpm_demo.ui.parts.contents import contents
from ddpm_demo.ui.parts.query import query_values
from ddpm_demo.ui.parts.readers import MAX_SEED, whole
from ddpm_demo.ui.words.page import prose
from ddpm_demo.ui.words.visitor import for_visitor
from ddpm_demo.words.sentence import say, sentence_in

GENERATE_LEAD = say("Press **Generate**: the network takes this noise away, step by step, until digits are left.")
GENERATE_LESSON = say("""
## The reverse process: a digit comes out of noise
Start from pure noise. At every step the network says what noise it believes is in the picture; a little of it is taken
away, and (in DDPM) a little fresh noise is put back. Nothing tells the network *which* digit to draw: the noise
decides. Under Settings, try DDIM with 50 steps and η = 0, then the same seed with 10.
""")
# what the buttons do, in the browser: the film's new value, and which button can be pressed
PRESS_START = """(...values) => [{{settings: ({named})(values), press: Date.now()}},
    {{__type__: "update", interactive: false}}, {{__type__: "update", interactive: true}}]"""
PRESS_STOP = """() => [{press: Date.now()},
    {__type__: "update", interactive: true}, {__type__: "update", interactive: false}]"""
ENDED = """() => [{__type__: "update", interactive: true}, {__type__: "update", interactive: false}]"""


@dataclass(frozen=True)
class GenerateTab:
    """What a link sets: the fields, by the setting's name, and the note above them."""

    fields: Mapping[str, Any]
    note: gr.Markdown
    checkpoints: dict[str, Path]
    broadcasts: Broadcasts

    @property
    def outputs(self) -> list[Component]:
        """What `restore_film` answers with, before what it tells the page to open and to press."""
        return [*self.fields.values(), self.note]

    def restore_film(self, request: gr.Request) -> list[Any]:
        """Answer a page that opens: the settings of the film that its address names, and whether to press Generate."""
        text = query_values(request.query_params, [LINK_NAME]).get(LINK_NAME)
        if text is None:
            return [gr.skip()] * (len(self.outputs) + 1)
        try:
            wanted = read_film_link(text, self.checkpoints)
            words = words_of_settings(wanted)
            if words["sampler"] is None:
                raise ConfigError("this page has no such sampler")
        except ConfigError as error:
            note = say(
                "This link asked for a film that cannot be made ({why}) and was ignored. "
                "The settings are those that the page opens with.",
                why=sentence_in(error),
            )
            return [*[gr.skip()] * len(self.fields), for_visitor(note), {"open": True}]
        idle = {"guide_weight": wanted.guide, "digit_weight": wanted.digit}  # what takes no part stays as it is
        fields = [gr.skip() if idle.get(name, "") is None else words[name] for name in self.fields]
        note = say("The film of this link, drawn again with its settings.")
        return [*fields, for_visitor(note), {"open": True, "press": True}]


def build_generate_tab(checkpoints: dict[str, Path], executor: Executor | None = None) -> GenerateTab:
    """Lay out the tab for these checkpoints, by name, and connect it; the film itself comes by `film.event_stream`.

    `executor` makes the films; without one this process does.
    """
    prose(GENERATE_LEAD, elem_classes="ddpm-lead")
    note = gr.Markdown(elem_id="generate-note")
    with gr.Row(elem_id="generate-stage"):
        with gr.Column(min_width=280, scale=2):
            first = next(iter(checkpoints), None)
            words = contrast_words(checkpoint_schedule(checkpoints, first), opening_words(first))
            form = build_film_form(list(checkpoints), words)
        with gr.Column(min_width=560, scale=5):  # where it is less, the form stands above
            noise = [form.fields[name] for name in ("checkpoint", "n", "seed", "steps")]
            begin = first_frame(checkpoints, *[field.value for field in noise])
            film = browser_component(
                "film/film",
                begin,
                elem_id="generate-film",
                server=[inspect_step, take_home, nearest_digits, flow_of_film],
            )
    contents(
        {
            "path": say("The path of the film"),
            "race": say("The race, and experiments"),
            "branches": say("From your own digit"),
            "completion": say("Finish my drawing"),
        }
    )
    prose(GENERATE_LESSON, elem_classes="ddpm-lesson")

    def show_first(*wanted: Any) -> Any:
        try:
            return first_frame(checkpoints, *wanted)
        except DemoError:  # half a number is no fault yet: Generate will say so
            return gr.skip()

    which, guide, start, stop = form.fields["checkpoint"], form.fields["guide"], form.start, form.stop
    at_once: dict[str, Any] = {"show_progress": "hidden", "queue": False, "api_visibility": "private", **AS_SENT}
    newest: dict[str, Any] = {**at_once, "trigger_mode": "always_last"}
    gr.on([field.change for field in noise], show_first, noise, film, **newest)

    @event
    def tell_differences(*values: Any) -> list[str]:
        words = form.by_name(values)
        of_contrast = contrast_words(checkpoint_schedule(checkpoints, words["checkpoint"]), words)
        return [differences_in_words(first, words), of_contrast]

    changes = [field.change for name, field in form.fields.items() if name in CHANGED_WORDS]
    gr.on(changes, tell_differences, form.inputs, [form.differences, form.contrast], **newest)
    # only when a person chooses: a link brings a guide of its own
    which.input(guide_of, which, [guide, form.fields["guide_weight"]], **at_once)
    steering = form.steered.input(  # in the queue, or its refusal would be an error of HTTP that nobody sees
        event(steer), [form.steered, which], [guide, form.fields["guide_weight"]], **{**at_once, "queue": True}
    )
    for happens in (guide.change, steering.failure):
        happens(lambda name: name != NO_GUIDE, guide, form.steered, **at_once)
    # in the browser alone: the film's module asks for the film, and says when it has ended
    press_start = PRESS_START.format(named=form.named_in_browser())
    start.click(None, form.inputs, [film, start, stop], js=press_start, api_visibility="private")
    stop.click(None, None, [film, start, stop], js=PRESS_STOP, api_visibility="private")
    film.submit(None, None, [start, stop], js=ENDED, api_visibility="private")
    form.dice.click(lambda: secrets.randbelow(10_000), None, form.fields["seed"], **at_once)
    build_path()
    build_race(checkpoints, which, form.fields["seed"], guide)
    build_branches(checkpoints, which)
    build_completion(checkpoints, which)
    return GenerateTab(form.fields, note, checkpoints, Broadcasts(executor))


def first_frame(checkpoints: dict[str, Path], name: Any, count: Any, seed: Any, steps: Any) -> dict[str, Any]:
    """Return the noise that a film with these settings will begin with; raise DemoError if there can be none."""
    n, number = whole(say("the number of digits"), count, 1, MAX_IMAGES), whole(say("the seed"), seed, 0, MAX_SEED)
    schedule = checkpoint_schedule(checkpoints, name)
    return start_picture(schedule, n=n, seed=number, steps=whole(say("the steps"), steps, MIN_STEPS, MAX_STEPS))


def checkpoint_schedule(checkpoints: dict[str, Path], name: Any) -> Schedule:
    """Return a checkpoint's schedule, the usual one for a name that is none; raise DemoError if it cannot be loaded."""
    known = isinstance(name, str) and name in checkpoints
    return load_placed(checkpoints[name]).schedule if known else Schedule.from_config(ScheduleConfig())
