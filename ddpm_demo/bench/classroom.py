"""`ddpm-demo bench class`: a class presses Generate at once, compared with the time its films take alone.

The server is started as a user starts it; the visitors are HTTP clients in this process, on this machine. They share
its processors with the server, as the browsers of a real class would not.
"""

import asyncio
import base64
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlparse

import numpy as np
import torch

from ddpm_demo.core.config import ConfigError, DemoError
from ddpm_demo.core.sampling import to_uint8
from ddpm_demo.films.film_job import FilmWalk, film_alone
from ddpm_demo.machine.own_server import ask_own_server
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_placed
from ddpm_demo.networks.recommended import RECOMMENDED_SAMPLER
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.ui.film.event_stream import FILM_PATH
from ddpm_demo.ui.film.film_settings import FilmSettings, recommended_settings
from ddpm_demo.ui.film.stream import film_job
from ddpm_demo.ui.status import STATUS_PATH

VISITORS = (1, 8, 32, 100, 500)
CLASS_LIMIT = 1000  # visitors at most
REFERENCES = 3  # films of a row that are made here as well: their time is the ideal, their digits must be the server's
PATIENCE = 6.0  # times the ideal, and a minute, until a visitor gives up
STARTING_SECONDS = 180.0
SETTLED_SECONDS = 6.0  # after a row, until the server has forgotten who has gone
WATCHING_SECONDS = 0.5  # from one look at the server's memory to the next
CONNECT_SECONDS = 60.0


@dataclass
class ClassVisit:
    """What one visitor saw; times in seconds from the press, None for what never came."""

    seed: int
    refused: bool = False
    mixed: bool = False  # frames of another film than the one that was asked for
    first: float | None = None  # x_T
    place: float | None = None
    end: float | None = None
    bytes: int = 0
    messages: int = 0
    finals: list[np.ndarray] = field(default_factory=list)


