"""`ddpm-demo status`: what a server on this machine is doing."""

import argparse
import json
from typing import Any

from ddpm_demo.core.config import ConfigError, DemoError
from ddpm_demo.machine.own_server import ask_own_server

SECONDS = 10  # to wait for an answer
SUMMARY = "show what an app running on this machine is doing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo status`."""
    parser.add_argument("--port", type=int, default=7860, help="the app's port (default 7860)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run_status(arguments: argparse.Namespace) -> int:
    """`ddpm-demo status`: print what the server on that port reports."""
    if not 1 <= arguments.port <= 65535:
        raise ConfigError(f"--port must be a whole number from 1 to 65535, got {arguments.port}")
    numbers = ask_status(arguments.port)
    print(json.dumps(numbers) if arguments.json else status_words(numbers))
    return 0


def ask_status(port: int) -> dict[str, Any]:
    """Return the status of the server on a port of this machine; raise DemoError if there is none."""
    try:
        numbers: dict[str, Any] = ask_own_server(f"http://127.0.0.1:{port}/ddpm/status", seconds=SECONDS)
    except (OSError, ValueError) as error:
        raise DemoError(f"no ddpm-demo app answers on port {port} of this machine ({error})") from None
    return numbers


def status_words(numbers: dict[str, Any]) -> str:
    """Return a status in lines for people."""
    lines = [
        f"{numbers['visitors']} visitors, {numbers['films']} films under way, {numbers['in_line']} in line",
        f"{numbers['finished']} films finished of {numbers['asked']} asked for: {numbers['joined']} joined one "
        f"already under way, {numbers['remembered']} came from memory ({numbers['memory'] / 2**20:.0f} MB)",
        *(
            f"{row['network']}{' guided by ' + row['guide'] if row['guide'] else ''}, {row['digits']} digits, "
            f"{row['device']}: {row['milliseconds']:.0f} ms a step, {row['films_a_call']} films a call"
            for row in numbers["networks"]
        ),
        *(
            f"worker {row['name']}, {row['device']}: {row['films']} films, {row['milliseconds']:.0f} ms a step"
            if row["ready"]
            else f"worker {row['name']} does not answer"
            for row in numbers.get("workers", [])
        ),
        "network time: " + ", ".join(f"{kind} {s:.1f} s" for kind, s in numbers["turn_seconds"].items()),
        f"serving took {numbers['front_seconds']:.1f} s of processor time for {numbers['messages']} messages",
    ]
    return "\n".join(lines)
