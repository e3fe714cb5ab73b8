"""The Schedule tab: how fast the picture goes, by two schedules."""

import math

import gradio as gr

from ddpm_demo.config import ScheduleConfig
from ddpm_demo.plots import schedule_figure
from ddpm_demo.schedule import Schedule
from ddpm_demo.ui.components import chart

LESSON = """
### The schedule: how much noise, and when
**β** is the little noise that each single step adds, **ᾱ** is what all steps so far have left of the picture's
variance, and the **SNR** ᾱ / (1 − ᾱ) says by how many decibels the picture is stronger than the noise. The *linear*
schedule is that of Ho et al. 2020: β from 0.0001 to 0.02. The *cosine* one is Nichol & Dhariwal 2021, who saw
that linear destroys the picture too early, so that its last quarter is nearly wasted: compare ᾱ at t = 750.
"""


def build_schedule_tab() -> None:
    """Lay out the tab; it needs no event, the page moves the cursor by itself."""
    gr.Markdown(LESSON)
    schedules = {
        "linear": Schedule.from_config(ScheduleConfig(kind="linear")),
        "cosine": Schedule.from_config(ScheduleConfig(kind="cosine")),
    }
    tables = {
        name: {"alpha_bar": s.alpha_bar.tolist(), "beta": s.beta.tolist(), "snr": s.snr.tolist()}
        for name, s in schedules.items()
    }
    gr.Markdown(" ".join(half_life(name, schedule) for name, schedule in schedules.items()), elem_id="schedule-halves")
    chart(
        schedule_figure(tables),
        label="alpha_bar, beta and SNR against t, for the linear and the cosine schedule",
        elem_id="schedule-chart",
        cursor=[sentence(t, schedules) for t in range(len(schedules["linear"]))],
    )
    gr.Markdown(spec_note(schedules["linear"]))


def half_life(name: str, schedule: Schedule) -> str:
    """Say where a schedule's alpha_bar first lies below one half, and what is left at the end."""
    t = int((schedule.alpha_bar < 0.5).nonzero()[0])
    end = float(schedule.alpha_bar[-1])
    return (
        f"**{name}**: ᾱ falls below one half between t = {t - 1} and {t}; "
        f"at the end {100 * end:.2g} % of the variance is signal."
    )


def sentence(t: int, schedules: dict[str, Schedule]) -> str:
    """Say every schedule's numbers at one t."""
    parts = []
    for name, s in schedules.items():
        snr = 10 * math.log10(float(s.snr[t]))
        parts.append(f"{name}: ᾱ = {float(s.alpha_bar[t]):.4g}, β = {float(s.beta[t]):.4g}, SNR {snr:.1f} dB")
    return "; ".join(parts)


def spec_note(linear: Schedule) -> str:
    """Put the true figures beside the ones that the project's specification states."""
    a = linear.alpha_bar
    return (
        "*Claims and figures.* The specification of this app says that ᾱ is 0.9997 at t = 1, 0.1 to 0.2 at t = 500 and "
        f"0.0001 at t = 999. By its own formula it is **{float(a[1]):.5f}**, **{float(a[500]):.4f}** and "
        f"**{float(a[999]):.3g}**: less is left in the middle and at the end than it says."
    )
