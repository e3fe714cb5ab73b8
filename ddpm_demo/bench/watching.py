"""The last row of `ddpm-demo bench ui`: what a page that watches a training run costs the trainer."""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ddpm_demo.core.config import DemoError
from ddpm_demo.store.files import CACHE_VARIABLE
from ddpm_demo.training import shelf
from ddpm_demo.training.history import read_all

SETTLE = 10.0  # seconds of training before anything is measured
OPENING = 4.0  # seconds after which a page that was opened is at rest, and only watches
WINDOW = 12.0  # seconds with the page, then as many without, in turns
TURNS = 10
LENGTH = 60  # minutes of the run: far more than the turns take, with all the opening of pages, on a slow machine
VIEW = "#train-view .ddpm-train"


def bench_watching(
    browser: Any,
    address: str,
    *,
    settle: float = SETTLE,
    opening: float = OPENING,
    window: float = WINDOW,
    turns: int = TURNS,
) -> dict[str, Any]:
    """Train `lite` as a student does, and return its images a second with the page open and closed.

    The browser runs on this very machine, as a student's does, so that drawing the charts counts too. `cost` is the
    share of the speed that the watching page takes: the median over the turns, each a window beside its neighbour.
    Opening a page is not part of it: the row's `opening` is the share of so many first seconds that it takes, once.
    """
    with cache_elsewhere():
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        watch(page, address)
        page.get_by_role("spinbutton", name="Length").fill(str(LENGTH))
        page.get_by_role("spinbutton", name="Length").press("Tab")
        page.locator("#train-start").click()
        page.wait_for_function(f"document.querySelector('{VIEW}')?.dataset.phase === 'training'")
        directory = shelf.entries()[0].directory
        time.sleep(settle)
        opened, watched, alone = [], [], []
        for _ in range(turns):
            page.goto("about:blank")
            alone.append(images_per_second(directory, window))
            watch(page, address)
            opened.append(images_per_second(directory, opening))
            watched.append(images_per_second(directory, window))
        page.locator(VIEW).get_by_role("button", name="■ Stop and save", exact=True).click()
        page.wait_for_function(f"document.querySelector('{VIEW}').dataset.phase === ''")
        page.context.close()
    costs, openings = ([1 - a / b for a, b in zip(pace, alone, strict=True)] for pace in (watched, opened))
    return {
        "watched_images_per_s": statistics.median(watched),
        "alone_images_per_s": statistics.median(alone),
        "cost": statistics.median(costs),
        "opening": statistics.median(openings),
        "costs": costs,
    }


def watch(page: Any, address: str) -> None:
    """Open the Train tab."""
    page.goto(address)
    page.locator("#tab-train-button").click()
    page.wait_for_selector(VIEW)


def images_per_second(directory: Path, seconds: float) -> float:
    """Return the pace of a run's steps over so many seconds from now; raise DemoError if it stands still.

    By the run's own clock, without the pictures and measurements of its moments: a moment takes half a second every
    half-minute, page or no page, so that one window has it and its neighbour has not.
    """
    begin = _last_loss(directory)
    time.sleep(seconds)
    end = _last_loss(directory)
    known = shelf.entry(directory.name)
    passed = (end["seconds"] - end["extras"]) - (begin["seconds"] - begin["extras"])
    if known.config is None or passed <= 0:
        raise DemoError("the training run to be watched has stopped")
    return float(known.config.batch * (end["step"] - begin["step"]) / passed)


def _last_loss(directory: Path) -> dict[str, Any]:
    return next(line for line in reversed(read_all(directory)) if line["kind"] == "loss")


@contextmanager
def cache_elsewhere() -> Iterator[None]:
    """Keep the run off the user's shelf: everything that is cached goes to a folder that is gone afterwards."""
    usual = os.environ.get(CACHE_VARIABLE)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ[CACHE_VARIABLE] = folder
        try:
            yield
        finally:
            if usual is None:
                del os.environ[CACHE_VARIABLE]
            else:
                os.environ[CACHE_VARIABLE] = usual
