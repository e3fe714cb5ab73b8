"""The door that hosts of pages look for: run, it is `ddpm-demo app`; imported, it holds the page as `demo`."""

import sys

from ddpm_demo.commands.parser import main
from ddpm_demo.core.config import DemoError

if __name__ == "__main__":
    sys.exit(main(["app", *sys.argv[1:]]))

try:
    from ddpm_demo.machine.freed_memory import keep_freed_memory
    from ddpm_demo.machine.processors import take_processors
    from ddpm_demo.ui.environment import prepare_environment

    prepare_environment()  # before Gradio is imported
    from ddpm_demo.ui.app import build_app

    keep_freed_memory()
    take_processors()
    demo = build_app()
except DemoError as error:
    sys.exit(f"ddpm-demo: {error}")
