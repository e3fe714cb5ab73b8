"""`ddpm-demo app`: the page."""

import argparse
import re
import sys

from ddpm_demo.core.config import ConfigError
from ddpm_demo.store.files import user_path


def run_app(arguments: argparse.Namespace) -> int:
    """`ddpm-demo app`: start the web page and wait until it is stopped."""
    if arguments.port is not None and not 1 <= arguments.port <= 65535:
        raise ConfigError(f"--port must be a whole number from 1 to 65535, got {arguments.port}")
    root_path = arguments.root_path
    if root_path is not None and not re.fullmatch(r"(https?://[^\s/?#]+)?(/[^\s?#]*)?", root_path):
        raise ConfigError(f"--root-path must be a path such as /diffusion, got {root_path!r}")
    if arguments.checkpoint:
        user_path(arguments.checkpoint, "a checkpoint")  # refuses what no file can be called
    if not arguments.quiet:  # two to ten seconds of imports on a slow computer
        print("ddpm-demo: loading PyTorch and the page ...", file=sys.stderr, flush=True)
    from ddpm_demo.machine.processors import take_processors
    from ddpm_demo.ui.environment import prepare_environment

    prepare_environment(share=arguments.share)  # before Gradio is imported
    from ddpm_demo.ui.app import build_app
    from ddpm_demo.ui.server import Listening, serve

    take_processors()
    demo = build_app(
        arguments.checkpoint,
        training=not arguments.no_training,
        metrics=arguments.metrics,
        lessons=arguments.lessons,
    )
    where = Listening(arguments.host, arguments.port, root_path, arguments.share)
    serve(demo, where, browser=arguments.open, quiet=arguments.quiet)
    return 0
