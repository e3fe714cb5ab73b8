"""What the lab's page knows: computed by Python when the file is written."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from babel.dates import format_date
from markdown_it import MarkdownIt

import ddpm_demo
from ddpm_demo.core.config import ConfigError, ModelConfig
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.networks.ideal_checkpoints import is_ideal
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_named, load_placed
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.app import name_of
from ddpm_demo.ui.film.film_settings import FilmSettings, recommended_guide, recommended_settings
from ddpm_demo.ui.film.form import SEED_CONTRACT
from ddpm_demo.ui.film.form_words import sampler_words
from ddpm_demo.ui.film.generate_tab import GENERATE_LEAD, GENERATE_LESSON
from ddpm_demo.ui.film.race_tab import RACE_WORDS
from ddpm_demo.ui.film.take_home import program
from ddpm_demo.ui.lab.lessons import SolvedLesson, lessons_value
from ddpm_demo.ui.lab.packed_plans import (
    MOST_DIGITS,
    offered_clips,
    offered_race,
    offered_samplers,
    offered_steps,
    packed_plans,
)
from ddpm_demo.ui.parts.bridge import base64_of
from ddpm_demo.ui.parts.digits import class_indices, gallery_digit
from ddpm_demo.ui.parts.schedules import FIRST_CUSTOM, named_configs, schedule_tables
from ddpm_demo.ui.parts.weights import WEIGHTS
from ddpm_demo.ui.tabs.noise import FIRST_DIGIT, NOISE_LEAD, NOISE_LESSON
from ddpm_demo.ui.tabs.receptive import PATTERNS, RECEPTIVE_LEAD, RECEPTIVE_LESSON, describe_receptive_field
from ddpm_demo.ui.tabs.schedule import SCHEDULE_LEAD, SCHEDULE_LESSON, half_life
from ddpm_demo.ui.words.glossary import glossary_value
from ddpm_demo.ui.words.language import ENGLISH, Language, in_language
from ddpm_demo.words.markdown import joined
from ddpm_demo.words.sentence import say

DIGITS_A_CLASS = 5
CANNOT = say(
    "**What this lab leaves out.** It has no server, and cannot train a network, lead a class, show the inside of the "
    "network, measure what a trained one really looks at, compare with the training digits, ask for a digit, finish a "
    "drawing or read a photograph. The app ddpm_demo, from which it was written, does all that on "
    "your own computer: `pip install .` in its folder, then `ddpm-demo app`."
)


def lab_facts(
    checkpoint: str, date: datetime.date, lessons: Sequence[SolvedLesson], language: Language = ENGLISH
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what the page knows (`Facts` in static/lab/facts.js), and its checkpoint files by their digests.

    Its sentences are in one language. Raises CheckpointError or ConfigError if there is no such network,
    or none that a browser can run.
    """
    if is_ideal(checkpoint):
        raise ConfigError(
            "the lab runs a trained network in the browser, and an ideal is none: choose lite, or your own"
        )
    path = find_checkpoint(checkpoint)
    loaded, name = load_placed(path), name_of(path)
    settings, suits = recommended_settings(name), recommended_guide(name)
    guide = load_named(suits.guide) if suits else None
    samplers = offered_samplers()
    files = {_offered(each): each.file for each in (loaded, guide) if each}
    facts = {
        "noise": {"tables": schedule_tables()},
        "first": FIRST_DIGIT,
        "digits": [_digit(label, which) for label, which in _digits_shown(lessons)],
        "lessons": lessons_value(lessons, words_of(date, language), name, language) if lessons else None,
        "network": {
            "checkpoint": name,
            "digest": loaded.digest,
            "alpha_bar": base64_of(loaded.schedule.alpha_bar.numpy()),
            "held_out": loaded.held_out,
            "held_out_digits": loaded.held_out_digits,
        },
        "guide": {"name": suits.guide, "digest": guide.digest} if suits and guide else None,
        "samplers": samplers,
        "steps": offered_steps(loaded.schedule),
        "most_digits": MOST_DIGITS,
        **packed_plans(loaded.schedule, samplers),
        "race": {
            "words": html_of(joined([joined(["##", say("The race")], " "), RACE_WORDS]), language),
            **offered_race(loaded.schedule, samplers),
        },
        "clips": offered_clips(),
        "opening": _opening(settings, loaded.schedule, [row["title"] for row in samplers]),
        "programs": _programs(settings, name),
        "patterns": [_pattern(title, dilations, language) for title, dilations in PATTERNS.items()],
        "tabs": _texts(language),
        "seed_contract": SEED_CONTRACT,
        "files": None,
        "glossary": glossary_value(language),
        "about": html_of(_about(name, loaded, words_of(date, language)), language),
        "cannot": html_of(CANNOT, language),
    }
    return in_language(facts, language), files


