"""The bridge to the browser: components that modules in `static/` fill, and how the server answers their questions."""

import base64
import contextlib
import functools
import json
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote

import gradio as gr
import numpy as np
import plotly

from ddpm_demo.core.config import DemoError
from ddpm_demo.store.files import assets_dir, cache_dir
from ddpm_demo.ui.words.language import ENGLISH, Language, in_language
from ddpm_demo.ui.words.page import translated
from ddpm_demo.ui.words.visitor import for_visitor
from ddpm_demo.words.sentence import say, sentence_in

Function = TypeVar("Function", bound=Callable[..., Any])

UNEXPECTED = say("something went wrong on the server; whoever started it can find the details in its terminal")
A_FOLDER = say("a folder of the server")
NOT_LOADED = say(
    "This part of the page could not be loaded. Reload the page; if that does not help, the server has stopped or a "
    "file of ddpm_demo is missing: start or install it again."
)
# an absolute path up to its last name: /home/ada/runs/ of /home/ada/runs/model.safetensors, C:\\Users\\ of C:\\Users\\x
FOLDERS = re.compile(r"(?<![\w.:/\\])(?:[A-Za-z]:)?[/\\]+(?:[^/\\\s'\",;]+[/\\]+)*(?=[^/\\\s])")
STATIC = Path(__file__).resolve().parent.parent / "static"
FILES_PATH = "/gradio_api/file="  # where Gradio serves them
PLOTLY_JS = Path(plotly.__file__).resolve().parent / "package_data" / "plotly.min.js"


def serve_static_files() -> None:
    """Let the page fetch the browser modules and Plotly's own script, and nothing else."""
    gr.set_static_paths([STATIC, PLOTLY_JS])


def file_address(path: Path) -> str:
    """Return where the app has a file, below its root, as the server reads it."""
    return FILES_PATH + path.as_posix()


def static_url(path: Path) -> str:
    """Return the address of a static file, below the root of the app; its folder may be called `Homework #3`.

    Raises DemoError where a folder's name holds what no address can: a line break, or bytes that are not UTF-8.
    """
    address = path.as_posix()
    try:
        if "\n" in address or "\r" in address:
            raise ValueError
        return FILES_PATH + quote(address)
    except ValueError:
        raise DemoError(
            f"the page cannot be served from {address!r}: give the folder a name without odd bytes"
        ) from None


def browser_component(
    module: str,
    value: dict[str, Any] | str | Callable[[Language], dict[str, Any]] | None,
    *,
    elem_id: str,
    server: Sequence[Callable[[Any], dict[str, Any]]] | None = None,
    given: dict[str, Any] | None = None,
    **layout: Any,
) -> gr.HTML:
    """Return a component that `static/<module>.js` fills and keeps up to date from `value`, which is plain JSON.

    The value may be a function that makes one for the visitor's language. The module can call the functions in
    `server` by their names, with one JSON value, and gets one back; its `trigger` brings about one of the component's
    events, such as `submit`. `given` is what the module has once and for all: Gradio forgets a component's own
    properties at its first update, even at `gr.skip()`. `layout` is Gradio's own, such as `min_width`.
    """
    url, functions = static_url(STATIC / f"{module}.js"), "server" if server else "null"

    def in_words(language: Language) -> dict[str, Any]:
        given_there, refusal = in_language((given, NOT_LOADED), language)
        script = f"""
            const root = window.gradio_config?.root ?? "";
            const functions = {functions};
            const given = {json.dumps(given_there)};
            const refuse = (error) => {{
                element.querySelector(".ddpm-mount").textContent = {json.dumps(refusal)};
                console.error(error);
            }};
            import(root + "{url}").then((m) => m.mount(element, props, watch, functions, trigger, given), refuse);
        """
        return {"js_on_load": script, "value": value(language) if callable(value) else in_language(value, language)}

    component = gr.HTML(
        **in_words(ENGLISH),
        html_template='<div class="ddpm-mount"></div>',
        elem_id=elem_id,
        padding=False,
        server_functions=list(server) if server else None,
        **layout,
    )
    return translated(component, in_words)


# For every event that sends a number, or what is chosen in a list: its reader says what may be sent, in a sentence of
# ours. Gradio would answer a number outside a field's limits with HTTP 500 and a sentence of its own, and compare a
# choice with the list that it answered last, which on a busy machine is not the one that the page shows.
AS_SENT: dict[str, Any] = {"preprocess": False}


def chart_value(figure: dict[str, Any], *, label: str) -> dict[str, Any]:
    """Return what the page needs to draw a Plotly figure; `label` says in words what it shows."""
    return {"figure": figure, "label": label, "plotly": static_url(PLOTLY_JS)}


def server_function(function: Function) -> Function:
    """Make a function that the page's JavaScript calls answer `{"error": sentence}` where it raises.

    The sentence is a DemoError's own, without the folders of the server. Anything else that is raised is a bug in
    this program: the traceback goes to the terminal, and the visitor is told so. Gradio alone would answer HTTP 500.
    """

    @functools.wraps(function)
    def answer(*arguments: Any, **named: Any) -> Any:
        try:
            return for_visitor(function(*arguments, **named))
        except Exception as error:
            return {"error": sentence_of(error)}

    return answer  # type: ignore[return-value]


def event(function: Function) -> Function:
    """Make a function that answers a Gradio event show what it raises as `server_function` would."""

    @functools.wraps(function)
    def answer(*arguments: Any, **named: Any) -> Any:
        try:
            return for_visitor(function(*arguments, **named))
        except Exception as error:
            _show(error)

    return answer  # type: ignore[return-value]


def _show(error: Exception) -> NoReturn:
    if isinstance(error, gr.Error):
        raise error
    raise gr.Error(sentence_of(error), print_exception=False) from None


def sentence_of(error: Exception) -> str:
    """Return what a visitor is told about an error: one sentence in their language, without the server's folders."""
    return without_folders(for_visitor(reported(error)))


def reported(error: Exception) -> str:
    """Return the sentence about an error that any visitor may be told; a bug's traceback goes to the terminal."""
    if isinstance(error, DemoError):
        return sentence_in(error)
    traceback.print_exception(error, file=sys.stderr)
    return UNEXPECTED


def without_folders(text: str) -> str:
    """Return a sentence with every absolute path cut to its last name: the rest is no visitor's business.

    The folders that this program uses are removed whole, whatever their names; a pattern finds others, up to a space.
    """
    folder = str(for_visitor(A_FOLDER))
    known = {Path(tempfile.gettempdir()), assets_dir(), cache_dir(), cache_dir() / "runs", STATIC}
    for place in (Path.cwd, Path.home):
        with contextlib.suppress(OSError, RuntimeError):  # a folder that was deleted; a user without a home
            known.add(place())
    names = {str(path) for path in known} | {str(path.resolve()) for path in known}
    for name in sorted(names, key=len, reverse=True):
        if len(name) > len(Path(name).anchor):
            text = text.replace(name + os.sep, "").replace(name, folder)
    text = FOLDERS.sub("", text)
    return text.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair cannot be sent


def base64_of(array: np.ndarray) -> str:
    """Return an array's bytes, little-endian, as base64 text."""
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return base64.b64encode(little.tobytes()).decode("ascii")
