"""`ddpm-demo app`: the page."""

import argparse

from ddpm_demo.core.config import ConfigError


def run_app(arguments: argparse.Namespace) -> int:
    """`ddpm-demo app`: start the web page and wait until it is stopped."""
    if arguments.port is not None and not 1 <= arguments.port <= 65535:
        raise ConfigError(f"--port must be a whole number from 1 to 65535, got {arguments.port}")
    from ddpm_demo.machine.processors import take_processors
    from ddpm_demo.ui.app import build_app, serve

    take_processors()
    demo = build_app(
        arguments.checkpoint,
        training=not arguments.no_training,
        metrics=arguments.metrics,
        lessons=arguments.lessons,
    )
    serve(demo, host=arguments.host, port=arguments.port)
    return 0
