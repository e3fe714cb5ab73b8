"""`ddpm-demo bench ui`: how fast the page is, a drag beside the same drag through the server, in one run."""

import json
import shutil
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import gradio as gr
import numpy as np

from ddpm_demo.bench.files import bench_files
from ddpm_demo.bench.film import bench_film, bench_map
from ddpm_demo.bench.timing import rows_or_fault
from ddpm_demo.bench.watching import bench_watching
from ddpm_demo.core.config import DemoError
from ddpm_demo.core.sampling import to_uint8
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.machine.processors import take_processors
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.ui.app import build_app
from ddpm_demo.ui.parts.digits import draw_noise
from ddpm_demo.ui.server import launch

EVENTS = 60  # in a drag
LOADS = 5
# the first screen needs nothing of Gradio; then the stage moves into its page
READY = {"page ready": "canvas[data-name=x_t]", "every tab ready": "#noise-view canvas[data-name=x_t]"}
CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TRANSLATED = "de"  # the language whose page is measured beside the English one
CONDITIONS = {"as it is": (1, 0), "processor 4 times slower, 80 ms of network": (4, 80)}

# One drag: a slider event in each animation frame. The time of an event ends when its handler has put the new pixels
# into the canvas; the browser shows them with the same frame. The canvas's own label says which t was painted last.
CANVAS_DRAG = """async (events) => {
    const input = document.querySelector('#noise-view input[type=range]');
    const canvas = document.querySelector('#noise-view canvas[data-name="x_t"]');
    const times = [];
    const frame = () => new Promise(requestAnimationFrame);
    let before = canvas.getAttribute('aria-label'), shown = 0;
    await frame();
    const begun = performance.now();
    for (let k = 0; k < events; k++) {
        input.value = Math.round(100 + 800 * k / events);
        const start = performance.now();
        input.dispatchEvent(new Event('input', {bubbles: true}));
        times.push(performance.now() - start);
        const label = canvas.getAttribute('aria-label');
        shown += label !== before;
        before = label;
        await frame();
    }
    return {times, fps: 1000 * shown / (performance.now() - begun)};
}"""

# When an element is there, and has been shown: the frame after it has begun.
TAKE_NOTE = """new MutationObserver((_, observer) => {
    if (!document.querySelector(wanted)) return;
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame((now) => { window.shownAfter = now; }));
}).observe(document, {subtree: true, childList: true});"""

# The same through the server: an event ends when the new picture has been loaded and decoded.
IMAGE_EVENTS = """async (events) => {
    const input = document.querySelector('#bench-slider input[type=range]');
    const image = () => document.querySelector('#bench-image img');
    const times = [];
    for (let k = 0; k < events; k++) {
        const before = image()?.src;
        input.value = Math.round(100 + 800 * k / events);
        const start = performance.now();
        input.dispatchEvent(new Event('input', {bubbles: true}));
        while (!image() || image().src === before) {
            if (performance.now() - start > 10000) throw new Error('no picture came');
            await new Promise(requestAnimationFrame);
        }
        await image().decode();
        times.push(performance.now() - start);
    }
    return times;
}"""
IMAGE_DRAG = """async (events) => {
    const input = document.querySelector('#bench-slider input[type=range]');
    const source = () => document.querySelector('#bench-image img')?.src;
    const seen = new Set();
    const begun = performance.now();
    for (let k = 0; k < events; k++) {
        input.value = Math.round(900 - 800 * k / events);
        input.dispatchEvent(new Event('input', {bubbles: true}));
        await new Promise(requestAnimationFrame);
        seen.add(source());
    }
    return 1000 * (seen.size - 1) / (performance.now() - begun);
}"""


def bench_ui() -> Iterator[dict[str, Any]]:
    """Measure and yield one row per condition and way; times in milliseconds. Raises DemoError without a browser.

    A row that cannot be measured here has a `fault`, in words, instead of figures. The film and the map are those of
    the first shipped checkpoint, and left out where none is shipped.
    """
    take_processors()  # as the app does
    page_address = launch(build_app())
    server_address = launch(server_round_trip())
    as_it_is = {"condition": "as it is"}
    with chromium() as browser:
        for way, element in READY.items():
            yield from rows_or_fault({"way": way, **as_it_is}, page_loads, browser, page_address, element)
            in_turns = {"way": f"{way} in another language", **as_it_is}
            yield from rows_or_fault(
                in_turns, beside_english, page_address, partial(load_time, browser, element=element)
            )
        yield from rows_or_fault(
            {"way": "a drag's event in another language", **as_it_is},
            beside_english,
            page_address,
            lambda address: next(canvas_drag(browser, address, "as it is"))["median"],
        )
        yield from rows_or_fault({"way": "the page's files", **as_it_is}, lambda: [bench_files(browser, page_address)])
        for condition in CONDITIONS:
            for way, measure, address in (
                ("canvas in the page", canvas_drag, page_address),
                ("gr.Image from the server", image_drag, server_address),
            ):
                yield from rows_or_fault({"way": way, "condition": condition}, measure, browser, address, condition)
        name = next(iter(shipped_checkpoints()), None)
        if name is not None:
            yield from rows_or_fault({"way": "a film", **as_it_is}, film_rows, browser, page_address, name)
            yield from rows_or_fault(
                {"way": "a click on the receptive map", **as_it_is}, lambda: [summary(bench_map(browser, page_address))]
            )
        watching = {"way": "training lite watched by a page, and by nobody", **as_it_is}
        yield from rows_or_fault(watching, lambda: [bench_watching(browser, page_address)])


