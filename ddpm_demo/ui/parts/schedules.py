"""The schedules that the page shows, and their tables as the browser computes with them."""

from typing import Any

from ddpm_demo.core.schedule import SCHEDULES, Schedule, ScheduleConfig
from ddpm_demo.store.pictures import CLASS_COLOURS
from ddpm_demo.ui.parts.bridge import base64_of
from ddpm_demo.ui.parts.readers import whole
from ddpm_demo.words.sentence import say

FIRST_CUSTOM = ScheduleConfig(beta_T=0.01)
MAX_TIMESTEPS = 4000


def custom_config(beta_1: Any, beta_T: Any, timesteps: Any) -> ScheduleConfig:
    """Return the custom schedule; raise ConfigError when it is not a diffusion or too long for a page."""
    return ScheduleConfig(beta_1=beta_1, beta_T=beta_T, timesteps=whole("T", timesteps, 10, MAX_TIMESTEPS))


def named_configs(custom: ScheduleConfig) -> dict[str, ScheduleConfig]:
    """Return the schedules of the page by name: every kind there is, and the student's own."""
    return {**{kind: ScheduleConfig(kind=kind) for kind in SCHEDULES}, "custom": custom}


def curve_style(name: str) -> tuple[str, str]:
    """Return the colour and the dash of a schedule's curves, by its name on the page."""
    return (SCHEDULES[name].colour, SCHEDULES[name].dash) if name in SCHEDULES else (CLASS_COLOURS[-1], "dot")


def schedule_tables(custom: ScheduleConfig = FIRST_CUSTOM) -> dict[str, dict[str, str]]:
    """Return what the page computes with: alpha_bar and beta of every schedule, float64 in base64."""
    tables = {}
    for name, config in named_configs(custom).items():
        schedule = Schedule.from_config(config)
        tables[name] = {"alpha_bar": base64_of(schedule.alpha_bar.numpy()), "beta": base64_of(schedule.beta.numpy())}
        tables[name]["colour"], tables[name]["dash"] = curve_style(name)
    numbers = (custom.beta_1, custom.beta_T, custom.timesteps)
    tables["custom"]["text"] = say(
        "custom: β {first:g} to {last:g}, T = {T}", first=custom.beta_1, last=custom.beta_T, T=custom.timesteps
    )
    tables["custom"]["link"] = ",".join(str(value) for value in numbers)
    return tables
