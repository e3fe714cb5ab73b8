"""The bridge to the browser: one `gr.HTML` component that hands its value to a module of `static/`."""

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import plotly

from ddpm_demo.core.config import ConfigError

MAX_SEED = 2**31 - 1
STATIC = Path(__file__).resolve().parent / "static"
PLOTLY_JS = Path(plotly.__file__).resolve().parent / "package_data" / "plotly.min.js"


def serve_static_files() -> None:
    """Let the page fetch the browser modules and Plotly's own script, and nothing else."""
    gr.set_static_paths([STATIC, PLOTLY_JS])


def static_url(path: Path) -> str:
    """Return the address of a static file, below the root of the app."""
    return f"/gradio_api/file={path.as_posix()}"


def browser_component(
    module: str,
    value: dict[str, Any] | None,
    *,
    elem_id: str,
    server: Sequence[Callable[[Any], dict[str, Any]]] | None = None,
) -> gr.HTML:
    """Return a component that `static/<module>.js` fills and keeps up to date from `value`, which is plain JSON.

    The module can call the functions in `server` by their names, with one JSON value, and gets one back.
    """
    url = static_url(STATIC / f"{module}.js")
    return gr.HTML(
        value,
        html_template='<div class="ddpm-mount"></div>',
        js_on_load=f"""
            const root = window.gradio_config?.root ?? "";
            const functions = {"server" if server else "null"};
            import(root + "{url}").then((m) => m.mount(element, props, watch, functions));
        """,
        elem_id=elem_id,
        padding=False,
        server_functions=list(server) if server else None,
    )


def chart(figure: dict[str, Any], *, label: str, elem_id: str) -> gr.HTML:
    """Return a Plotly chart; `label` says in words what it shows."""
    return browser_component("chart", chart_value(figure, label=label), elem_id=elem_id)


def chart_value(figure: dict[str, Any], *, label: str) -> dict[str, Any]:
    """Return the value of a `chart`: what an event gives it to draw something else."""
    return {"figure": figure, "label": label, "plotly": static_url(PLOTLY_JS)}


def whole(name: str, value: object, low: int, high: int) -> int:
    """Return a number that came from the page as an int; raise ConfigError unless it is whole and from low to high.

    Gradio's own limits let None, NaN, true, text and 3.7 through.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high and value == int(value):
        return int(value)
    raise ConfigError(f"{name} must be a whole number from {low} to {high}")


def base64_of(array: np.ndarray) -> str:
    """Return an array's bytes, little-endian, as base64 text."""
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return base64.b64encode(little.tobytes()).decode("ascii")
