"""The race below the film: its words, its buttons, and what they begin."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from ddpm_demo.core.config import ConfigError
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.store.files import GUIDE
from ddpm_demo.ui.film.experiments import EXPERIMENTS, LANES, Lane
from ddpm_demo.ui.film.form_words import NO_GUIDE
from ddpm_demo.ui.film.race import MAX_LANES, MAX_RACERS, race, race_plan
from ddpm_demo.ui.parts.bridge import AS_SENT, browser_component, event
from ddpm_demo.ui.parts.choice import named
from ddpm_demo.ui.parts.readers import MAX_SEED, one_of, some_of, whole
from ddpm_demo.ui.parts.shared_runs import RUNS, SharedRun, origin
from ddpm_demo.ui.words.page import prose
from ddpm_demo.words.sentence import say

RACE_WORDS = say("""
The same x_T and the same seed, with up to four rules side by side under one slider; beside each, the number of
network calls and the time they took here, what its steps do to contrast whatever the network (given exact answers for
pixels of standard deviation 1, and nothing clipped; ×1.00 is right), and the mean grey of its digits, from 0 to 255.
""")
RACE_LESSON = say(
    """
## The race, and small experiments{race}Each experiment below is one click, with the checkpoint and the seed of
the film; only the one about guidance uses a guide.
""",
    race=RACE_WORDS,
)
ELEMENTS = {  # what a lesson leads to
    "1000, 50 and 10 steps": "experiment-steps",
    "The same x_T, other noise on the way": "experiment-same-x_T",
    "When is it decided which digit it will be?": "experiment-asked-in-parts",
    "Beside a perfect network": "experiment-ideal",
}


def worse_than(name: str, guide: Any, checkpoints: Mapping[str, Path]) -> Path:
    """Return the checkpoint of the chosen guide, or else the shipped one; raise ConfigError if it is not one."""
    if guide in (NO_GUIDE, name):
        guide = GUIDE
    refusal = say("choose a guide above that is not the network itself")
    if guide == name:
        raise ConfigError(refusal)
    return checkpoints[one_of(guide, checkpoints, refusal)]


def build_race(checkpoints: dict[str, Path], which: Component, seed: Component, guide: Component) -> None:
    """Lay out the race below the film and connect it; checkpoint, seed and guide are the film's."""

    def run(
        name: str, lanes: Sequence[Lane], count: Any, seed: Any, guide: Any, interpolate: bool, ten: bool = False
    ) -> SharedRun:
        name = one_of(name, checkpoints, say("choose one of the listed checkpoints"))
        loaded = load_placed(checkpoints[name])
        other = None
        if any(lane.weight != 1 for lane in lanes):
            other = load_placed(worse_than(name, guide, checkpoints))
        n, seed = whole(say("the number of digits"), count, 1, MAX_RACERS), whole(say("the seed"), seed, 0, MAX_SEED)
        key = (loaded.digest, other and other.digest, *lanes, n, seed, interpolate, ten)
        settings: dict[str, Any] = {"seed": seed, "interpolate": interpolate, "ten": ten, "guide": other}
        return RUNS.ask(
            key,
            lambda: race(loaded, lanes, count=n, **settings),
            lambda: race_plan(loaded, lanes, n=n, **settings),
        )

    def show(words: str, run: SharedRun) -> tuple[str, dict[str, Any]]:
        press = secrets.token_hex(8)  # a visitor's second look at a run begins it again on the page
        return words, {"run": run.name, "press": press, "origin": origin(run)}

    def run_experiment(title: str) -> Any:
        experiment = EXPERIMENTS[title]
        words = say(
            "### {title}\n**What to look for.** {look}\n\n**Source:** {source}.",
            title=title,
            look=experiment.look,
            source=experiment.source,
        )

        @event
        def answer(name: str, count: Any, seed: Any, guide: Any) -> tuple[str, dict[str, Any]]:
            count = MAX_RACERS if experiment.interpolate else count
            return show(words, run(name, experiment.lanes, count, seed, guide, experiment.interpolate, experiment.ten))

        return answer

    @event
    def run_chosen(name: str, chosen: Any, count: Any, seed: Any) -> tuple[str, dict[str, Any]]:
        refusal = say("choose two to {most} of the listed settings for a race", most=MAX_LANES)
        names = some_of(chosen, LANES, refusal)
        if not 2 <= len(names) <= MAX_LANES:
            raise ConfigError(refusal)
        run_of_these = run(name, [LANES[lane] for lane in names], count, seed, NO_GUIDE, False)
        return show(say("### A race of your own"), run_of_these)

    prose(RACE_LESSON, elem_id="race", elem_classes="ddpm-lesson")
    with gr.Row():
        buttons = {title: gr.Button(title, min_width=340, elem_id=ELEMENTS.get(title)) for title in EXPERIMENTS}
    with gr.Row():
        chosen = gr.CheckboxGroup(
            named(LANES),
            value=["DDIM, 10 steps", "DPM-Solver++(2M), 10 steps"],
            label=say("A race of your own"),
            info=say("Two to four settings; all clip x̂₀."),
        )
        with gr.Column(min_width=260):
            count = gr.Slider(
                1,
                MAX_RACERS,
                value=4,
                step=1,
                label=say("Number in each lane"),
                info=say("How many digits; the same x_T in every lane."),
            )
            with gr.Row():
                go = gr.Button(say("Race"), variant="primary", min_width=100, elem_id="race-start")
                stop = gr.Button(say("Stop the race"), variant="stop", min_width=100, elem_id="race-stop")
    words = gr.Markdown(elem_id="race-words")
    film = browser_component("film/race", None, elem_id="race-film")
    options: dict[str, Any] = {
        "show_progress": "hidden",
        "concurrency_limit": 16,
        "concurrency_id": "network",
        "api_visibility": "private",
        **AS_SENT,
    }
    runs: list[Any] = [
        button.click(run_experiment(title), [which, count, seed, guide], [words, film], **options)
        for title, button in buttons.items()
    ]
    runs.append(go.click(run_chosen, [which, chosen, count, seed], [words, film], **options))
    stopped = "() => ({ stop: Date.now() })"  # the page reads the run, and stops reading it
    stop.click(
        None, None, film, js=stopped, cancels=runs, show_progress="hidden", queue=False, api_visibility="private"
    )
