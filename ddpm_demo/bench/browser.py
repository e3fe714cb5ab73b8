"""`ddpm-demo bench browser`: the network in the visitor's browser beside PyTorch and onnxruntime-web, in one run.

Ways that are compared take turns, and the best turn of each counts: other programs only ever make things slower.
"""

import datetime
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ddpm_demo.bench.classroom import server
from ddpm_demo.bench.device_class import first_press_ms
from ddpm_demo.bench.onnx_file import onnx_model
from ddpm_demo.bench.page import chromium, load_time, open_page
from ddpm_demo.bench.timing import rows_or_fault
from ddpm_demo.core.config import DemoError
from ddpm_demo.films.film_job import FilmWalk, film_alone
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.store import checkpoint
from ddpm_demo.store.files import GUIDE
from ddpm_demo.store.shipped import find_checkpoint, shipped_checkpoints
from ddpm_demo.ui.film.film_settings import recommended_settings
from ddpm_demo.ui.film.stream import film_job
from ddpm_demo.ui.lab.page import lab_page

NETWORK = "lite"
BROWSER_ROUNDS = 3
CALLS = 3  # of the network in a turn
COLD_OPENINGS = 5
DRAG_SECONDS = 3.0
ORT = "onnxruntime-web"
ORT_FILES = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.mjs")
X_T = '#noise-view canvas[data-name="x_t"]'

# Workers of their own, so many as are asked for, with the page's own modules and files.
CREWS = """async ({settings, sizes}) => {
    const state = performance.getEntriesByType("resource").find(({name}) => name.endsWith("/state.js")).name;
    const root = state.replace(/state\\.js$/, "");
    const {Crew, compiledNetwork} = await import(root + "net/crew.js");
    const {makeWorker, planOf, wasmBytes, weightsBytes} = await import(root + "network_files.js");
    const film = await planOf(settings);
    if (film.error) throw new Error(film.error);
    const crews = {}, module = await compiledNetwork(wasmBytes);
    for (const size of sizes) {
        crews[size] = new Crew(module, makeWorker, size);
        for (const name of [film.network, film.guide].filter(Boolean))
            await crews[size].load(name, () => weightsBytes(name));
    }
    window.bench = {film, crews};
}"""
FILM_SECONDS = """async (size) => {
    const {film: {plan, network, guide}, crews} = window.bench;
    const begun = performance.now();
    await crews[size].film(plan, {name: network, guide: guide || null}, () => {});
    return (performance.now() - begun) / 1000;
}"""
STEP_MS = """async ({n, calls}) => {
    const {film: {network}, crews} = window.bench;
    const x = Float32Array.from({length: n * 784}, (_, i) => Math.sin(i));
    const times = [];
    for (let k = 0; k < calls; k++) {
        const begun = performance.now();
        await crews[1].answer(network, x, 500);
        times.push(performance.now() - begun);
    }
    return Math.min(...times);
}"""
ORT_SESSION = """async ({script, model, folder}) => {
    const ort = await import(script);
    Object.assign(ort.env.wasm, {numThreads: 1, wasmPaths: folder});
    window.ort = {ort, session: await ort.InferenceSession.create(model, {executionProviders: ["wasm"]})};
}"""
ORT_MS = """async ({n, calls}) => {
    const {ort, session} = window.ort;
    const x_t = new ort.Tensor("float32", Float32Array.from({length: n * 784}, (_, i) => Math.sin(i)), [n, 1, 28, 28]);
    const t = new ort.Tensor("int64", BigInt64Array.from({length: n}, () => 500n), [n]);
    const times = [];
    for (let k = 0; k < calls; k++) {
        const begun = performance.now();
        await session.run({x_t, t});
        times.push(performance.now() - begun);
    }
    return Math.min(...times);
}"""
ANSWERS = """async (seconds) => {
    const slider = document.querySelector("#noise-view input[type=range]");
    const panel = document.querySelector(".ddpm-network");
    const answers = () => Number(panel.dataset.answers ?? 0);
    const drag = async (until) => {
        for (let k = 0; performance.now() < until; k++) {
            slider.value = 100 + (7 * k) % 800;
            slider.dispatchEvent(new Event("input", {bubbles: true}));
            await new Promise(requestAnimationFrame);
        }
    };
    while (answers() < 5) await drag(performance.now() + 200); // the network is on its way
    const before = answers(), begun = performance.now();
    await drag(begun + 1000 * seconds);
    return 1000 * (answers() - before) / (performance.now() - begun);
}"""
PRESS_TO_FRAME = """async () => {
    const received = () => Number(document.querySelector("#generate-film canvas").dataset.received ?? 0);
    const before = received(), begun = performance.now();
    document.querySelector("#generate-start").click();
    while (received() <= before) await new Promise(requestAnimationFrame);
    return performance.now() - begun;
}"""

