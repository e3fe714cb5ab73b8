"""How a film gets to the page: server-sent events, without a thread and without a place in Gradio's queue.

    GET /ddpm/film?visitor=ID&settings={"checkpoint": "lite", "sampler": "ddim", "steps": 50, "n": 16, "seed": 7, ...}

The settings are JSON by name: those of `FilmSettings`, of which only the checkpoint is required. The first event,
`here`, says at once that nothing holds the stream back. Messages are numbered, and a browser whose connection broke
asks for the rest by itself (`Last-Event-ID`). Besides them come the events `place` (how long it will take), `source`
(the film was already under way, or is from memory), `refused` (why, in a sentence) and `full` (come back later, by
`retry`). `over` is the last one. DELETE with the same visitor ends its film.

With `poll=1&after=NUMBER` the answer is the events that there are by now, and ends: for a page that is kept from
reading a stream, and asks again and again.
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
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_guide, load_placed
from ddpm_demo.ui.film.broadcast import Broadcast, Reader
from ddpm_demo.ui.film.broadcasts import COME_BACK_SECONDS, MAX_VISITORS, Broadcasts
from ddpm_demo.ui.film.film_settings import FilmSettings, read_film_settings
from ddpm_demo.ui.parts.bridge import sentence_of, without_folders
from ddpm_demo.ui.parts.server_events import EVENT_HEADERS, RETRY_MILLISECONDS, send_events, sent_event, visitor_left
from ddpm_demo.ui.words.visitor import for_visitor
from ddpm_demo.words.sentence import say

FILM_PATH = "/ddpm/film"
POLLED = 2**20  # bytes after which an answer to a short question ends, and the rest waits for the next
PLACE_SECONDS = 2.0  # from one estimate to the next while nothing else comes; more of it when many wait
MAX_VISITOR_NAME = 64
OPENERS = 4  # threads that load networks for those who come


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
        await send({"type": "http.response.start", "status": 200, "headers": EVENT_HEADERS})
        tell = partial(send_events, send)
        try:
            if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
                raise ConfigError("films are only for this server's own page")
            settings = settings_of_film(query.get("settings"))
            place = self.broadcasts.admit(visitor)
            if place:
                note = say(
                    "{most} visitors are having films made here right now. Your place in line is {place}; this page "
                    "will ask again by itself, so leave it open.",
                    most=MAX_VISITORS,
                    place=place,
                )
                await tell(sent_event({"place": place, "note": note}, "full"), retry=1000 * COME_BACK_SECONDS)
            else:
                await tell(sent_event({}, "here"), retry=RETRY_MILLISECONDS)
                broadcast = await self._open(settings)
                after = headers.get("last-event-id") or query.get("after", "")
                if query.get("poll"):
                    await tell(self._glance(broadcast, visitor, after))
                else:
                    await self._show(broadcast, visitor, after, receive, tell)
        except Exception as error:
            self.broadcasts.give_up(visitor)
            await tell(sent_event({"error": sentence_of(error)}, "refused") + sent_event({}, "over"))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _open(self, settings: FilmSettings) -> Broadcast:
        self._openers = self._openers or anyio.CapacityLimiter(OPENERS)
        return await anyio.to_thread.run_sync(self._opened, settings, limiter=self._openers)

    def _opened(self, settings: FilmSettings) -> Broadcast:
        loaded, guide = open_networks(self._checkpoints, settings)
        return self.broadcasts.ask(loaded, settings, guide)

    async def _show(self, broadcast: Broadcast, visitor: str, after: str, receive: Receive, tell: Any) -> None:
        source = _source(broadcast, visitor, after)
        reader = self.broadcasts.join(broadcast, visitor, after)
        leaving = asyncio.ensure_future(visitor_left(receive))
        try:
            if source:
                await tell(sent_event(source, "source"))
            quiet = True
            while not leaving.done() and not reader.dropped:
                reader.news.clear()
                if new := reader.read():
                    await tell(new)
                elif reader.finished:
                    await tell(_end(reader))
                    break
                else:
                    place = self.broadcasts.position(broadcast)
                    if quiet:
                        await tell(sent_event(asdict(place), "place"))
                    quiet = not await _either(reader.news, leaving, PLACE_SECONDS * max(1.0, place.films / 100))
        finally:
            leaving.cancel()
            self.broadcasts.leave(reader)

    def _glance(self, broadcast: Broadcast, visitor: str, after: str) -> bytes:
        """Return the events that there are, for a visitor who will ask again."""
        source = _source(broadcast, visitor, after)
        reader = self.broadcasts.join(broadcast, visitor, after)
        text = sent_event(source, "source") if source else b""
        news = b""
        while len(news) < POLLED and (new := reader.read()):
            news += new
        if reader.finished:
            self.broadcasts.leave(reader)
            return text + news + _end(reader)
        self.broadcasts.expect_again(reader)
        return text + (news or sent_event(asdict(self.broadcasts.position(broadcast)), "place"))


def _end(reader: Reader) -> bytes:
    error = without_folders(for_visitor(reader.broadcast.error))
    return (sent_event({"error": error}, "refused") if error else b"") + sent_event(
        {"replaced": reader.replaced}, "over"
    )


async def _either(news: asyncio.Event, leaving: "asyncio.Future[None]", seconds: float) -> bool:
    """Wait at most so long for something new, or for the visitor to leave; return whether either happened."""
    waiting = asyncio.ensure_future(news.wait())
    both: list[asyncio.Future[Any]] = [waiting, leaving]
    try:
        done, _ = await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        waiting.cancel()


def open_networks(
    checkpoints: Mapping[str, Path], settings: FilmSettings
) -> tuple[LoadedNetwork, LoadedNetwork | None]:
    """Load the network and the guide of a film; raise ConfigError unless both are among those offered."""
    if settings.checkpoint not in checkpoints:  # a visitor sends a name, never a path
        raise ConfigError("choose one of the listed checkpoints")
    return load_placed(checkpoints[settings.checkpoint]), load_guide(checkpoints, settings.guidance)


def settings_of_film(text: str | None) -> FilmSettings:
    """Return the settings that a page sent, checked; raise ConfigError if they make no sense."""
    try:
        values = json.loads(text or "")
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):  # a page that was opened before the server was renewed sends a list
        raise ConfigError("a film needs its settings by name: reload the page, and press Generate again")
    return read_film_settings(values)


def _source(broadcast: Broadcast, visitor: str, after: str) -> dict[str, Any] | None:
    """Return where a film comes from, unless it is made for this visitor, or continues after a message they have."""
    if broadcast.position_after(after):
        return None
    if broadcast.over:
        return {"from": "memory", "made": broadcast.made}
    if any(reader.visitor != visitor for reader in broadcast.readers):
        return {"from": "joined", "made": broadcast.begun}
    if (broadcast.running or broadcast.length > 1) and broadcast.begun_by != visitor:
        return {"from": "earlier", "made": broadcast.begun}
    return None
