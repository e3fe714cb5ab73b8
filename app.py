"""The door: builds the page as `demo`, as Hugging Face Spaces wants it, and launches it when run."""

import sys

from ddpm_demo.memory import keep_freed_memory
from ddpm_demo.ui import build_app, serve
from ddpm_demo.ui.turns import NETWORK

keep_freed_memory()
NETWORK.take_processors()
demo = build_app(training="--no-training" not in sys.argv[1:])

if __name__ == "__main__":
    serve(demo)
