"""A film's settings as one value of the page's address, to be passed on.

    ?film=2.checkpoint-lite.sampler-ddpm.variance-posterior.clip-x0.steps-50.n-16.seed-7.guide-tiny.guideweight-2.5.end

It holds letters, digits, hyphens and dots alone, so that no program encodes it or takes its end for punctuation;
in a name any other character is `_` and two hexadecimal digits for each of its bytes (UTF-8). `end` tells a whole link
from one that was cut off. Links of the first version, `0~0~50~1~16~7~lite`, have their values by position; they are
still read.
"""

import re
from collections.abc import Collection
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from ddpm_demo.core.config import ConfigError
from ddpm_demo.ui.film.film_settings import SETTINGS, FilmSettings, read_film_settings, read_setting
from ddpm_demo.ui.parts.query import read_repaired
from ddpm_demo.words.markdown import joined
from ddpm_demo.words.sentence import Sentence, say, sentence_in

LINK_NAME = "film"
VERSION = "2"
# What a link leaves out. Not what is recommended, which may change: the spec's sampler, no guide, no digit, always.
OMITTED = {
    "variance": "beta",
    "final_noise": "spec",
    "clip": "none",
    "eta": 0.0,
    "guide": None,
    "digit": None,
    "first": None,
    "last": 0,
    "limit_guide": True,
}
IDLE = {"guide_weight": "guide", "digit_weight": "digit"}  # weights that take no part without the other
TEXT_SETTINGS = ("checkpoint", "sampler", "variance", "final_noise", "clip", "guide")  # the rest are numbers
KEYS = {name.replace("_", ""): name for name in SETTINGS}  # a few programs put a backslash before _
END = re.compile(r"\.end(?![A-Za-z0-9])")
YES_NO = {"yes": True, "no": False}
QUOTED_SIGNS = 60  # characters of a link at most that a refusal repeats

# The first version: sampler~clip~steps~eta~n~seed~checkpoint[~guide~weight[~digit~weight~first~last[~guide too]]]
FIRST_SAMPLERS = (("ddpm", "beta"), ("ddpm", "posterior"), ("ddim", "beta"), ("dpmpp", "beta"))
FIRST_CLIPS = ("none", "x0", "x_t")
FIRST_NO_GUIDE = ("— none —", "- none -")


def link_text(settings: FilmSettings) -> str:
    """Return the settings as one value of a query string: what `read_film_link` reads."""
    values = asdict(settings)
    names = [name for name in SETTINGS if OMITTED.get(name, ...) != values[name]]
    names = [name for name in names if name not in IDLE or values[IDLE[name]] is not None]
    fields = (f"{name.replace('_', '')}-{_written(values[name])}" for name in names)
    return ".".join([VERSION, *fields, "end"])


def read_film_link(text: str, checkpoints: Collection[str] | None = None) -> FilmSettings:
    """Return the settings of a link, repaired where it is clear what it said; raise ConfigError if it makes no sense.

    The refusal says which parts were not understood. With `checkpoints` the link's must be among them.
    """

    def read(candidate: str) -> FilmSettings:
        version = re.match(r"(\d+)\s*\.\s*[a-z]", candidate)
        if version and version[1] == VERSION:
            return _read_named(candidate, checkpoints)
        if version:
            raise ConfigError(
                "it is version {theirs}, but this program reads links up to version {ours}",
                theirs=version[1],
                ours=VERSION,
            )
        return _read_first_version(candidate, checkpoints)

    return read_repaired(text, read)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return re.sub(r"[^A-Za-z0-9-]", lambda sign: _escaped(sign[0]), value)
    return re.sub(r"\.0$", "", f"{Decimal(repr(value)):f}")


def _escaped(sign: str) -> str:
    return "".join(f"_{byte:02x}" for byte in sign.encode("utf-8", "surrogateescape"))


def _value(name: str, text: str) -> Any:
    """Return a setting's value from its text in a link, of any kind that JSON has."""
    if name in TEXT_SETTINGS:
        unescaped = re.sub(
            rb"_([0-9a-f]{2})", lambda code: bytes.fromhex(code[1].decode()), text.encode("utf-8", "replace")
        )
        return unescaped.decode("utf-8", "surrogateescape")
    if text in YES_NO:
        return YES_NO[text]
    if not re.fullmatch(r"\d{1,12}(\.\d{1,400})?", text):
        raise ConfigError("{name} must be a number", name=name)
    return float(text) if "." in text else int(text)


