"""The whole page laid out once, and sent in two languages."""

import json
import re

import pytest

from ddpm_demo.ui.app import build_app
from ddpm_demo.ui.words import page
from ddpm_demo.ui.words.language import language


@pytest.fixture(scope="module")
def components():
    """Every component's properties, in English and in German, in pairs."""
    with pytest.MonkeyPatch.context() as patch:
        app = build_app()
        app.config = app.get_config_file()
        found = []
        for code in ("en", "de"):
            patch.setattr(page, "visitors_language", lambda code=code: language(code))
            found.append({part["id"]: part["props"] for part in app.config["components"]})
    return [(found[0][key], found[1][key]) for key in found[0]]


def options(props):
    """The (text, name) of a choice of Gradio's or of our own list."""
    if listed := re.search(r'"options": (\[\[.*?\]\])', props.get("js_on_load") or ""):
        return [tuple(pair) for pair in json.loads(listed[1])]
    return [tuple(pair) for pair in props.get("choices") or ()]


def test_what_the_fields_send_is_the_same_in_every_language(components):
    said = set()
    for english, german in components:
        assert [name for _, name in options(english)] == [name for _, name in options(german)]
        said |= {
            there for (here, _), (there, _) in zip(options(english), options(german), strict=True) if here != there
        }
        if options(english):
            assert english["value"] == german["value"]
    assert {"Minuten", "keiner"} <= said


def test_labels_and_prose_are_said_in_it(components):
    labels = [(english.get("label"), german.get("label")) for english, german in components]
    assert ("Digit", "Ziffer") in labels
    values = [(english.get("value"), german.get("value")) for english, german in components]
    assert ("# How diffusion draws a digit", "# Wie Diffusion eine Ziffer zeichnet") in values


def test_every_event_that_answers_in_words_answers_in_the_visitors():
    """`event` makes it so; what answers with pictures, names and values alone does without."""
    wordless = {"follow_screen", "guide_of", "show_first", "choose", "restore", "restore_film", "<lambda>"}
    handlers = [block.fn for block in build_app().fns.values() if block.fn is not None]
    assert {fn.__qualname__.split(".")[-1] for fn in handlers if not hasattr(fn, "__wrapped__")} <= wordless
