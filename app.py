"""The door: builds the page as `demo`, as Hugging Face Spaces wants it, and launches it when run."""

import sys

from ddpm_demo.memory import keep_freed_memory
from ddpm_demo.ui import build_app, serve

demo = build_app(training="--no-training" not in sys.argv[1:])

if __name__ == "__main__":
    keep_freed_memory()
    serve(demo)
