"""What must be in the environment before Gradio is imported; this module imports nothing from it."""

import os

from ddpm_demo.core.config import ConfigError
from ddpm_demo.store.files import writable_cache_dir

HOST_VARIABLE, PORT_VARIABLE = "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"  # as Spaces and many containers set them
LOOPBACK = "localhost,127.0.0.1,::1"


def prepare_environment(*, share: bool = False) -> None:
    """Keep Gradio to this computer: no telemetry, no proxy between the page and itself, no share link, no shared files.

    Gradio checks that its own address answers, through whatever proxy the variables name, and makes an HTTP client
    when it is imported, which fails under a SOCKS proxy. The page needs no proxy, so none is seen; only with `share`,
    whose link may lie behind one, they hold for other addresses. Raises DemoError where the
    cache cannot be written or the variable for the port does not hold a port.
    """
    cache = writable_cache_dir()
    port = os.environ.get(PORT_VARIABLE, "")  # Gradio reads it with int(), where it is imported
    if PORT_VARIABLE in os.environ and not (port.isascii() and port.isdecimal() and 1 <= int(port) <= 65535):
        raise ConfigError(
            f"the environment variable {PORT_VARIABLE} must be a whole number from 1 to 65535, got {port!r}"
        )
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.pop("GRADIO_SHARE", None)
    for name in ("NO_PROXY", "no_proxy"):
        before = os.environ.get(name, "")
        os.environ[name] = ",".join(part for part in (before, LOOPBACK) if part) if share else "*"
    # the shared folder for temporary files may hold a `gradio` that belongs to somebody else
    if "GRADIO_TEMP_DIR" not in os.environ:
        os.environ["GRADIO_TEMP_DIR"] = str(cache / "uploads")