def bench_class(
    *,
    visitors: tuple[int, ...] = VISITORS,
    same: bool = False,
    steps: int | None = None,
    digits: int = 16,
    cluster: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Measure and yield one row per class size; times in seconds. Raises DemoError if the server does not start.

    With `same` everybody asks for the same film, else each for another. `ideal` is the time in which this machine
    makes the row's films with nobody around, measured before and after the row. `fairness` is the longest time from
    press to end over the shortest. `front_ms` is the processor's time of serving, and of writing the messages, a
    message that arrived. With `cluster`, as `ddpm-demo app --cluster` takes it, the films are made by workers.
    """
    if any(not 1 <= count <= CLASS_LIMIT for count in visitors):
        raise ConfigError(f"a class has 1 to {CLASS_LIMIT} visitors")
    name = next(iter(shipped_checkpoints()), None)
    if name is None:
        raise DemoError("no checkpoint is shipped here, so there is no film to ask for")
    with server(cluster) as (process, address):
        seed = 0
        for count in visitors:
            seeds = [seed] * count if same else list(range(seed, seed + count))
            seed = seeds[-1] + 1
            yield class_row(process, address, name, seeds, steps or RECOMMENDED_SAMPLER.steps, digits)


@contextlib.contextmanager
def server(cluster: str | None = None) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Start the app as a user does, on a free port of this machine; yield its process and its address."""
    command = [sys.executable, "-m", "ddpm_demo", "app", "--no-training"]
    command += ["--cluster", cluster] if cluster else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()  # or its end, if the server has ended
        if "open http://" not in line:
            raise DemoError("the server did not start")
        yield process, line.split("open ")[1].split()[0].rstrip("/")
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def class_row(
    process: "subprocess.Popen[str]", address: str, name: str, seeds: list[int], steps: int, digits: int
) -> dict[str, Any]:
    """Let visitors with these seeds press at once; return a row as `bench_class` says."""
    distinct = list(dict.fromkeys(seeds))
    asked = {seed: recommended_settings(name, seed=seed, steps=steps, n=digits) for seed in distinct}
    loaded = load_placed(shipped_checkpoints()[name])
    guidance = asked[distinct[0]].guidance
    guide = load_placed(shipped_checkpoints()[guidance.guide]) if guidance else None
    expected, before_row = references(loaded, guide, [asked[seed] for seed in distinct[:REFERENCES]])
    runs = {seed: film_job(loaded, asked[seed], guide).key for seed in distinct}
    patience = 60 + PATIENCE * before_row * len(distinct)

    status, memory = read_status(address), resident(process.pid)
    own = time.process_time()
    wanted = [(asked[seed], runs[seed]) for seed in seeds]
    visits, peak = class_visits(process.pid, address, wanted, patience)
    own = time.process_time() - own
    after = read_status(address)
    time.sleep(SETTLED_SECONDS)
    _, after_row = references(loaded, guide, [asked[seed] for seed in distinct[:REFERENCES]])
    for visit in visits:
        if visit.finals and visit.seed in expected:
            apart = np.abs(visit.finals[-1].astype(int) - expected[visit.seed].astype(int)).max()
            visit.mixed |= bool(apart > 1)
    ideal = (before_row + after_row) / 2 * len(distinct)
    ends = [visit.end for visit in visits if visit.end is not None]
    messages = sum(visit.messages for visit in visits)
    return {
        "visitors": len(seeds),
        "same": len(distinct) == 1 and len(seeds) > 1,
        "refused": sum(visit.refused for visit in visits),
        "mixed": sum(visit.mixed for visit in visits),
        "cut": sum(visit.end is None and not visit.refused for visit in visits),
        "first": _middle_and_worst([visit.first for visit in visits]),
        "place": _middle_and_worst([visit.place for visit in visits]),
        "end": _middle_and_worst([visit.end for visit in visits]),
        "ideal": ideal,
        "times_ideal": max(ends) / ideal if ends else None,
        "fairness": max(ends) / min(ends) if ends else None,
        "films": (after["steps"] - status["steps"]) / steps,
        "megabytes": sum(visit.bytes for visit in visits) / 2**20,
        "memory": [memory, peak, resident(process.pid)],
        "front_ms": 1000 * (after["front_seconds"] - status["front_seconds"]) / max(1, messages),
        "messages": messages,
        "clients_seconds": own,
    }


def references(
    loaded: LoadedNetwork, guide: LoadedNetwork | None, wanted: list[FilmSettings]
) -> tuple[dict[int, np.ndarray], float]:
    """Make films with nobody around; return their digits by seed, uint8 (N, 28, 28), and the mean seconds of one."""
    finals, seconds = {}, []
    for settings in wanted:
        walk = FilmWalk(film_job(loaded, settings, guide), loaded.schedule)
        begun = time.perf_counter()
        for film_step in film_alone(loaded, guide, walk):
            torch.isfinite(film_step.step.x_s).all().item()
        seconds.append(time.perf_counter() - begun)
        finals[settings.seed] = to_uint8(film_step.step.x_s[:, 0]).numpy()
    return finals, statistics.mean(seconds)


def class_visits(
    pid: int, address: str, wanted: list[tuple[FilmSettings, str]], patience: float
) -> tuple[list[ClassVisit], float | None]:
    """Let all visitors press at once, as `visit_class` does, from a thread of their own.

    The caller's may have an event loop already: Playwright leaves its own running there.
    """
    with ThreadPoolExecutor(1) as elsewhere:
        return elsewhere.submit(asyncio.run, visit_class(pid, address, wanted, patience)).result()


async def visit_class(
    pid: int, address: str, wanted: list[tuple[FilmSettings, str]], patience: float
) -> tuple[list[ClassVisit], float | None]:
    """Let all visitors press at once; return what they saw, and the server's largest memory meanwhile."""
    peak = resident(pid)

    async def watch_memory() -> None:
        nonlocal peak
        while peak is not None:
            await asyncio.sleep(WATCHING_SECONDS)
            peak = max(peak, resident(pid) or 0.0)

    watching = asyncio.ensure_future(watch_memory())
    visits = [ClassVisit(settings.seed) for settings, _ in wanted]

    async def press(visit: ClassVisit, k: int) -> None:
        with contextlib.suppress(OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError):
            visitor = f"bench-{os.getpid()}-{id(visits)}-{k}"
            await asyncio.wait_for(_visit(visit, address, visitor, *wanted[k]), patience)

    await asyncio.gather(*(press(visit, k) for k, visit in enumerate(visits)))
    watching.cancel()
    return visits, peak


async def _visit(visit: ClassVisit, address: str, visitor: str, settings: FilmSettings, run: str) -> None:
    """Ask for a film and read it to its end."""
    pressed, where = time.perf_counter(), urlparse(address)
    reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=2**22)
    try:
        query = f"{FILM_PATH}?visitor={visitor}&settings={quote(json.dumps(asdict(settings)))}"
        writer.write(f"GET {query} HTTP/1.1\r\nHost: {where.netloc}\r\nAccept: text/event-stream\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            visit.refused = True
            return
        text = b""
        while size := int(await reader.readline(), 16):  # a chunk of HTTP/1.1: its size, itself, an empty line
            text += (await reader.readexactly(size + 2))[:-2]
            visit.bytes += size
            *whole, text = text.split(b"\n\n")
            for block in whole:
                _take_event(visit, block, run, time.perf_counter() - pressed)
            if visit.end is not None or visit.refused:
                return
    finally:
        writer.close()


def _take_event(visit: ClassVisit, block: bytes, run: str, now: float) -> None:
    fields = dict(line.split(b": ", 1) for line in block.splitlines() if b": " in line)
    name = fields.get(b"event", b"message")
    if name in (b"refused", b"full"):
        visit.refused = True
    elif name == b"place":
        visit.place = now if visit.place is None else visit.place
    elif name == b"message" and b"data" in fields:
        message = json.loads(fields[b"data"])
        visit.messages += 1
        visit.mixed |= message["run"] != run
        visit.first = now if visit.first is None else visit.first
        if message["steps"] and message["steps"][-1]["t"] < 0:
            levels = np.frombuffer(zlib.decompress(base64.b64decode(message["x_t"])), np.uint8)
            visit.finals.append(levels.reshape(-1, 28, 28)[-message["n"] :])
            visit.end = now


def read_status(address: str) -> dict[str, Any]:
    """Return the server's own numbers."""
    numbers: dict[str, Any] = ask_own_server(address + STATUS_PATH, seconds=CONNECT_SECONDS)
    return numbers


def resident(pid: int) -> float | None:
    """Return a process's memory in megabytes, where the system tells it as Linux does."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), None)


def _middle_and_worst(times: list[float | None]) -> list[float | None]:
    known = [each for each in times if each is not None]
    return [statistics.median(known), max(known)] if known else [None, None]
