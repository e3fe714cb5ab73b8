"""What a page sends, whatever it is, gets one sentence: never HTTP 500, and never a folder of the server."""

import base64
import math
from pathlib import Path

import gradio as gr
import numpy as np
import orjson
import pytest

from ddpm_demo.core.config import ConfigError
from ddpm_demo.store.files import cache_dir
from ddpm_demo.ui.app import build_app
from ddpm_demo.ui.parts.bridge import UNEXPECTED, event, server_function, without_folders
from ddpm_demo.ui.parts.readers import flag, from_base64, image_of, named_values, number, one_of, some_of, whole
from ddpm_demo.ui.tabs import train
from ddpm_demo.ui.tabs.train_desk import Desk

HOSTILE = {
    "nothing": None,
    "true": True,
    "a list": [],
    "a list of lists": [[["lite"]]],
    "a mapping": {"lite": {}},
    "NaN": math.nan,
    "infinity": math.inf,
    "a fraction": 3.7,
    "minus one": -1,
    "1e308": 1e308,
    "400 digits": 10**400,
    "no text": "",
    "an emoji": "🙂",
    "half a surrogate pair": "\ud83d",
    "a zero byte": "lite\0",
    "a path": "../../../etc/passwd",
    "wrong base64": "====",
    "short base64": "AAAA",
    "long text": "9" * 100_000,
}
ANSWERS_ALL = {"branch"}  # whose every good value would be denoised twelve times
GOOD_FLOATS = base64.b64encode(np.zeros(784, "<f4").tobytes()).decode()
# what is good of every name, so that one bad value gets past the readers of the others
GOOD = {
    "checkpoint": "lite", "network": "lite", "stage": "blocks.0", "alpha_bar": 0.5, "x_t": GOOD_FLOATS,
    "x0": GOOD_FLOATS, "t": 10, "seed": 0, "row": 3, "col": 3, "frozen": True, "dilations": [1, 2], "step": 0,
    "kind": "link", "frame": 0, "digit": 0, "action": "rename", "name": "mine", "run": "none",
    "sitting": "", "offset": 0, "classes": ["3"], "minutes": 1,
    "pixels": base64.b64encode(np.random.default_rng(0).bytes(5 * 784)).decode(),
}  # fmt: skip


@pytest.fixture(scope="module")
def page():
    """The whole page; nothing on it trains."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Desk, "start", lambda desk, settings, drawings=None, first=None: {"run": "a run", "key": "a key"})
        patch.setattr(train, "estimate", lambda *_: None)
        patch.setattr(train, "describe_estimate", lambda _: "soon")
        yield build_app()


class Watched(dict):
    """A question that remembers which of its values were asked for."""

    def __init__(self, values):
        super().__init__(values)
        self.read = []

    def get(self, name, default=None):
        self.read.append(name)
        return super().get(name, default)


def functions_of(page):
    """Every function that the page's JavaScript can call, by name."""
    return {fn.__name__: fn for block in page.blocks.values() for fn in getattr(block, "server_fns", [])}


def events_of(page):
    """Every event that hands values of the page to Python: its function, and the values at the start."""
    for block_fn in page.fns.values():
        inputs = [component.value for component in block_fn.inputs]
        if block_fn.fn is not None and inputs:
            yield block_fn.fn, inputs


def test_every_function_and_event_is_tried(page):
    expected = {
        "inspect_step", "take_home", "path_cloud", "path_trails", "branch", "read_picture", "look", "inside",
        "count_paths", "influence", "live", "moment", "look_back", "control", "shelf", "change",
        "read_sign", "preview_set", "start_own", "read_zip", "complete_digit",
    }  # fmt: skip
    assert expected <= set(functions_of(page))
    assert len(list(events_of(page))) >= 20


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_question_of_any_kind_gets_a_sentence(page, value):
    for name, function in functions_of(page).items():
        watched = Watched(GOOD)
        questions = [value, dict.fromkeys(GOOD, value)]
        if name not in ANSWERS_ALL:
            function(watched)
            questions += [{**GOOD, asked: value} for asked in set(watched.read)]
        for question in questions:
            answer = function(question)
            orjson.dumps(answer)  # as Gradio sends it; half a surrogate pair would not go
            assert answer.get("error") != UNEXPECTED, (name, question)


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_an_event_of_any_kind_gets_a_sentence(page, value):
    for function, inputs in events_of(page):
        for k in [None, *range(len(inputs))]:
            values = [value if k in (None, i) else usual for i, usual in enumerate(inputs)]
            message = ""
            try:
                function(*values)
            except gr.Error as error:
                message = error.message
            assert message != UNEXPECTED, (function, values)
            orjson.dumps(message)


