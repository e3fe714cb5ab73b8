"""How pages reach the class that guesses together, all by short posts of JSON.

POST /ddpm/class/join      {code}                         answers {member}, the token of whoever joins
POST /ddpm/class/answer    {member, question, value}      answers {}
POST /ddpm/class/host      {keys, action, question, ...}  answers what the host sees: action is open, close or look
POST /ddpm/class/key       {keys, lesson}                 answers the host with what is right in a lesson

A wrong question is answered by {error}, one sentence, with status 200: a browser would write any other to its console.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ddpm_demo.core.config import ConfigError, DemoError
from ddpm_demo.ui.lessons.answer_key import answer_key
from ddpm_demo.ui.lessons.live import LiveClass, public_questions
from ddpm_demo.ui.parts.bridge import sentence_of
from ddpm_demo.ui.parts.host import Host
from ddpm_demo.ui.parts.readers import named_values, one_of, shown_keys
from ddpm_demo.ui.words.visitor import for_visitor
from ddpm_demo.words.sentence import say

CLASS_PATH = "/ddpm/class"
POST_BYTES = 8192  # of a post; the host's keys are most of it
NOT_THE_TEACHER = say("only the host can open a class, see its guesses and what is right")


def class_routes(live: LiveClass, host: Host) -> list[BaseRoute]:
    """Return the routes of the server's class."""

    async def join(fields: Mapping[str, Any], request: Request) -> dict[str, Any]:
        return {"member": live.join(fields.get("code"), request.client.host if request.client else "")}

    async def answer(fields: Mapping[str, Any], _: Request) -> dict[str, Any]:
        live.take(fields.get("member"), fields.get("question"), fields.get("value"))
        return {}

    def must_be_host(fields: Mapping[str, Any]) -> None:
        if not host.is_among(shown_keys(fields)):
            raise DemoError(NOT_THE_TEACHER)

    async def key(fields: Mapping[str, Any], _: Request) -> dict[str, Any]:
        must_be_host(fields)
        lessons = live.classroom.lessons
        lesson = lessons[one_of(fields.get("lesson"), lessons, say("there is no such lesson"))]
        return await anyio.to_thread.run_sync(answer_key, live.classroom, lesson)

    async def lead(fields: Mapping[str, Any], _: Request) -> dict[str, Any]:
        must_be_host(fields)
        action, name = fields.get("action"), fields.get("question")
        if action == "open":
            live.open()
        elif action == "close":
            live.close()
        elif action != "look":
            raise ConfigError("choose open, close or look")
        found = live.standing()
        if fields.get("questions") is True:
            found["questions"] = public_questions(live)
        if name is None or fields.get("guesses") is not True:
            return found
        truth = {}
        if fields.get("truth") is True:
            truth = await anyio.to_thread.run_sync(live.truth, name)
        return {**found, **truth, "rows": live.rows(name, truth.get("right"))}

    answers = {"join": join, "answer": answer, "host": lead, "key": key}
    return [Route(f"{CLASS_PATH}/{name}", _posted(call), methods=["POST"]) for name, call in answers.items()]


def _posted(
    call: Callable[[Mapping[str, Any], Request], Awaitable[dict[str, Any]]],
) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        try:
            found = await call(named_values(await _json_of(request)), request)
        except Exception as error:
            found = {"error": sentence_of(error)}
        return JSONResponse(for_visitor(found), headers={"cache-control": "no-store"})

    return respond


async def _json_of(request: Request) -> Any:
    """Return what was posted; raise ConfigError unless it is short JSON that this page, and no other site's, sent."""
    # a form of another site can send no such type without the server's leave
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise ConfigError("a question to a class is JSON")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > POST_BYTES:
            raise ConfigError("a question to a class has at most {count} bytes", count=POST_BYTES)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ConfigError("a question to a class is JSON") from None
