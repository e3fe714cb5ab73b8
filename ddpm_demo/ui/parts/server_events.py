"""Server-sent events: how the page is told what takes a while, by a stream, or by polls where that is held back."""

import json
from typing import Any

from starlette.types import Receive, Send

from ddpm_demo.ui.words.visitor import for_visitor

RETRY_MILLISECONDS = 1000  # until a browser asks again when its connection broke
EVENT_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


def sent_event(data: Any, name: str = "", number: str = "") -> bytes:
    """Return a server-sent event: its data as JSON, its name unless it is a message, its number if it has one.

    Sentences in the data are said in the language of whoever is being answered.
    """
    lines = [f"id: {number}"] if number else []
    lines += [f"event: {name}"] if name else []
    return "\n".join([*lines, f"data: {json.dumps(for_visitor(data))}", "", ""]).encode()


async def send_events(send: Send, text: bytes, retry: float | None = None) -> None:
    """Send events, and how long a browser whose connection breaks is to wait, in milliseconds."""
    body = (f"retry: {retry:.0f}\n\n".encode() if retry is not None else b"") + text
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def visitor_left(receive: Receive) -> None:
    """Wait until the visitor has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