def test_a_fault_of_the_program_is_one_sentence_and_a_traceback_in_the_terminal(capsys):
    @server_function
    def ask(_):
        raise KeyError("secret")

    @event
    def press():
        raise KeyError("secret")

    assert ask(1) == {"error": UNEXPECTED}
    with pytest.raises(gr.Error, match="went wrong on the server"):
        press()
    assert capsys.readouterr().err.count("KeyError: 'secret'") == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/ada/x.safetensors is no checkpoint", "x.safetensors is no checkpoint"),
        ("cannot write '/srv/deep/down/model': full", "cannot write 'model': full"),
        ("cannot write C:\\Users\\Ada\\x.png: full", "cannot write x.png: full"),
        ("there is no directory /srv", "there is no directory srv"),
        ("steps must be from 1/2 to 3 / 4, and/or none", "steps must be from 1/2 to 3 / 4, and/or none"),
        ("half of \ud83d", "half of ?"),
    ],
)
def test_no_folder_of_the_server_is_shown(text, shown):
    assert without_folders(text) == shown


def test_folders_with_spaces_are_not_shown_either(monkeypatch, tmp_path):
    monkeypatch.setenv("DDPM_DEMO_CACHE", str(tmp_path / "my own cache"))
    path = cache_dir() / "runs" / "2026" / "model.safetensors"
    assert without_folders(f"{path} is no checkpoint") == f"{Path('2026/model.safetensors')} is no checkpoint"
    assert str(tmp_path) not in without_folders(f"cannot write {cache_dir()}: full")


@pytest.mark.parametrize("value", [True, None, "3", 3.5, math.nan, 10**400, -1, 11, [3]])
def test_whole_numbers(value):
    assert whole("n", 3.0, 0, 10) == 3
    with pytest.raises(ConfigError, match="n must be a whole number from 0 to 10"):
        whole("n", value, 0, 10)


@pytest.mark.parametrize("value", [True, None, "3", math.nan, math.inf, 10**400, 0, 10.001, [3]])
def test_numbers(value):
    assert number("x", 10, 0, 10, above=True) == 10.0
    with pytest.raises(ConfigError, match="x must be more than 0 and at most 10"):
        number("x", value, 0, 10, above=True)


def test_names_are_those_that_were_offered():
    assert one_of("a", {"a": 1}, "no") == "a"
    assert some_of(["b", "a"], ["a", "b"], "no") == ["b", "a"]
    for bad in ("A", None, ["a"], {"a": 1}, 1):
        with pytest.raises(ConfigError, match="no"):
            one_of(bad, {"a": 1}, "no")
        with pytest.raises(ConfigError, match="no"):
            some_of([bad], ["a"], "no")
    with pytest.raises(ConfigError, match="no"):
        some_of("ab", ["a", "b"], "no")
    for bad in (0, None, "true"):
        with pytest.raises(ConfigError, match="true or false"):
            flag("frozen", bad)
        with pytest.raises(ConfigError, match="needs row"):
            named_values(bad, "row")


def test_base64_in_both_alphabets():
    content = bytes(range(250, 256)) + b"?"
    assert from_base64(base64.b64encode(content).decode(), "no", most=7) == content
    assert from_base64(base64.urlsafe_b64encode(content).decode().rstrip("="), "no", most=7, url_safe=True) == content
    for bad in ("é", "A", "AA==\n", "\ud83d", 3, None, base64.b64encode(bytes(20)).decode()):
        with pytest.raises(ConfigError, match="no"):
            from_base64(bad, "no", most=7)


def test_pictures_are_784_finite_numbers():
    def sent(values):
        return base64.b64encode(np.asarray(values, "<f4").tobytes()).decode()

    assert image_of(sent(np.full(784, -1)), "a digit", most=1).shape == (1, 1, 28, 28)
    for bad in (sent(np.full(783, 0)), sent(np.full(784, 1.01)), sent([np.nan] * 784), "AAAA", None):
        with pytest.raises(ConfigError, match="a digit must be 784 numbers from -1 to 1"):
            image_of(bad, "a digit", most=1)
    assert float(image_of(sent(np.full(784, 7)), "x_t").max()) == 7
