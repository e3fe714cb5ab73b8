"""What is going on in a server, for whoever runs it: `ddpm-demo status`, and Prometheus if that is switched on.

GET /ddpm/status    JSON, for programs on this machine only
GET /metrics        Prometheus' text format 0.0.4; only with `ddpm-demo app --metrics`
"""

import time
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from ddpm_demo.machine.scheduler import NETWORK
from ddpm_demo.ui.film.broadcasts import Broadcasts

STATUS_PATH, METRICS_PATH = "/ddpm/status", "/metrics"
HERE = ("127.0.0.1", "::1")
# name in `server_status`, type, and what Prometheus tells about it
METRICS = {
    "visitors": ("gauge", "Visitors who are watching a film now."),
    "films": ("gauge", "Films that are being made now."),
    "in_line": ("gauge", "Visitors who wait because the server is full."),
    "asked": ("counter", "Films asked for."),
    "joined": ("counter", "Films asked for that were already under way."),
    "remembered": ("counter", "Films asked for that were still in memory."),
    "finished": ("counter", "Films finished."),
    "steps": ("counter", "Film steps made."),
    "messages": ("counter", "Messages with frames written."),
    "memory": ("gauge", "Bytes that films take in memory."),
    "front_seconds": ("counter", "Processor seconds spent serving: the event loop, and writing the messages."),
}


def status_routes(broadcasts: Broadcasts, *, metrics: bool = False) -> list[BaseRoute]:
    """Return the routes that say what is going on; Prometheus' only if that is wanted."""

    async def status(request: Request) -> Response:
        near = request.client is not None and request.client.host in HERE and "x-forwarded-for" not in request.headers
        if not near:
            return JSONResponse({"error": "only programs on the server's own machine may ask"}, 403)
        return JSONResponse(server_status(broadcasts))

    async def prometheus(_: Request) -> Response:
        return PlainTextResponse(metrics_text(server_status(broadcasts)), media_type="text/plain; version=0.0.4")

    answers: dict[str, Callable[[Request], Any]] = {STATUS_PATH: status}
    if metrics:
        answers[METRICS_PATH] = prometheus
    return [Route(path, answer) for path, answer in answers.items()]


def server_status(broadcasts: Broadcasts) -> dict[str, Any]:
    """Return the numbers, called in the server's event loop, whose processor time is one of them.

    `networks` has a row for each network, guide and number of digits: the step's usual milliseconds, and how many
    films share a call; `workers` has one for each worker of a cluster.
    """
    numbers: dict[str, Any] = dict(broadcasts.numbers())
    numbers["front_seconds"] = time.thread_time() + numbers.pop("writing_seconds")
    numbers["networks"] = broadcasts.executor.paces()
    numbers["workers"] = broadcasts.executor.workers()
    numbers["turns"] = {kind.name.lower(): NETWORK.turns[kind] for kind in NETWORK.turns}
    numbers["turn_seconds"] = {kind.name.lower(): round(NETWORK.seconds[kind], 3) for kind in NETWORK.seconds}
    return numbers


def metrics_text(numbers: dict[str, Any]) -> str:
    """Return the numbers as Prometheus reads them."""
    lines = []
    for name, (kind, words) in METRICS.items():
        full = f"ddpm_demo_{name}" + ("_total" if kind == "counter" else "")
        lines += [f"# HELP {full} {words}", f"# TYPE {full} {kind}", f"{full} {numbers[name]}"]
    lines += ["# HELP ddpm_demo_step_seconds Usual time of one step of a film.", "# TYPE ddpm_demo_step_seconds gauge"]
    for row in numbers["networks"]:
        labels = ",".join(f'{name}="{row[name]}"' for name in ("network", "guide", "digits", "device"))
        lines.append(f"ddpm_demo_step_seconds{{{labels}}} {row['milliseconds'] / 1000:.6f}")
    if numbers["workers"]:
        lines += ["# HELP ddpm_demo_workers Cluster workers that answer.", "# TYPE ddpm_demo_workers gauge"]
        lines.append(f"ddpm_demo_workers {sum(row['ready'] for row in numbers['workers'])}")
    lines += ["# HELP ddpm_demo_turn_seconds_total Time by kind of turn."]
    lines += ["# TYPE ddpm_demo_turn_seconds_total counter"]
    lines += [f'ddpm_demo_turn_seconds_total{{kind="{kind}"}} {s}' for kind, s in numbers["turn_seconds"].items()]
    return "\n".join(lines) + "\n"
