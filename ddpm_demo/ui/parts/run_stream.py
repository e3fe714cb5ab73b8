"""How a run gets to the page: as a film does (`film.event_stream`), by the name that the page was told.

    GET /ddpm/run?run=NAME                          all its messages, the last event being `over`
    GET /ddpm/run?run=NAME&poll=1&after=NUMBER      those that there are in a moment, after the one of that number

The run is made by whoever reads it, in a thread that is taken for one message at a time: it rests when nobody does.
"""

import asyncio
import math
import time
from functools import partial
from typing import Any

import anyio
from starlette.datastructures import Headers, QueryParams
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from ddpm_demo.ui.parts.bridge import sentence_of
from ddpm_demo.ui.parts.server_events import EVENT_HEADERS, RETRY_MILLISECONDS, send_events, sent_event, visitor_left
from ddpm_demo.ui.parts.shared_runs import RUNS, SharedRun, SharedRuns
from ddpm_demo.words.sentence import say

RUN_PATH = "/ddpm/run"
MAKERS = 16  # threads in which runs are made
POLL_SECONDS = 1.5  # that a short question waits for what is made meanwhile
SIGN_SECONDS = 2.0  # from one sign of life to the next while a message takes longer
REPLAY_SECONDS = 0.04  # between two messages that are there already: the page draws each of them
GONE = say("the server no longer has this; press the button again: the seed brings it back")


def run_routes(runs: SharedRuns = RUNS) -> list[BaseRoute]:
    """Return the route by which the page gets what the server makes message by message."""
    return [Route(RUN_PATH, RunStream(runs))]


class RunStream:
    """The ASGI application behind the address of runs."""

    def __init__(self, runs: SharedRuns) -> None:
        self._runs = runs
        self._makers: anyio.CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a visitor with a run, until it is over or the visitor has gone."""
        query, headers = QueryParams(scope["query_string"]), Headers(scope=scope)
        self._makers = self._makers or anyio.CapacityLimiter(MAKERS)
        await send({"type": "http.response.start", "status": 200, "headers": EVENT_HEADERS})
        tell = partial(send_events, send)
        await tell(sent_event({}, "here"), RETRY_MILLISECONDS)
        run = self._runs.get(query.get("run"))
        if run is None:
            await tell(sent_event({"error": GONE}, "refused") + sent_event({}, "over"))
        else:
            after = headers.get("last-event-id") or query.get("after", "")
            position = int(after) + 1 if after.isdecimal() and int(after) < len(run.messages) else 0
            leaving = asyncio.ensure_future(visitor_left(receive))
            try:
                await self._show(run, position, leaving, tell, poll=bool(query.get("poll")))
            finally:
                leaving.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _show(
        self, run: SharedRun, position: int, leaving: "asyncio.Future[None]", tell: Any, *, poll: bool
    ) -> None:
        until = time.monotonic() + POLL_SECONDS if poll else math.inf
        there, making = 0 if poll else len(run.messages), None
        while not leaving.done():
            run.asked, over = time.monotonic(), run.over
            if position < len(run.messages):
                await tell(sent_event(run.messages[position], number=str(position)))
                position += 1
                if position < there:
                    await asyncio.sleep(REPLAY_SECONDS)
            elif over:
                refused = sent_event({"error": sentence_of(run.fault)}, "refused") if run.fault else b""
                await tell(refused + sent_event({}, "over"))
                return
            elif run.asked >= until:
                return
            else:
                if making is None or making.done():
                    make = anyio.to_thread.run_sync(run.make, position, SIGN_SECONDS, limiter=self._makers)
                    making = asyncio.ensure_future(make)
                both: list[asyncio.Future[Any]] = [making, leaving]
                wait = min(SIGN_SECONDS, until - run.asked)
                done, _ = await asyncio.wait(both, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    await tell(sent_event({}, "here"))
