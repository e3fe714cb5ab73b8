"""The Train tab: teach a network from scratch, and watch it learn."""

import itertools
from typing import Any

import gradio as gr
from gradio.components import Component

from ddpm_demo.core.config import PRESETS, DemoError
from ddpm_demo.core.schedule import SCHEDULES, ScheduleConfig
from ddpm_demo.machine.device import best_placement
from ddpm_demo.machine.limits import max_minutes
from ddpm_demo.machine.scheduler import NETWORK
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.training.baselines import baselines
from ddpm_demo.training.estimate import Estimate, estimate
from ddpm_demo.training.notes import time_words
from ddpm_demo.training.run_entry import NAME_LENGTH
from ddpm_demo.ui.parts import plots
from ddpm_demo.ui.parts.bridge import AS_SENT, browser_component, chart_value, event
from ddpm_demo.ui.parts.choice import named
from ddpm_demo.ui.parts.contents import contents
from ddpm_demo.ui.parts.readers import UNCHANGED, one_of
from ddpm_demo.ui.tabs.own_drawings import OWN_LESSON, build_own_drawings
from ddpm_demo.ui.tabs.train_desk import Desk
from ddpm_demo.ui.tabs.train_settings import (
    CLASSES,
    FIRST_PRESET,
    MAX_BATCH,
    MAX_WIDTH,
    UNITS,
    preset_fields,
    read_run_settings,
    settings_in_words,
)
from ddpm_demo.ui.words.page import prose
from ddpm_demo.words.sentence import say

TRAIN_LEAD = say("Press **Start training**, and watch a network learn to draw from scratch.")
TRAIN_LESSON = say("""
## Teach a network from scratch
Training is quickly described (Ho et al. 2020, Algorithm 1): take a digit, a random timestep *t* and noise ε; mix them
into xₜ; let the network guess the noise; change its weights a little so that the squared error ‖ε − ε̂‖² falls; repeat.
Watch: the loss falls fast and then hardly at all, and yet the digits keep getting better.
The lines across the loss are what a network must beat, each an average over all *t*: answering zero; the best matrix of
the 784 pixels, in closed form; a perfect memory of the training digits, which on test digits is worse than answering
zero; and `full`. What the network learns beyond a matrix product lies below the matrix's line.
The run lives on the server: close the page and come back, and it is still there.
""")
REFUSED = say("""
## Training
Training is switched off on this server. The runs that were made here are below; on your own computer the same page
can train: `ddpm-demo app`.
""")
FIRST_MINUTES = 5.0


def build_train_tab(desk: Desk) -> None:
    """Lay out the tab and connect it; where training is switched off, without the controls."""
    prose(TRAIN_LEAD if desk.allowed else REFUSED, elem_classes="ddpm-lead")
    with gr.Row(elem_id="train-stage"):
        if desk.allowed:
            with gr.Column(min_width=280, scale=2):
                form = _form()
                contents({"own-drawings": say("teach it your own drawings")})
        else:
            form = None
        with gr.Column(min_width=560, scale=5):
            view = browser_component(
                "tabs/train", first_train_value(allowed=desk.allowed), elem_id="train-view", server=desk.functions()
            )
    if desk.allowed:
        build_own_drawings(desk)
        prose(TRAIN_LESSON, elem_classes="ddpm-lesson")
        prose(OWN_LESSON, elem_classes="ddpm-lesson")
    if form is None:
        return
    preset, fields, start, measure, words = form
    presses = itertools.count(1)  # of Start while another run goes: the page is not told of a value it has already

    @event
    def fill(name: Any) -> list[Any]:
        return list(
            preset_fields(one_of(name, PRESETS, say("preset must be one of {known}", known=", ".join(PRESETS))))
        )

    @event
    def begin(*values: Any) -> dict[str, Any]:
        desk.must_be_allowed()
        settings = read_run_settings(*values)
        if desk.queue.busy:  # the page asks whether it may wait
            return {**first_train_value(allowed=True), "asked": list(values), "press": next(presses)}
        return {**first_train_value(allowed=True), **desk.start(settings)}

    @event
    def time_it(*values: Any) -> str:
        desk.must_be_allowed()
        if desk.trainer.status.phase not in ("idle", "paused"):
            raise DemoError("a run is training now, so a measurement would be wrong; its own pace is below")
        wanted = read_run_settings(*values)
        return describe_estimate(
            estimate(wanted.model, wanted.schedule, wanted.config, best_placement(), NETWORK.training_turn)
        )

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    inputs = [preset, *fields]
    filled = preset.input(fill, preset, [fields[0], fields[1], fields[3], fields[4], fields[5]], **quiet)
    timing: dict[str, Any] = {"show_progress": "minimal", "concurrency_limit": 1, "concurrency_id": "measure"}
    filled.success(time_it, inputs, words, api_visibility="private", **timing, **AS_SENT)
    measure.click(time_it, inputs, words, api_visibility="private", **timing, **AS_SENT)
    start.click(begin, inputs, view, **quiet, **AS_SENT)