def _read_named(text: str, checkpoints: Collection[str] | None) -> FilmSettings:
    unbroken = "".join(text.split())  # mail breaks long lines
    end = END.search(text) or END.search(unbroken)
    if end is None:
        raise ConfigError("its end is missing, after {text}: it was cut off", text=quoted(text[-12:]))
    values: dict[str, Any] = {}
    problems = list[str]()
    for part in re.split(r"\.(?=[a-z]+-)", "".join(end.string[: end.start()].split()))[1:]:
        key, _, value = part.partition("-")
        name = KEYS.get(key)
        try:
            if name is None:
                raise ConfigError("there is no such setting")
            if name in values:
                raise ConfigError("it appears twice")
            values[name] = read_setting(name, _value(name, value))
        except ConfigError as error:
            problems.append(Sentence("{part}: {why}", {"part": quoted(part), "why": sentence_in(error)}))
    missing = [name for name in ("checkpoint", "sampler", "steps", "n", "seed") if name not in values]
    if missing and not problems:
        problems.append(say("it does not say {names}", names=joined(missing, ", ")))
    if problems:
        raise ConfigError(joined(problems, "; "))
    return _offered(read_film_settings({**OMITTED, **values}), checkpoints)


def _read_first_version(text: str, checkpoints: Collection[str] | None) -> FilmSettings:
    if not text:
        raise ConfigError("it is empty")
    parts = text.split("~", 6)
    if len(parts) < 7:
        raise ConfigError("{text} was not understood", text=quoted(text))
    sampler, clip, steps, eta, n, seed, names = parts
    checkpoint, more = _first_name(names, checkpoints)
    guide, more = _first_name(more, [*FIRST_NO_GUIDE, *checkpoints] if checkpoints is not None else None)
    # a link ends where nothing more differs: before the guide, the digit, or whether the guide keeps to its interval
    rest = [] if more is None else more.split("~")
    if len(rest) not in ((0,) if guide is None else (1, 5, 6)):
        raise ConfigError("{text} has more or fewer parts than a link can have", text=quoted(text))
    values: dict[str, Any] = {"checkpoint": checkpoint, "limit_guide": rest[5:] == ["1"]}
    if guide not in (None, *FIRST_NO_GUIDE):
        values |= {"guide": guide, "guide_weight": _number(say("the guidance weight"), rest[0])}
    if rest[5:] not in ([], ["0"], ["1"]):
        raise ConfigError("{text} was not understood", text=quoted(rest[5]))
    values |= {
        "sampler": _listed(say("samplers"), sampler, FIRST_SAMPLERS)[0],
        "variance": _listed(say("samplers"), sampler, FIRST_SAMPLERS)[1],
        "clip": _listed(say("ways of clipping"), clip, FIRST_CLIPS),
        "steps": _number(say("steps"), steps),
        "eta": _number("η", eta),
        "n": _number(say("the number of digits"), n),
        "seed": _number(say("the seed"), seed),
    }
    if rest[1:]:
        digit, weight, first, last = rest[1:5]
        weight_of_digit = _number(say("the digit weight"), weight)
        values |= {"digit": int(_number(say("the digit"), digit)), "digit_weight": weight_of_digit} if digit else {}
        values |= {"first": _number(say("the first timestep"), first) if first else None}
        values |= {"last": _number(say("the last timestep"), last)}
    return _offered(read_film_settings({**OMITTED, **values}), checkpoints)


def _first_name(text: str | None, known: Collection[str] | None) -> tuple[str | None, str | None]:
    """Return the name that a text begins with, and what follows its ~ (None: nothing); a name may hold one itself."""
    if text is None:
        return None, None
    for name in sorted(known or (), key=len, reverse=True):
        if text == name or text.startswith(f"{name}~"):
            return name, text[len(name) + 1 :] if text != name else None
    name, tilde, rest = text.partition("~")
    return name, rest if tilde else None


def _listed(names: str, text: str, known: tuple[Any, ...]) -> Any:
    number = _number(say("the number of the {names}", names=names), text)
    if number not in range(len(known)):
        raise ConfigError("there are no {names} of number {text}", names=names, text=quoted(text))
    return known[int(number)]


def _number(name: str, text: str) -> float | int:
    if not re.fullmatch(r"\d{1,12}|\d{0,12}\.\d{1,40}|\d(\.\d{1,20})?e[+-]?\d{1,3}", text):
        raise ConfigError("{name} cannot be {text}", name=name, text=quoted(text))
    return int(text) if text.isdigit() else float(text)


def _offered(settings: FilmSettings, checkpoints: Collection[str] | None) -> FilmSettings:
    if checkpoints is not None:
        for name in (settings.checkpoint, settings.guide):
            if name is not None and name not in checkpoints:
                raise ConfigError("there is no checkpoint {name} here", name=quoted(name))
    return settings


def quoted(text: str) -> str:
    """Return a piece of a link as the note may show it, which reads Markdown: as code, and not too long."""
    shown = text.replace("`", "'").encode("utf-8", "replace").decode()
    return f"`{shown if len(shown) <= QUOTED_SIGNS else shown[:QUOTED_SIGNS] + '…'}`" if shown else say("nothing")
