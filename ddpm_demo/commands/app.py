"""`ddpm-demo app`: the page. `app.py` starts it by the same two functions."""

import argparse
import importlib.util
import re
import sys
from typing import Any

from ddpm_demo.commands.options import add_lessons_option
from ddpm_demo.core.config import ConfigError, DemoError
from ddpm_demo.store.files import user_path

LOCAL = "local:"
MOST_LOCAL = 64  # workers on this machine
SUMMARY = "start the web page"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo app`."""
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1: this machine only)")
    parser.add_argument("--port", type=int, help="port (default 7860, or the next free one)")
    parser.add_argument("--checkpoint", metavar="PATH", help="a checkpoint to offer first, alongside the shipped ones")
    add_lessons_option(parser)
    parser.add_argument(
        "--root-path", metavar="PATH", help="the path where a proxy serves the page, such as /diffusion"
    )
    parser.add_argument(
        "--language",
        metavar="LANG",
        help="the language of the page, such as `tr`, for all who have not chosen another (default: their browser's)",
    )
    parser.add_argument("--share", action="store_true", help="also make a public link, through Gradio's servers")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument("--quiet", action="store_true", help="print only the address")
    parser.add_argument("--no-training", action="store_true", help="hide the training controls and refuse to train")
    parser.add_argument(
        "--cluster",
        metavar="local:N|HOST:PORT",
        help="make films with N workers on this machine, or on a Ray cluster (needs the extra `cluster`)",
    )
    parser.add_argument(
        "--cluster-or-here", action="store_true", help="with --cluster: make films here while no worker is available"
    )
    parser.add_argument("--metrics", action="store_true", help="serve metrics for Prometheus at /metrics")


def run_app(arguments: argparse.Namespace) -> int:
    """`ddpm-demo app`: start the web page and wait until it is stopped."""
    serve_page(build_page(arguments), arguments)
    return 0


def build_page(arguments: argparse.Namespace) -> Any:
    """Check the options and return the page that they ask for, a `gr.Blocks` that is not served yet.

    Raises DemoError where it cannot be built.
    """
    if arguments.port is not None and not 1 <= arguments.port <= 65535:
        raise ConfigError(f"--port must be a whole number from 1 to 65535, got {arguments.port}")
    root_path = arguments.root_path
    if root_path is not None and not re.fullmatch(r"(https?://[^\s/?#]+)?(/[^\s?#]*)?", root_path):
        raise ConfigError(f"--root-path must be a path such as /diffusion, got {root_path!r}")
    if arguments.checkpoint:
        user_path(arguments.checkpoint, "a checkpoint")  # refuses what no file can be called
    local = 0
    if arguments.cluster:
        local = local_workers(arguments.cluster)
        check_ray()
    elif arguments.cluster_or_here:
        raise ConfigError("--cluster-or-here needs a --cluster")
    if not arguments.quiet:  # two to ten seconds of imports on a slow computer
        print("ddpm-demo: loading PyTorch and the page ...", file=sys.stderr, flush=True)
    from ddpm_demo.ui.environment import prepare_environment

    prepare_environment(share=arguments.share)  # before Gradio is imported, and what takes long
    from ddpm_demo.machine.processors import take_processors
    from ddpm_demo.ui.app import build_app

    take_processors()
    executor = None
    if arguments.cluster:
        from ddpm_demo.films.cluster.ray_pool import cluster_executor

        executor = cluster_executor(arguments.cluster, local, or_here=arguments.cluster_or_here)
    return build_app(
        arguments.checkpoint,
        training=not arguments.no_training,
        metrics=arguments.metrics,
        lessons=arguments.lessons,
        executor=executor,
    )


def serve_page(demo: Any, arguments: argparse.Namespace) -> None:
    """Serve the page where the options say, until it is stopped."""
    from ddpm_demo.ui.server import ListenOptions, serve
    from ddpm_demo.ui.words.language import known_code

    code = known_code(arguments.language) if arguments.language else None
    where = ListenOptions(arguments.host, arguments.port, arguments.root_path, arguments.share, code)
    serve(demo, where, browser=arguments.open, quiet=arguments.quiet)


def local_workers(where: str) -> int:
    """Return N for `local:N`, and 0 for the address of a cluster; raise ConfigError for what is neither."""
    if where.startswith(LOCAL):
        count = where.removeprefix(LOCAL)
        if not count.isdecimal() or not 1 <= int(count) <= MOST_LOCAL:
            raise ConfigError(f"--cluster local:N takes 1 to {MOST_LOCAL} workers, got {where!r}")
        return int(count)
    host, _, port = where.rpartition(":")
    if where != "auto" and (not host or "/" in where or not port.isdecimal()):
        raise ConfigError(f"--cluster must be local:N, or the HOST:PORT of a Ray cluster, got {where!r}")
    return 0


def check_ray() -> None:
    """Raise DemoError with what to install unless Ray is there."""
    if importlib.util.find_spec("ray") is None:
        raise DemoError('--cluster needs Ray: pip install "ddpm-demo[cluster]"')
