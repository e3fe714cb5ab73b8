"""The rest of `ddpm-demo bench ui`: a film, from the click to the screen, and a click on the receptive map."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ddpm_demo.bench.classroom import class_visits
from ddpm_demo.core.config import DemoError
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.ui.film.film_link import link_text
from ddpm_demo.ui.film.film_settings import FilmSettings
from ddpm_demo.ui.film.films import FILMS
from ddpm_demo.ui.film.stream import film_job

RUNS = 50  # in a row, for the server's memory
FILM_PATIENCE = 300.0  # seconds, for a film
FIRST_FRAMES = 5
CLICKS = 5
FILM = "#generate-film canvas"
ORDINARY = FilmSettings("", sampler="ddim", clip="x0", steps=50, n=16)  # the checkpoint is still to come
LARGE, SMALL = replace(ORDINARY, n=64), replace(ORDINARY, steps=10, n=4)
FINISHED = f"document.querySelector('{FILM}')?.dataset.done === '1'"
IDLE = "#generate-start:not([disabled])"

# From the click on Generate until the first picture is in the canvas.
FIRST_FRAME = f"""async () => {{
    const canvas = document.querySelector('{FILM}');
    const begun = performance.now();
    document.querySelector('#generate-start').click();
    while (canvas.dataset.done === '1') await new Promise(requestAnimationFrame);
    return performance.now() - begun;
}}"""

# One drag through the film: a slider event in each animation frame, timed as the Noise tab's drag is.
SCRUB = f"""async (events) => {{
    const input = document.querySelector('#generate-film input[type=range]');
    const canvas = document.querySelector('{FILM}');
    const times = [], last = Number(input.max);
    const frame = () => new Promise(requestAnimationFrame);
    let before = canvas.dataset.frame, shown = 0;
    await frame();
    const begun = performance.now();
    for (let k = 0; k < events; k++) {{
        input.value = k % (last + 1);
        const start = performance.now();
        input.dispatchEvent(new Event('input', {{bubbles: true}}));
        times.push(performance.now() - start);
        shown += canvas.dataset.frame !== before;
        before = canvas.dataset.frame;
        await frame();
    }}
    return {{times, fps: 1000 * shown / (performance.now() - begun)}};
}}"""

# From a click on a pixel of the map until the trained network's view of it is on the screen.
MAP_CLICK = """async (k) => {
    const canvas = document.querySelector('#receptive-map canvas[data-name="paths"]');
    const words = document.querySelector('#receptive-look p[data-name="influence"]');
    const box = canvas.getBoundingClientRect();
    const at = (place) => (place + 0.5) / 28;
    const begun = performance.now();
    canvas.dispatchEvent(new PointerEvent('pointerdown', {
        clientX: box.left + box.width * at(5 + k), clientY: box.top + box.height * at(9)}));
    while (!words.textContent.includes('mean over')) await new Promise(requestAnimationFrame);
    return performance.now() - begun;
}"""


def bench_film(browser: Any, address: str, name: str, *, events: int) -> Iterator[dict[str, Any]]:
    """Measure and yield rows about a film of the checkpoint `name`; those with `times` are in milliseconds."""
    page = open_film(browser, address, replace(ORDINARY, checkpoint=name))
    first = []
    for _ in range(FIRST_FRAMES):
        first.append(draw(page))
    yield {"way": "first frame after the click, 16 digits", "times": first}
    yield {"way": "scrubbing a film of 16 digits", **page.evaluate(SCRUB, events)}
    page.context.close()
    yield {"way": "a film of 64 digits and 50 steps on the wire", "megabytes": wire_megabytes(address, name)}
    yield {"way": f"the server's memory, before and after {RUNS} films", **memory(browser, address, name)}


def bench_map(browser: Any, address: str) -> list[float]:
    """Return how long some clicks on pixels of the receptive map take, in milliseconds: none was asked for before."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(address)
    page.locator("#tab-receptive-field-button").click()
    ready = "document.querySelector('#receptive-look p[data-name=\"influence\"]')?.textContent.includes('mean over')"
    page.wait_for_function(ready)
    times = [page.evaluate(MAP_CLICK, k) for k in range(CLICKS)]
    page.context.close()
    return times


def open_film(browser: Any, address: str, settings: FilmSettings) -> Any:
    """Open a link to a film, which draws it, and wait until it is finished."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{address}?film={link_text(settings)}")
    finish(page)
    return page


def finish(page: Any) -> None:
    """Wait until the film is finished and the next can begin."""
    page.wait_for_function(FINISHED, timeout=300_000)
    page.wait_for_selector(IDLE)


def wire_megabytes(address: str, name: str) -> float:
    """Return how many megabytes of events a visitor receives for a film of 64 digits and 50 steps, as they travel."""
    wanted = replace(LARGE, checkpoint=name)
    run = film_job(load_placed(shipped_checkpoints()[name]), wanted).key
    (visit,), _ = class_visits(os.getpid(), address.rstrip("/"), [(wanted, run)], FILM_PATIENCE)
    if visit.end is None:
        raise DemoError("the film did not finish")
    return visit.bytes / 1e6


def memory(browser: Any, address: str, name: str) -> dict[str, float | None]:
    """Return the megabytes that this process, the server, occupies before and after many films; None if unknown.

    Every film is made afresh, and the server forgets those before it.
    """
    page = open_film(browser, address, replace(SMALL, checkpoint=name))
    for _ in range(3):
        draw(page)
    before = resident_megabytes()
    for _ in range(RUNS):
        draw(page)
    page.context.close()
    return {"before_megabytes": before, "after_megabytes": resident_megabytes()}


def draw(page: Any) -> float:
    """Press Generate and wait for the end of the film, which is made afresh; return FIRST_FRAME's milliseconds."""
    FILMS.forget_all()
    first: float = page.evaluate(FIRST_FRAME)
    finish(page)
    return first


def resident_megabytes() -> float | None:
    """Return the memory that this process occupies, where the system tells (Linux)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / 1e6