def html_of(markdown: str, language: Language) -> str:
    """Return a text of the page, Markdown, as HTML in a language."""
    text: str = MarkdownIt("commonmark").enable("table").render(in_language(markdown, language))
    return text.replace("<table>", '<table tabindex="0">')  # on a phone it is pushed sideways, with keys too


def _offered(loaded: LoadedNetwork) -> str:
    digest = WEIGHTS.offer(loaded)
    if not digest:
        raise ConfigError("the lab runs its network in the browser, which can take grey digits alone")
    return digest


def words_of(date: datetime.date, language: Language) -> str:
    """Return a date as the page writes it."""
    return format_date(date, "long", "en_GB" if language is ENGLISH else language.code.replace("-", "_"))


def _digits_shown(lessons: Iterable[SolvedLesson]) -> list[tuple[int, int]]:
    """Return class and number of the test digits that the lab offers, and of those that lessons begin with."""
    digits = {(label, which) for label in range(10) for which in range(DIGITS_A_CLASS)}
    for each in lessons:
        if name := each.lesson.screen.get("digit"):
            label, which = map(int, name.split("-"))
            digits.add((label, which))
    return sorted(digits)


def _digit(label: int, which: int) -> dict[str, Any]:
    digits, _ = load_mnist(train=False)
    pixels = digits[int(class_indices(label)[which])].numpy()
    return {"label": label, "which": which, "name": gallery_digit(label, which)["name"], "pixels": base64_of(pixels)}


def _opening(settings: FilmSettings, schedule: Schedule, titles: list[str]) -> dict[str, Any]:
    return {
        "sampler": titles.index(sampler_words(settings) or titles[0]),
        "steps": min(settings.steps, len(schedule)),
        "eta": settings.eta,
        "clip": settings.clip,
        "n": min(settings.n, MOST_DIGITS),
        "seed": settings.seed,
        "weight": settings.guide_weight if settings.guide else None,
    }


def _programs(settings: FilmSettings, checkpoint: str) -> dict[str, str]:
    """The program that draws a film's digits, without a guide and with one: @n@ and the like are filled by the page."""
    texts = {}
    for name, guide in (("plain", None), ("guided", settings.guide or "tiny")):
        text = program(replace(settings, guide=guide, seed=0, n=2), checkpoint, guide or "")
        places = {
            "Draws 2 digits with ddpm_demo: the film of seed 0.": "Draws @n@ @digits@ with ddpm_demo: the film of seed "
            "@seed@.",
            f"config = {settings.config}": "config = @config@",
            "manual_seed(0)": "manual_seed(@seed@)",
            "start_noise(2,": "start_noise(@n@,",
            f", guide, {settings.guide_weight:g})": ", guide, @weight@)",
        }
        for words, place in places.items():
            text = text.replace(words, place)
        texts[name] = text
    return texts


def _pattern(title: str, dilations: tuple[int, ...], language: Language) -> dict[str, Any]:
    curve, table = describe_receptive_field(dilations)
    kernels, steps = ModelConfig(dilations=dilations).kernels_and_dilations
    pattern = {"name": title, "dilations": list(dilations), "kernels": list(kernels), "steps": list(steps)}
    return {**pattern, "curve": curve, "table": html_of(table, language)}


def _about(name: str, loaded: LoadedNetwork, date: str) -> str:
    return say(
        "Written on {date} by ddpm_demo {version}. The network is {name} (SHA-256 "
        "{digest}…); schedules, samplers' numbers and figures on test digits were computed then, by "
        "Python. Everything else is computed here, by your browser; nothing leaves this page, and nothing is loaded "
        "from elsewhere. A denoising diffusion model (Ho et al. 2020) on MNIST (LeCun, Cortes & Burges, CC BY-SA 3.0).",
        **{"date": date, "version": ddpm_demo.__version__, "name": name, "digest": loaded.digest[:16]},
    )


def _texts(language: Language) -> dict[str, dict[str, str]]:
    halves = [half_life(name, Schedule.from_config(config)) for name, config in named_configs(FIRST_CUSTOM).items()]
    texts = {
        "noise": (say("Noise"), NOISE_LEAD, NOISE_LESSON),
        "schedule": (
            say("Schedule"),
            SCHEDULE_LEAD,
            joined([SCHEDULE_LESSON, "", *(joined(["-", each], " ") for each in halves)], "\n"),
        ),
        "receptive-field": (say("Receptive field"), RECEPTIVE_LEAD, RECEPTIVE_LESSON),
        "generate": (say("Generate"), GENERATE_LEAD, GENERATE_LESSON),
    }
    return {
        name: {"title": title, "lead": html_of(lead, language), "lesson": html_of(lesson, language)}
        for name, (title, lead, lesson) in texts.items()
    }
