"""`ddpm-demo bench class --device`: a class presses Generate at once, and each device makes its own film.

Two of the visitors are real browsers; the others are HTTP clients that fetch what a browser fetches for its first film:
the plan, the module, and the weights of its networks.
"""

import asyncio
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlparse

from ddpm_demo.bench.classroom import CLASS_LIMIT, read_status, server
from ddpm_demo.bench.page import chromium
from ddpm_demo.core.config import ConfigError, DemoError
from ddpm_demo.networks.recommended import RECOMMENDED_SAMPLER
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.ui.film.device import PLAN_PATH, WEIGHTS_PATH
from ddpm_demo.ui.film.film_link import link_text
from ddpm_demo.ui.film.film_settings import read_film_settings, recommended_settings
from ddpm_demo.ui.parts.bridge import STATIC, static_url

BROWSERS = 2
STUDENTS_ALONE = 50
FILM_DIGITS = 4
MODULE = static_url(STATIC / "net" / "net_relaxed.wasm")
DEVICE_PATIENCE = 300_000  # milliseconds
MADE = "#generate-film canvas[data-done='1']"
NEXT_CAN_BEGIN = "#generate-start:not([disabled])"
# A press empties the status first, so that the seconds that are read there are this film's.
STATUS = "document.querySelector('#generate-film .ddpm-facts')"
PRESS = f"() => {{ {STATUS}.textContent = ''; document.querySelector('#generate-start').click(); }}"
MADE_WORDS = f"() => {STATUS}.textContent.match(/made on your device, ([0-9.]+) s/)?.[1]"


@dataclass(frozen=True)
class Press:
    """What a student's press brought: after how many seconds all was there that the device needs, in how many bytes."""

    seconds: float
    bytes: int


def bench_device_class(
    *, visitors: tuple[int, ...], steps: int | None = None, digits: int = FILM_DIGITS
) -> Iterator[dict[str, Any]]:
    """Measure and yield one row per class size; raise DemoError without a browser, a network or a server.

    `server_ms` is the server's processor time a student, in milliseconds, all its threads together; `ready` the middle
    and the longest seconds until a client has all that its device needs; `films_alone` and `films` the seconds of the
    browsers' films before the class and during it; `server_steps` the steps that the server was asked to make.
    """
    if any(not BROWSERS < count <= CLASS_LIMIT for count in visitors):
        raise ConfigError(f"a class of devices has {BROWSERS + 1} to {CLASS_LIMIT} visitors")
    asked = first_settings(steps or RECOMMENDED_SAMPLER.steps, digits)
    with server() as (process, address), chromium() as browser:
        pages = [device_page(browser, address, asked | {"seed": 10_000 + k}) for k in range(BROWSERS)]
        press_once(address, asked)  # the first student's press loads the networks
        for count in visitors:
            alone, _ = device_films(pages, list)
            clients = count - BROWSERS
            before, used = read_status(address), processor_seconds(process.pid)
            films, presses = device_films(pages, partial(press_at_once, address, asked, clients))
            used = processor_seconds(process.pid) - used
            times = [press.seconds for press in presses]
            yield {
                "visitors": count,
                "browsers": BROWSERS,
                "digits": digits,
                "server_ms": 1000 * used / count,
                "ready": [statistics.median(times), max(times)],
                "megabytes": sum(press.bytes for press in presses) / 2**20,
                "films_alone": alone,
                "films": films,
                "server_steps": read_status(address)["steps"] - before["steps"],
            }


def first_press_ms(pid: int, address: str, students: int = STUDENTS_ALONE) -> float:
    """Return the milliseconds of the server's processor that a student's first press takes, one after the other."""
    asked = first_settings(RECOMMENDED_SAMPLER.steps, FILM_DIGITS)
    press_once(address, asked)  # the first student's press loads the networks
    used = processor_seconds(pid)
    for seed in range(students):
        press_once(address, asked | {"seed": seed})
    return 1000 * (processor_seconds(pid) - used) / students


def first_settings(steps: int, digits: int) -> dict[str, Any]:
    """Return the settings of the page's first film, by name; raise DemoError if no network is shipped."""
    name = next(iter(shipped_checkpoints()), None)
    if name is None:
        raise DemoError("no checkpoint is shipped here, so there is no film to ask for")
    return asdict(recommended_settings(name, steps=steps, n=digits))


def press_once(address: str, settings: dict[str, Any]) -> Press:
    """Fetch what one device needs for its first film."""
    (press,) = press_at_once(address, settings, 1)
    return press


def press_at_once(address: str, settings: dict[str, Any], clients: int) -> list[Press]:
    """Let clients fetch at once what their devices need, each with a seed of its own; raise DemoError if one fails.

    From a thread of its own: Playwright leaves its event loop running in the caller's.
    """

    async def every() -> list[Press]:
        seeds = range(settings["seed"], settings["seed"] + clients)
        return await asyncio.gather(*(press_generate(address, settings | {"seed": seed}) for seed in seeds))

    with ThreadPoolExecutor(1) as elsewhere:
        return elsewhere.submit(asyncio.run, every()).result()


async def press_generate(address: str, settings: dict[str, Any]) -> Press:
    """Fetch the plan of a film, and then what it names, as a page does whose cache is empty."""
    begun = time.perf_counter()
    plan = await _get(address, f"{PLAN_PATH}?settings={quote(json.dumps(settings))}")
    film = json.loads(plan)
    if film.get("error") or film["only_server"]:
        raise DemoError(f"the server gave no plan: {film.get('error') or film['only_server']}")
    weights = [f"{WEIGHTS_PATH}/{digest}" for digest in (film["network"], film["guide"]) if digest]
    files = await asyncio.gather(*(_get(address, path) for path in (MODULE, *weights)))
    return Press(time.perf_counter() - begun, sum(map(len, (plan, *files))))


async def _get(address: str, path: str) -> bytes:
    where = urlparse(address)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise DemoError(f"the server refused {path[:60]}: {head.splitlines()[0].decode(errors='replace')}")
        return await reader.read()
    finally:
        writer.close()


def device_page(browser: Any, address: str, settings: dict[str, Any]) -> Any:
    """Return a page that has made a film on its device once: the next one begins by a press."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script("localStorage.setItem('ddpm-where', 'device')")
    page = context.new_page()
    page.goto(f"{address}?film={link_text(read_film_settings(settings))}")
    page.wait_for_selector(MADE, timeout=DEVICE_PATIENCE)
    page.wait_for_selector(NEXT_CAN_BEGIN)
    return page


def device_films(pages: list[Any], meanwhile: Callable[[], list[Press]]) -> tuple[list[float], list[Press]]:
    """Press Generate in all pages, and let others press meanwhile; return the seconds that the films say they took."""
    for page in pages:
        page.evaluate(PRESS)
    presses = meanwhile()
    seconds = []
    for page in pages:
        page.wait_for_selector(NEXT_CAN_BEGIN, timeout=DEVICE_PATIENCE)
        words = page.wait_for_function(MADE_WORDS).json_value()
        seconds.append(float(words))
    return seconds, presses


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process and its threads have taken; raise DemoError where no system tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        raise DemoError("this system does not tell how much processor time another program takes") from None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime
