"""The door: builds the page as `demo`, as Hugging Face Spaces wants it, and launches it when run."""

from ddpm_demo.ui import build_app, serve

demo = build_app()

if __name__ == "__main__":
    serve(demo)
