"""From your own digit: noised to a chosen t, denoised into branches, and the branches counted by class."""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
import torch

from ddpm_demo.core.config import DemoError, SamplerConfig
from ddpm_demo.core.sampling import sample
from ddpm_demo.machine.scheduler import NETWORK, InTurn
from ddpm_demo.measuring import classifier
from ddpm_demo.ui.bridge import browser_component, server_function
from ddpm_demo.ui.film.stream import packed
from ddpm_demo.ui.networks import load_placed
from ddpm_demo.ui.readers import MAX_SEED, image_of, named_values, one_of, whole
from ddpm_demo.ui.tabs.noise import read_picture

BRANCHES_LESSON = """
## From your own digit: when does the seven stop being a seven?
Take the digit of the Noise tab, or draw one here. Noise it to t, and let the network denoise that one picture several
times with different noise on the way (SDEdit, Meng et al. 2022). At small t every branch is the same digit; at large t
nothing of it is left, and the branches are whatever the noise makes of them. A small classifier, trained here on first
use, counts them.
"""
BRANCHES = 12
STEPS = 25


class Judge:
    """The classifier of all visitors: trained once, in the background, when somebody first asks for it.

    A training that failed stays failed, so that every page says why, until somebody asks for another.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._trained: classifier.Trained | None = None
        self._progress = classifier.Progress(0, classifier.STEPS)
        self._error: str | None = None

    def trained(self) -> classifier.Trained | None:
        """Return the classifier if it is ready; else see to it that it will be."""
        with self._guard:
            if self._trained is None and self._thread is None:
                self._trained = classifier.load()
                if self._trained is None:
                    self._thread = threading.Thread(target=self._train, daemon=True)
                    self._thread.start()
            return self._trained

    def state(self, question: Any = None) -> dict[str, Any]:
        """Answer the page: `accuracy` once it is ready, else `step` of `total`; `error` if it cannot be.

        A question with `again` true begins anew after an error: somebody has pressed the button once more.
        """
        if isinstance(question, Mapping) and question.get("again") is True:
            with self._guard:
                if self._error is not None:
                    self._error = self._thread = None
        trained = self.trained()
        if trained is not None:
            return {"accuracy": trained.accuracy}
        if self._error is not None:
            return {"error": self._error}
        return {"step": self._progress.step, "total": self._progress.total}

    def ready(self) -> classifier.Trained:
        """Return the classifier; raise DemoError while it is being trained, and when that failed."""
        trained = self.trained()
        if trained is None:
            raise DemoError(self._error or "the classifier is still being trained")
        return trained

    def _train(self) -> None:
        try:
            steps = classifier.train()
            while True:
                progress = NETWORK.film_turn(lambda: next(steps, None))  # a film goes on meanwhile
                if progress is None:
                    break
                self._progress = progress
            trained = classifier.load()
            if trained is None:
                raise DemoError("the trained classifier cannot be read back")
            self._trained = trained
        except DemoError as error:
            self._error = str(error)
        except Exception as error:  # whatever it is: else every page would wait for ever
            reason = (str(error) or type(error).__name__).splitlines()[0]
            self._error = f"the classifier could not be trained: {reason}; press the button to try again"


JUDGE = Judge()


def build_branches(checkpoints: dict[str, Path], which: gr.Dropdown) -> None:
    """Lay out the section and connect it; the film's checkpoint is the network that denoises."""

    @server_function
    def judge(question: Any) -> dict[str, Any]:
        return JUDGE.state(question)

    def choose(name: Any) -> dict[str, Any]:
        return {"checkpoint": name}

    gr.Markdown(BRANCHES_LESSON, elem_classes="ddpm-lesson")
    view = browser_component(
        "film/branches", choose(which.value), elem_id="branches", server=[make_branch(checkpoints), judge, read_picture]
    )
    which.change(choose, which, view, show_progress="hidden", queue=False, api_visibility="private")


def make_branch(checkpoints: dict[str, Path]) -> Callable[[Any], dict[str, Any]]:
    """Return the function by which the page asks one of the checkpoints for branches of a digit."""

    @server_function
    def branch(question: Any) -> dict[str, Any]:
        asked = named_values(question, "checkpoint, x0, t and seed")
        name = one_of(asked.get("checkpoint"), checkpoints, "choose one of the listed checkpoints above")
        return {**make_branches(checkpoints[name], question), "checkpoint": name}

    return branch


def make_branches(path: Path, question: Any) -> dict[str, Any]:
    """Noise a digit to t and denoise it BRANCHES times; return the pictures and their classes. Raises ConfigError."""
    trained = JUDGE.ready()
    loaded = load_placed(path)
    asked = named_values(question, "x0, t and seed")
    x0 = image_of(asked.get("x0"), "a digit", most=1)
    t = whole("t", asked.get("t"), 0, len(loaded.schedule) - 1)
    seed = whole("the seed", asked.get("seed"), 0, MAX_SEED)

    generator, begun = torch.Generator().manual_seed(seed), time.perf_counter()
    x_t = loaded.schedule.add_noise(x0, t, torch.randn(x0.shape, generator=generator))
    config = SamplerConfig(variance="posterior", clip="x0", steps=min(STEPS, t + 1))
    start = x_t.expand(BRANCHES, -1, -1, -1).contiguous().to(loaded.placement.device)
    *_, last = sample(
        InTurn(loaded.model, NETWORK.film_turn), loaded.schedule, config, start, generator=generator, start=t
    )
    classes = trained.model.classes(last.x_s)
    return {
        "t": t,
        "n": BRANCHES,
        "x_t": packed([x_t], 8),
        "branches": packed([last.x_s], 8),
        "counts": classifier.counts(classes),
        "of_x0": int(trained.model.classes(x0)[0]),
        "seconds": time.perf_counter() - begun,
        "calls": config.steps,
    }
