"""The page's tile in JupyterLab's launcher: jupyter-server-proxy finds it by the package's entry point."""

import sys
from pathlib import Path
from typing import Any

ICON = Path(__file__).resolve().parent.parent / "ui" / "static" / "icon.svg"
START_SECONDS = 300  # until the page must answer: the first import of PyTorch from a hub's network disk takes minutes


def server_process() -> dict[str, Any]:
    """Return how jupyter-server-proxy starts the page, in its own terms.

    The page finds by itself under which path the proxy shows it.
    """
    return {
        "command": [sys.executable, "-m", "ddpm_demo", "app", "--quiet", "--port", "{port}"],
        "environment": {"PYTHONSAFEPATH": "1"},  # the folder of the notebooks may hold a random.py or a torch.py
        "timeout": START_SECONDS,
        "launcher_entry": {"title": "How diffusion draws a digit", "icon_path": str(ICON)},
    }