def _form() -> tuple[gr.Radio, list[Component], gr.Button, gr.Button, gr.Markdown]:
    """Lay out the settings; return the preset, the other fields in the order of `read_run_settings`, and the rest."""
    width, dilations, rate, batch, ema = preset_fields(FIRST_PRESET)
    with gr.Row():
        length = gr.Number(
            FIRST_MINUTES,
            step=0.1,
            label=say("Length"),
            info=say("At most {minutes:g} minutes.", minutes=max_minutes()),
            min_width=90,
            scale=2,
        )
        unit = gr.Radio(
            named(UNITS),
            value="minutes",
            label=say("Length in"),
            min_width=210,
            scale=3,
            elem_id="train-unit",
        )
    classes = gr.CheckboxGroup(list(CLASSES), value=list(CLASSES), label=say("Which digits"), elem_id="train-classes")
    with gr.Row(elem_id="train-buttons"):
        start = gr.Button(say("Start training"), variant="primary", elem_id="train-start", min_width=130)
        measure = gr.Button(say("Measure the time"), elem_id="train-measure", min_width=130)
    words = gr.Markdown(elem_id="train-estimate")
    with gr.Accordion(say("Settings"), open=False, elem_id="train-settings", elem_classes="ddpm-settings"):
        prose(say("#### The network"))
        preset = gr.Radio(
            list(PRESETS),
            value=FIRST_PRESET,
            label=say("Preset"),
            info=say("lite for laptops; full is the spec's network, fifteen times as large."),
        )
        with gr.Row():
            width_field = gr.Number(
                width,
                precision=0,
                minimum=8,
                maximum=MAX_WIDTH,
                label=say("Width"),
                info=say("Channels; a multiple of 8."),
            )
            dilations_field = gr.Textbox(
                dilations, label=say("Dilations"), info=say("One number per block, 1 to 12 blocks.")
            )
        prose(say("#### The training"))
        schedule = gr.Radio(
            list(SCHEDULES),
            value="linear",
            label=say("Noise schedule"),
            info=say("See its own tab."),
        )
        with gr.Row():
            rate_field = gr.Number(
                rate,
                step=1e-4,
                label=say("Learning rate"),
                info=say("The highest value; it warms up to that and then falls to zero."),
            )
            batch_field = gr.Number(
                batch,
                precision=0,
                minimum=1,
                maximum=MAX_BATCH,
                label=say("Batch size"),
                info=say("Digits in one step."),
            )
        with gr.Row():
            ema_field = gr.Number(
                ema, step=1e-3, label=say("EMA"), info=say("Decay of the averaged weights; 0 is none.")
            )
            seed = gr.Number(
                0, precision=0, minimum=0, label=say("Training seed"), info=say("Decides weights, noise and order.")
            )
        prose(say("#### The run"))
        name = gr.Textbox(
            label=say("Name of the run"), placeholder=say("leave empty to have one chosen"), max_length=NAME_LENGTH
        )
    hidden: list[Any] = [
        preset, width_field, dilations_field, schedule, rate_field, batch_field, ema_field, seed, name,
    ]  # fmt: skip
    differences = prose(UNCHANGED, elem_id="train-differences")
    gr.on(
        [field.change for field in hidden],
        event(settings_in_words),
        hidden,
        differences,
        show_progress="hidden",
        queue=False,
        trigger_mode="always_last",
        api_visibility="private",
        **AS_SENT,
    )
    fields: list[Component] = [
        width_field, dilations_field, schedule, rate_field, batch_field, ema_field, unit, length, seed, classes, name,
    ]  # fmt: skip
    return preset, fields, start, measure, words


def first_train_value(*, allowed: bool) -> dict[str, Any]:
    """Return what the page needs before any run: the empty charts."""
    rows = baselines(find_checkpoint("full"))
    figure = plots.training_figure([(row.title, row.loss) for row in rows])
    loss = chart_value(figure, label=say("loss, learning rate and images a second over training time"))
    by_tenth = plots.tenths_figure(ScheduleConfig().timesteps, [(row.title, row.by_tenth) for row in rows])
    tenths = chart_value(by_tenth, label=say("loss per tenth of the timesteps"))
    levels = [{"text": row.title, "y": row.loss} for row in rows]
    return {"allowed": allowed, "loss": loss, "tenths": tenths, "levels": levels}


def describe_estimate(measured: Estimate) -> str:
    """Return an estimate in words."""
    epoch = measured.digits / measured.images_per_second
    return say(
        "**{pace:,.0f} images a second** here and now ({measured} steps of {batch}). This run: about **{time}**, "
        "{steps:,.0f} steps, {images:,.0f} images, {epochs:.2g} epochs; one epoch of {digits:,} digits takes {epoch}.",
        pace=measured.images_per_second,
        measured=measured.measured_steps,
        batch=measured.batch,
        time=time_words(measured.seconds),
        steps=measured.steps,
        images=measured.steps * measured.batch,
        epochs=measured.epochs,
        digits=measured.digits,
        epoch=time_words(epoch),
    )