OTHER_SEED = "/of seed [1-9]/.test(document.querySelector('#generate-film canvas')?.getAttribute('aria-label'))"


@dataclass(frozen=True)
class GoalRow:
    """A measured figure and its goal: `value` in `unit` should be `at_most` or `at_least` so much.

    `ours` and `beside`, both in `each`, are what a ratio is made of.
    """

    work: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    ours: float | None = None
    beside: float | None = None
    each: str = ""

    @property
    def missed_by(self) -> float | None:
        """How many times too much, or too little, it is; None if the goal is reached, or there is none."""
        if self.at_most is not None and self.value > self.at_most:
            return self.value / self.at_most
        if self.at_least is not None and self.value < self.at_least:
            return self.at_least / self.value if self.value else math.inf
        return None

    def as_row(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {**asdict(self), "missed_by": self.missed_by}


def best_of_turns(ways: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Return the least figure of each way; they take turns, each once a round, the first of which warms up."""
    best = dict.fromkeys(ways, math.inf)
    for _ in range(rounds):
        for name, measure in ways.items():
            best[name] = min(best[name], measure())
    return best


def bench_browser(
    *, ort: Path | None = None, rounds: int = BROWSER_ROUNDS, steps: int = 50, digits: int = 16
) -> Iterator[dict[str, Any]]:
    """Measure and yield a row per goal, as `GoalRow` has it; raise DemoError without a browser or a network.

    `ort` is the folder of the npm package onnxruntime-web; its comparison also needs the Python package onnx, and is a
    row with a `fault` without them.
    """
    if NETWORK not in shipped_checkpoints() or GUIDE not in shipped_checkpoints():
        raise DemoError(f"the checkpoints {NETWORK} and {GUIDE} are not shipped here, so there is nothing to compare")
    with chromium() as browser, server() as (process, address):
        page = open_page(browser, address, X_T, 1, 0)
        page.evaluate(CREWS, {"settings": film_settings(0, steps, digits), "sizes": [1, 2]})
        yield from rows_or_fault({"work": "a film beside PyTorch"}, film_goals, page, rounds, steps, digits)
        yield from rows_or_fault({"work": f"a step beside {ORT}"}, step_goals, page, address, ort, rounds)
        page.context.close()
        for slower, goal in ((1, 60.0), (4, 15.0)):
            yield from rows_or_fault({"work": "answers in a drag"}, drag_goals, browser, address, slower, goal)
        yield from rows_or_fault({"work": "the first film's first frame"}, first_frame_goals, browser, address)
        yield from rows_or_fault({"work": "the lab's first picture"}, lab_goals, browser)
        yield from rows_or_fault({"work": "the server's part of a device's film"}, server_goals, process.pid, address)


def film_settings(seed: int, steps: int, digits: int) -> dict[str, Any]:
    """Return the settings of the page's own first film, by name, with these changes."""
    return asdict(recommended_settings(NETWORK, seed=seed, steps=steps, n=digits))


def film_goals(page: Any, rounds: int, steps: int, digits: int) -> Iterator[dict[str, Any]]:
    """Yield the time of a guided film in two workers and in one, over that of PyTorch in this process."""
    loaded, guide = (load_placed(shipped_checkpoints()[name]) for name in (NETWORK, GUIDE))
    job = film_job(loaded, recommended_settings(NETWORK, steps=steps, n=digits), guide)

    def pytorch() -> float:
        begun = time.perf_counter()
        for film_step in film_alone(loaded, guide, FilmWalk(job, loaded.schedule)):
            torch.isfinite(film_step.step.x_s).all().item()
        return time.perf_counter() - begun

    ways: dict[str, Callable[[], float]] = {"pytorch": pytorch}
    ways |= {str(size): partial(page.evaluate, FILM_SECONDS, size) for size in (1, 2)}
    best = best_of_turns(ways, rounds)
    threads = torch.get_num_threads()
    for size, goal in (("2", 0.7), ("1", 1.0)):
        workers = f"{size} worker{'s' if size != '1' else ''}"
        work = f"{digits} digits x {steps} steps, guided, {workers}, beside PyTorch with {threads} threads"
        times = best[size] / best["pytorch"]
        yield GoalRow(work, times, "times", at_most=goal, ours=best[size], beside=best["pytorch"], each="s").as_row()


def step_goals(page: Any, address: str, ort: Path | None, rounds: int) -> Iterator[dict[str, Any]]:
    """Yield how many times as quick a step of 16 images is in one worker as by onnxruntime-web in one thread."""
    if ort is None or not all((ort / "dist" / name).is_file() for name in ORT_FILES):
        raise DemoError(f"give the folder of its npm package: --{ORT} node_modules/{ORT}")
    offer_onnxruntime(page, address, ort)
    asked = {"n": 16, "calls": CALLS}
    ways = {"ours": lambda: page.evaluate(STEP_MS, asked), "theirs": lambda: page.evaluate(ORT_MS, asked)}
    best = best_of_turns(ways, rounds)
    work = f"a step of {NETWORK}, 16 images, one worker, beside {ORT} in one thread"
    times = best["theirs"] / best["ours"]
    yield GoalRow(work, times, "times", at_least=5.0, ours=best["ours"], beside=best["theirs"], each="ms").as_row()


def offer_onnxruntime(page: Any, address: str, folder: Path) -> None:
    """Have onnxruntime-web with the network in a page; raise DemoError where it cannot be written as ONNX."""
    model, root = onnx_model(checkpoint.load(find_checkpoint(NETWORK)).model), f"{address}/{ORT}"

    def answer(route: Any) -> None:
        name = route.request.url.split("?")[0].rsplit("/", 1)[1]
        if name == "model.onnx":
            route.fulfill(body=model, content_type="application/octet-stream")
        else:
            kind = "application/wasm" if name.endswith(".wasm") else "text/javascript"
            route.fulfill(body=(folder / "dist" / name).read_bytes(), content_type=kind)

    page.route(f"{root}/**", answer)
    page.evaluate(
        ORT_SESSION, {"script": f"{root}/{ORT_FILES[0]}", "model": f"{root}/model.onnx", "folder": f"{root}/"}
    )


def drag_goals(browser: Any, address: str, slower: float, goal: float) -> Iterator[dict[str, Any]]:
    """Yield how many answers of the network a second a drag of the Noise slider shows."""
    page = open_page(browser, address, X_T, slower, 0)
    rate = page.evaluate(ANSWERS, DRAG_SECONDS)
    page.context.close()
    condition = "" if slower == 1 else f", main thread {slower:.0f} times slower"
    yield GoalRow(f"the network's answers in a drag at 1280{condition}", rate, "a second", at_least=goal).as_row()


def first_frame_goals(browser: Any, address: str) -> Iterator[dict[str, Any]]:
    """Yield how long the first film of a browser with an empty cache takes to its first frame, from the press."""
    for place, words in (("device", "made on the device"), ("automatic", "made by whoever is quicker")):
        times = [first_frame(browser, address, place, seed) for seed in range(COLD_OPENINGS)]
        work = f"the first film's first frame, module and weights cold, {words}, median of {len(times)}"
        yield GoalRow(work, statistics.median(times) / 1000, "s", at_most=1.0).as_row()


def first_frame(browser: Any, address: str, place: str, seed: int) -> float:
    """Return the milliseconds from the press to a new frame in a new browser, `place` making the film."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(f"localStorage.setItem('ddpm-where', '{place}')")
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(X_T)
    page.locator("#tab-generate-button").click()
    page.get_by_role("button", name="Another noise").click()  # a film that nobody has had made
    page.wait_for_function(OTHER_SEED)
    page.wait_for_load_state("networkidle")
    milliseconds: float = page.evaluate(PRESS_TO_FRAME)
    context.close()
    return milliseconds


def lab_goals(browser: Any) -> Iterator[dict[str, Any]]:
    """Yield how long the lab takes from being opened on a disk to its first picture."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lab.html"
        path.write_bytes(lab_page(NETWORK, datetime.date.today()))
        times = [load_time(browser, path.as_uri(), X_T) for _ in range(COLD_OPENINGS)]
    work = f"lab.html opened from a disk to its first picture, median of {len(times)}"
    yield GoalRow(work, statistics.median(times) / 1000, "s", at_most=0.5).as_row()


def server_goals(pid: int, address: str) -> Iterator[dict[str, Any]]:
    """Yield the server's processor time of a student's first film on a device."""
    work = "the server's part of a student's first film, 4 digits: plan, module and weights"
    yield GoalRow(work, first_press_ms(pid, address), "ms of its processor", at_most=10.0).as_row()
