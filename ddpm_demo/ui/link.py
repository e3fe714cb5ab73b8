"""The state of the screen in the page's address: what a query string asks for, checked."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.ui.parts.digits import gallery_digit, noise_of, own_digit, pixels_from_link
from ddpm_demo.ui.parts.query import query_values, read_repaired
from ddpm_demo.ui.parts.readers import parse_dilations, whole
from ddpm_demo.ui.parts.schedules import FIRST_CUSTOM, MAX_TIMESTEPS, custom_config, named_configs
from ddpm_demo.words.markdown import joined
from ddpm_demo.words.sentence import Sentence, say, sentence_in

NAMES = ("digit", "pixels", "seed", "t", "schedule", "custom", "pixel", "stage", "dilations")

NOTED_SIGNS = 40  # characters of a value at most that a note repeats


@dataclass
class Link:
    """What a link sets; None where it says nothing. `note` names what was ignored."""

    label: str | None = None
    which: int | None = None
    seed: int | None = None
    custom: ScheduleConfig = FIRST_CUSTOM
    dilations: tuple[int, ...] | None = None
    view: dict[str, Any] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)

    @property
    def note(self) -> str:
        """What was ignored and what is shown instead, or nothing."""
        if not self.ignored:
            return ""
        return say(
            "This link asked for something that does not exist and was ignored: {ignored}. Instead you see what the "
            "page opens with.",
            ignored=joined(self.ignored, "; "),
        )


def shortened(text: str) -> str:
    """Return a value of a link as its note repeats it."""
    return text if len(text) <= NOTED_SIGNS else f"{text[:NOTED_SIGNS]}…"


def read_link(query: Mapping[str, str]) -> Link | None:
    """Return what a query string sets, or None if it has none of our names.

    What was mangled on its way is repaired where it is clear what it said; nonsense is noted and left out.
    """
    values = query_values(query, NAMES)
    if not values:
        return None
    link = Link()

    def attempt(name: str, read: Callable[[str], None]) -> None:
        if name in values:
            try:
                read_repaired(values[name], read)
            except (ConfigError, ValueError) as error:
                why = sentence_in(error) if isinstance(error, ConfigError) else say("not understood")
                told = {"name": name, "value": shortened(values[name]), "why": why}
                link.ignored.append(Sentence("{name}={value} ({why})", told))

    def read_digit(text: str) -> None:
        label, which = (int(part) for part in text.split("-"))
        link.view["digit"] = gallery_digit(whole(say("the class"), label, 0, 9), which)
        link.label, link.which = str(label), which

    def read_pixels(text: str) -> None:
        link.view["digit"] = own_digit(pixels_from_link(text))

    def read_seed(text: str) -> None:
        link.view["noise"] = noise_of(int(text))
        link.seed = int(text)

    def read_custom(text: str) -> None:
        beta_1, beta_T, timesteps = text.split(",")
        link.custom = custom_config(float(beta_1), float(beta_T), int(timesteps))

    def read_schedule(text: str) -> None:
        if text not in named_configs(link.custom):
            raise ConfigError("schedule must be one of {names}", names=joined(named_configs(link.custom), ", "))
        link.view["schedule"] = text

    def read_t(text: str) -> None:
        last = named_configs(link.custom)[link.view.get("schedule", "linear")].timesteps - 1
        link.view["t"] = whole("t", int(text), 0, min(last, MAX_TIMESTEPS))

    def read_pixel(text: str) -> None:
        row, col = (whole(say("the pixel"), int(part), 0, 27) for part in text.split("-"))
        link.view["pixel"] = {"row": row, "col": col}

    def read_stage(text: str) -> None:
        if not re.fullmatch(r"time|in_project|out_project|blocks\.\d{1,2}", text):
            raise ConfigError("there is no such stage")
        link.view["stage"] = text

    def read_dilations(text: str) -> None:
        link.dilations = parse_dilations(text.replace("-", " "))
        link.view["dilations"] = list(link.dilations)

    attempt("pixel", read_pixel)
    attempt("stage", read_stage)
    attempt("dilations", read_dilations)
    attempt("digit", read_digit)
    attempt("pixels", read_pixels)
    attempt("seed", read_seed)
    attempt("custom", read_custom)
    attempt("schedule", read_schedule)
    attempt("t", read_t)
    return link
