"""The door: builds the page as `demo`, as Hugging Face Spaces wants it, and launches it when run."""

import sys

from ddpm_demo.machine.freed_memory import keep_freed_memory
from ddpm_demo.machine.processors import take_processors
from ddpm_demo.ui.environment import prepare_environment

prepare_environment()  # before Gradio is imported

from ddpm_demo.ui.app import build_app  # noqa: E402
from ddpm_demo.ui.server import serve  # noqa: E402

keep_freed_memory()
take_processors()
demo = build_app(training="--no-training" not in sys.argv[1:])

if __name__ == "__main__":
    serve(demo)
