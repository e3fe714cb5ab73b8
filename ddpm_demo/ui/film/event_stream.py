"""The way of a film to the page: server-sent events, without a thread and without a place in Gradio's queue.

    GET /ddpm/film?visitor=ID&settings={"checkpoint": "lite", "sampler": "ddim", "steps": 50, "n": 16, "seed": 7, ...}

The settings are JSON by name: those of `FilmSettings`, of which only the checkpoint must be there.
Messages are numbered, and a browser whose connection broke asks for the rest by itself (`Last-Event-ID`). Besides them
come the events `place` (how long it will take), `source` (the film was already under way, or is from memory), `refused`
(why, in a sentence) and `full` (come back later, by `retry`). `over` is the last one. DELETE with the same visitor ends
its film.
"""

import asyncio
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from starlette.datastructures import Headers, QueryParams
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from ddpm_demo.core.config import ConfigError
from ddpm_demo.networks.loaded_networks import load_guide, load_placed
from ddpm_demo.ui.film.broadcast import Broadcast, sent_event
from ddpm_demo.ui.film.broadcasts import COME_BACK_SECONDS, MAX_VISITORS, Broadcasts
from ddpm_demo.ui.film.film_settings import FilmSettings, read_film_settings
from ddpm_demo.ui.parts.bridge import sentence_of

FILM_PATH = "/ddpm/film"
RETRY_MILLISECONDS = 1000  # until a browser asks again when its connection broke
PLACE_SECONDS = 2.0  # from one estimate to the next while nothing else comes; more of it when many wait
MAX_VISITOR_NAME = 64
OPENERS = 4  # threads that load networks for those who come
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


def film_routes(checkpoints: Mapping[str, Path], broadcasts: Broadcasts) -> list[BaseRoute]:
    """Return the routes by which the page gets films of these checkpoints."""
    return [Route(FILM_PATH, FilmStream(checkpoints, broadcasts))]


class FilmStream:
    """The ASGI application behind the address of films."""

    def __init__(self, checkpoints: Mapping[str, Path], broadcasts: Broadcasts) -> None:
        self._checkpoints, self.broadcasts = checkpoints, broadcasts
        self._openers: anyio.CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a visitor with a film, until it is over or the visitor has gone."""
        query, headers = QueryParams(scope["query_string"]), Headers(scope=scope)
        visitor = query.get("visitor", "")[:MAX_VISITOR_NAME] or secrets.token_hex(8)
        if scope["method"] == "DELETE":
            self.broadcasts.stop(visitor)
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        say = partial(_say, send)
        try:
            if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
                raise ConfigError("films are for this server's own page")
            settings = settings_of_film(query.get("settings"))
            place = self.broadcasts.room(visitor)
            if place:
                note = (
                    f"{MAX_VISITORS} visitors are having films made here just now. Your place in line is {place}; "
                    "this page asks again by itself, so leave it open."
                )
                await say(sent_event({"place": place, "note": note}, "full"), retry=1000 * COME_BACK_SECONDS)
            else:
                broadcast = await self._open(settings)
                await say(b"", retry=RETRY_MILLISECONDS)
                await self._show(broadcast, visitor, headers.get("last-event-id", ""), receive, say)
        except Exception as error:
            self.broadcasts.give_up(visitor)
            await say(sent_event({"error": sentence_of(error)}, "refused") + sent_event({}, "over"))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _open(self, settings: FilmSettings) -> Broadcast:
        self._openers = self._openers or anyio.CapacityLimiter(OPENERS)
        return await anyio.to_thread.run_sync(self._opened, settings, limiter=self._openers)

    def _opened(self, settings: FilmSettings) -> Broadcast:
        if settings.checkpoint not in self._checkpoints:  # a visitor sends a name, never a path
            raise ConfigError("choose one of the listed checkpoints")
        guide = load_guide(self._checkpoints, settings.guidance)
        return self.broadcasts.ask(load_placed(self._checkpoints[settings.checkpoint]), settings, guide)

    async def _show(self, broadcast: Broadcast, visitor: str, after: str, receive: Receive, say: Any) -> None:
        source = _source(broadcast)
        reader = self.broadcasts.join(broadcast, visitor, after)
        leaving = asyncio.ensure_future(_left(receive))
        try:
            if source:
                await say(sent_event(source, "source"))
            quiet = True
            while not leaving.done() and not reader.dropped:
                reader.news.clear()
                if new := reader.read():
                    await say(new)
                elif reader.finished:
                    error = sent_event({"error": broadcast.error}, "refused") if broadcast.error else b""
                    await say(error + sent_event({"replaced": reader.replaced}, "over"))
                    break
                else:
                    place = self.broadcasts.place(broadcast)
                    if quiet:
                        await say(sent_event(asdict(place), "place"))
                    quiet = not await _either(reader.news, leaving, PLACE_SECONDS * max(1.0, place.films / 100))
        finally:
            leaving.cancel()
            self.broadcasts.leave(reader)


async def _either(news: asyncio.Event, leaving: "asyncio.Future[None]", seconds: float) -> bool:
    """Wait for something new, or for the visitor to leave, so long at most; return whether there was either."""
    waiting = asyncio.ensure_future(news.wait())
    both: list[asyncio.Future[Any]] = [waiting, leaving]
    try:
        done, _ = await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        waiting.cancel()


def settings_of_film(text: str | None) -> FilmSettings:
    """Return the settings that a page sent, checked; raise ConfigError if they make no sense."""
    try:
        values = json.loads(text or "")
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):  # a page that was opened before the server was renewed sends a list
        raise ConfigError("a film needs its settings by name: reload the page, and press Generate again")
    return read_film_settings(values)


def _source(broadcast: Broadcast) -> dict[str, Any] | None:
    """Return where a film comes from, unless it is made for the one who asks."""
    if broadcast.over:
        return {"from": "memory", "made": broadcast.made}
    if broadcast.running or broadcast.length > 1:
        return {"from": "joined", "made": broadcast.begun}
    return None


async def _say(send: Send, text: bytes, retry: float | None = None) -> None:
    body = (f"retry: {retry:.0f}\n\n".encode() if retry is not None else b"") + text
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