def page_loads(browser: Any, address: str, element: str) -> Iterator[dict[str, float]]:
    """Yield how long it takes until a picture is there that its slider moves."""
    yield summary([load_time(browser, address, element) for _ in range(LOADS)])


def beside_english(address: str, measure: Callable[[str], float]) -> Iterator[dict[str, float]]:
    """Yield the median milliseconds of a translated page and of the English one, measured in turns."""
    times = [[measure(f"{address}?lang={code}") for code in (TRANSLATED, "en")] for _ in range(LOADS)]
    translated, english = (statistics.median(turn) for turn in zip(*times, strict=True))
    yield {"translated": translated, "english": english}


def canvas_drag(browser: Any, address: str, condition: str) -> Iterator[dict[str, float]]:
    """Yield the figures of a drag that the page answers by itself."""
    slower, latency = CONDITIONS[condition]
    page = open_page(browser, address, '#noise-view canvas[data-name="x_t"]', slower, latency)
    page.wait_for_timeout(1000 * slower)
    drag = page.evaluate(CANVAS_DRAG, EVENTS)
    page.close()
    yield {**summary(drag["times"]), "fps": drag["fps"]}


def image_drag(browser: Any, address: str, condition: str) -> Iterator[dict[str, float]]:
    """Yield the figures of the same drag through the server."""
    page = open_page(browser, address, "#bench-image img", *CONDITIONS[condition])
    times, fps = page.evaluate(IMAGE_EVENTS, EVENTS), page.evaluate(IMAGE_DRAG, EVENTS)
    page.close()
    yield {**summary(times), "fps": fps}


def film_rows(browser: Any, address: str, name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows about a film, their times summed up."""
    for row in bench_film(browser, address, name, events=EVENTS):
        times = row.pop("times", None)
        yield {**row, **(summary(times) if times else {})}


def summary(times: list[float]) -> dict[str, float]:
    """Return median and 95th percentile of times in milliseconds."""
    return {"median": statistics.median(times), "p95": float(np.quantile(times, 0.95))}


def server_round_trip() -> gr.Blocks:
    """Return the comparison: the same x_t by the plainest Gradio way, a slider whose event returns an image."""
    digits, _ = load_mnist(train=False)
    x0, eps, schedule = to_x0(digits[0]), draw_noise(0), Schedule.from_config(ScheduleConfig())

    def mix(t: int) -> np.ndarray:
        return to_uint8(schedule.add_noise(x0, int(t), eps))[0, 0].numpy().repeat(10, axis=0).repeat(10, axis=1)

    blocks: gr.Blocks = gr.Blocks(analytics_enabled=False)
    with blocks:
        slider = gr.Slider(0, 999, 300, step=1, elem_id="bench-slider")
        image = gr.Image(mix(300), elem_id="bench-image")
        slider.input(mix, slider, image, queue=False, show_progress="hidden", trigger_mode="always_last")
    return blocks


def chromium_path() -> str | None:
    """Return where Chromium or Chrome is installed, if it is."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def chromium(path: str | None = None) -> Iterator[Any]:
    """Start a headless Chromium with a fresh profile: the program named, or the one that is installed."""
    path = path or chromium_path()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        raise DemoError("this needs Chromium or Chrome on the path, and playwright: pip install 'ddpm_demo[test]'")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS, timeout=120_000)
        yield browser
        browser.close()


def open_page(browser: Any, address: str, ready: str, slower: float, latency: float) -> Any:
    """Open an address, wait for an element, and only then slow the processor and the network down."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(address)
    page.wait_for_selector(ready)
    page.wait_for_load_state("networkidle")
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    throughput = {"downloadThroughput": -1, "uploadThroughput": -1}
    devtools.send("Network.emulateNetworkConditions", {"offline": False, "latency": latency, **throughput})
    return page


def load_time(browser: Any, address: str, element: str) -> float:
    """Return the milliseconds from navigation, with an empty cache, to a picture that its slider moves.

    The page itself notes the moment: asking it again and again from outside would slow it down.
    """
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script(f"const wanted = {json.dumps(element)};\n{TAKE_NOTE}")
    page.goto(address, wait_until="commit")
    page.wait_for_selector(element)
    ready: float = page.wait_for_function("() => window.shownAfter").json_value()
    page.context.close()
    return ready
