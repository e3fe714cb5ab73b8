"""The Schedule tab: how fast the picture disappears, under three schedules."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.ui.parts.bridge import AS_SENT, browser_component, chart_value, event, server_function
from ddpm_demo.ui.parts.plots import schedule_figure
from ddpm_demo.ui.parts.schedules import (
    FIRST_CUSTOM,
    MAX_TIMESTEPS,
    curve_style,
    custom_config,
    named_configs,
    schedule_tables,
)
from ddpm_demo.ui.words.page import prose
from ddpm_demo.words.sentence import say

SCHEDULE_LEAD = say("Drag *t*: three schedules, three speeds at which the same digit disappears.")
SCHEDULE_LESSON = say("""
## The schedule: how much noise, and when
**β** is the little noise that each single step adds, **ᾱ** is how much all steps so far have left of the picture's
variance, and the **SNR** ᾱ / (1 − ᾱ) says how much stronger the picture is than the noise. The *linear* schedule is
that of Ho et al. 2020: β from 0.0001 to 0.02. The *cosine* one is Nichol & Dhariwal 2021.
""")
SCHEDULE_OWN = say("The third is yours.")


@dataclass(frozen=True)
class ScheduleTab:
    """The components that a link in the address sets."""

    beta_1: gr.Number
    beta_T: gr.Number
    timesteps: gr.Number
    view: gr.HTML
    words: gr.Markdown


def build_schedule_tab() -> ScheduleTab:
    """Lay out the tab and connect it; the page moves the cursor and paints the digits by itself."""
    prose(SCHEDULE_LEAD, elem_classes="ddpm-lead")
    _, text = describe_schedule(FIRST_CUSTOM)
    # the Noise tab has brought the tables to the page: none here until they change
    view = browser_component("tabs/schedule", None, elem_id="schedule-chart", server=[schedule_chart])
    with gr.Row():
        beta_1 = gr.Number(
            FIRST_CUSTOM.beta_1, step=1e-4, label=say("β₁ of your own schedule"), info=say("Noise of the first step.")
        )
        beta_T = gr.Number(
            FIRST_CUSTOM.beta_T,
            step=1e-3,
            label=say("β_T"),
            info=say("Noise of the last step; between them, a straight line."),
        )
        timesteps = gr.Number(
            FIRST_CUSTOM.timesteps,
            precision=0,
            label=say("T"),
            info=say("How many steps, from 10 to {most}.", most=MAX_TIMESTEPS),
        )
    prose(say("{lesson}{own}", lesson=SCHEDULE_LESSON, own=SCHEDULE_OWN), elem_classes="ddpm-lesson")
    words = prose(text, elem_id="schedule-words", elem_classes="ddpm-lesson")
    custom = [beta_1, beta_T, timesteps]
    gr.on(
        [field.submit for field in custom] + [field.blur for field in custom],
        show_custom,
        custom,
        [view, words],
        show_progress="hidden",
        trigger_mode="always_last",
        api_visibility="private",
        **AS_SENT,
    )
    return ScheduleTab(beta_1, beta_T, timesteps, view, words)


@event
def show_custom(beta_1: Any, beta_T: Any, timesteps: Any) -> tuple[dict[str, Any], str]:
    """Answer a change of the custom schedule."""
    return describe_schedule(custom_config(beta_1, beta_T, timesteps))


def describe_schedule(custom: ScheduleConfig) -> tuple[dict[str, Any], str]:
    """Return the value of the view and the text below it, for one custom schedule beside the two known ones."""
    schedules = {name: Schedule.from_config(config) for name, config in named_configs(custom).items()}
    lives = [half_life(name, schedule) for name, schedule in schedules.items()]
    text = say(
        "- {linear}\n- {cosine}\n- {custom}\n\n{wasted}\n\n{claim}",
        **dict(zip(schedules, lives, strict=True)),
        wasted=wasted_quarter(schedules["linear"], schedules["cosine"]),
        claim=spec_note(schedules["linear"]),
    )
    return {"tables": schedule_tables(custom)}, text


@server_function
def schedule_chart(question: Any) -> dict[str, Any]:
    """Answer the page: the chart of everything a schedule is; asked with beta_1, beta_T and T of the custom one."""
    if not isinstance(question, list) or len(question) != 3:
        raise ConfigError("a custom schedule needs beta_1, beta_T and T")
    configs = named_configs(custom_config(*question))
    schedules = {name: Schedule.from_config(config) for name, config in configs.items()}
    tables = {name: (s.alpha_bar.numpy(), s.beta.numpy()) for name, s in schedules.items()}
    figure = schedule_figure(tables, {name: curve_style(name) for name in tables})
    label = say("alpha_bar, its square roots, beta and SNR against t, for these schedules: {names}", names=list(tables))
    return chart_value(figure, label=label)


def half_life(name: str, schedule: Schedule) -> str:
    """Say where a schedule's alpha_bar first lies below one half, and what is left at the end."""
    below = (schedule.alpha_bar < 0.5).nonzero()
    last, left = len(schedule) - 1, float(schedule.alpha_bar[-1])
    if not len(below):
        return say(
            "**{name}**: ᾱ never falls below one half; at t = {last} {left:share} of the variance is still signal, so "
            "the end is not yet pure noise to start from.",
            name=name,
            last=last,
            left=left,
        )
    t = int(below[0])
    return say(
        "**{name}**: ᾱ falls below one half between t = {before} and {t}; at t = {last} {left:share} of the variance "
        "is still signal.",
        name=name,
        before=t - 1,
        t=t,
        last=last,
        left=left,
    )


def wasted_quarter(linear: Schedule, cosine: Schedule) -> str:
    """Say what is left for linear's last quarter of steps to do."""
    t = len(linear) * 3 // 4
    left, by_cosine = (float(s.alpha_bar[t]) for s in (linear, cosine))
    return say(
        "**Linear's wasted last quarter** (shaded): at t = {t} linear has {left:share} of the signal left, cosine "
        "{by_cosine:share}, so a quarter of linear's steps work on what is already noise. Nichol & Dhariwal 2021 "
        "(section 3.2) could skip up to 20 % of linear's reverse steps with little cost in quality, and proposed "
        "cosine.",
        t=t,
        left=left,
        by_cosine=by_cosine,
    )


def spec_note(linear: Schedule) -> str:
    """Give the true figures beside those that the project's specification states."""
    a = linear.alpha_bar
    return say(
        "*Claims and figures.* The specification of this app says that ᾱ is 0.9997 at t = 1, 0.1 to 0.2 at t = 500 "
        "and 0.0001 at t = 999. By its own formula it is **{early:.5f}**, **{middle:.4f}** and **{late:.3g}**: less "
        "is left in the middle and at the end than it says.",
        early=float(a[1]),
        middle=float(a[500]),
        late=float(a[999]),
    )
