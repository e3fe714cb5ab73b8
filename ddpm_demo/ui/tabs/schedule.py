"""The Schedule tab: how fast the picture disappears, under three schedules."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.ui.parts.bridge import AS_SENT, browser_component, chart_value, event, server_function
from ddpm_demo.ui.parts.figures import per_cent
from ddpm_demo.ui.parts.plots import schedule_figure
from ddpm_demo.ui.parts.schedules import (
    FIRST_CUSTOM,
    MAX_TIMESTEPS,
    curve_style,
    custom_config,
    named_configs,
    schedule_tables,
)

SCHEDULE_LEAD = "Drag *t*: three schedules, three speeds at which the same digit disappears."
SCHEDULE_LESSON = """
## The schedule: how much noise, and when
**β** is the little noise that each single step adds, **ᾱ** is how much all steps so far have left of the picture's
variance, and the **SNR** ᾱ / (1 − ᾱ) says how much stronger the picture is than the noise. The *linear* schedule is
that of Ho et al. 2020: β from 0.0001 to 0.02. The *cosine* one is Nichol & Dhariwal 2021.
"""
SCHEDULE_OWN = "The third is yours."


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
    gr.Markdown(SCHEDULE_LEAD, elem_classes="ddpm-lead")
    _, text = describe_schedule(FIRST_CUSTOM)
    # the Noise tab has brought the tables to the page: none here until they change
    view = browser_component("tabs/schedule", None, elem_id="schedule-chart", server=[schedule_chart])
    with gr.Row():
        beta_1 = gr.Number(
            FIRST_CUSTOM.beta_1, step=1e-4, label="β₁ of your own schedule", info="Noise of the first step."
        )
        beta_T = gr.Number(
            FIRST_CUSTOM.beta_T, step=1e-3, label="β_T", info="Noise of the last step; between them, a straight line."
        )
        timesteps = gr.Number(
            FIRST_CUSTOM.timesteps, precision=0, label="T", info=f"How many steps, from 10 to {MAX_TIMESTEPS}."
        )
    gr.Markdown(SCHEDULE_LESSON + SCHEDULE_OWN, elem_classes="ddpm-lesson")
    words = gr.Markdown(text, elem_id="schedule-words", elem_classes="ddpm-lesson")
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
    text = "\n".join(f"- {half_life(name, schedule)}" for name, schedule in schedules.items())
    text += f"\n\n{wasted_quarter(schedules['linear'], schedules['cosine'])}\n\n{spec_note(schedules['linear'])}"
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
    label = f"alpha_bar, its square roots, beta and SNR against t, for these schedules: {', '.join(tables)}"
    return chart_value(figure, label=label)


def half_life(name: str, schedule: Schedule) -> str:
    """Say where a schedule's alpha_bar first lies below one half, and what is left at the end."""
    below = (schedule.alpha_bar < 0.5).nonzero()
    end = f"at t = {len(schedule) - 1} {per_cent(float(schedule.alpha_bar[-1]))} of the variance is still signal"
    if not len(below):
        return f"**{name}**: ᾱ never falls below one half; {end}, so the end is not yet pure noise to start from."
    t = int(below[0])
    return f"**{name}**: ᾱ falls below one half between t = {t - 1} and {t}; {end}."


def wasted_quarter(linear: Schedule, cosine: Schedule) -> str:
    """Say what is left for linear's last quarter of steps to do."""
    t = len(linear) * 3 // 4
    left, by_cosine = (per_cent(float(s.alpha_bar[t])) for s in (linear, cosine))
    return (
        f"**Linear's wasted last quarter** (shaded): at t = {t} linear has {left} of the "
        f"signal left, cosine {by_cosine}, so a quarter of linear's steps work on what is "
        "already noise. Nichol & Dhariwal 2021 (section 3.2) could skip up to 20 % of linear's reverse steps with "
        "little cost in quality, and proposed cosine."
    )


def spec_note(linear: Schedule) -> str:
    """Give the true figures beside those that the project's specification states."""
    a = linear.alpha_bar
    return (
        "*Claims and figures.* The specification of this app says that ᾱ is 0.9997 at t = 1, 0.1 to 0.2 at t = 500 and "
        f"0.0001 at t = 999. By its own formula it is **{float(a[1]):.5f}**, **{float(a[500]):.4f}** and "
        f"**{float(a[999]):.3g}**: less is left in the middle and at the end than it says."
    )
