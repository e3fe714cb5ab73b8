"""What must stand in the environment before Gradio is imported; this module imports nothing of it."""

import os
from pathlib import Path

from ddpm_demo.store.files import cache_dir

LOOPBACK = "localhost,127.0.0.1,::1"


def prepare_environment(*, share: bool = False) -> None:
    """Keep Gradio to this computer: no telemetry, no proxy between the page and itself, no share link, no shared files.

    Gradio asks its own address whether it stands, by way of whatever proxy the variables name, and makes an HTTP client
    when it is imported, which fails under a SOCKS proxy. The page needs no proxy, so none is seen; only with `share`,
    whose link may lie behind one, they hold for other addresses.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.pop("GRADIO_SHARE", None)
    for name in ("NO_PROXY", "no_proxy"):
        before = os.environ.get(name, "")
        os.environ[name] = ",".join(part for part in (before, LOOPBACK) if part) if share else "*"
    # the shared folder for temporary files may hold a `gradio` that belongs to somebody else
    if "GRADIO_TEMP_DIR" not in os.environ:
        os.environ["GRADIO_TEMP_DIR"] = str(Path(cache_dir()).absolute() / "uploads")
