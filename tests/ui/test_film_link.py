"""Links to films: every form of them there was, and what becomes of them in other programs' hands."""

import json
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from starlette.datastructures import QueryParams

from ddpm_demo.networks.recommended import RECOMMENDED_SAMPLER
from ddpm_demo.ui.film.film_link import link_text, read_film_link
from ddpm_demo.ui.film.film_settings import SETTINGS, FilmSettings, read_film_settings, recommended_settings
from ddpm_demo.ui.film.form import build_film_form
from ddpm_demo.ui.film.form_words import settings_of_words
from ddpm_demo.ui.film.generate_tab import PRESS_START, GenerateTab

gr = pytest.importorskip("gradio")

FIRST = FilmSettings("lite", variance="beta", clip="none", eta=1.0, n=16, seed=7)  # 0~0~50~1~16~7~lite
GUIDED = replace(FIRST, guide="tiny", guide_weight=2.5)
ASKED = replace(GUIDED, digit=7, digit_weight=4.0, first=700, last=300, limit_guide=False)
NEW = "2.checkpoint-lite.sampler-ddpm.variance-posterior.clip-x0.steps-50.n-16.seed-7.guide-tiny.guideweight-2.5.end"
NEW_SETTINGS = recommended_settings("lite", seed=7)
NAMES = ["a~b", "a~", "run (2)", "my 64-channel run 1", "a.b, +c=(d)-_", "Übung", "数字", "R&D?x=1#y", "50%", "a%25",
         "lite.safetensors", "constructor", "__proto__", "<b>`*", "2.checkpoint-lite", "end", "50", "a\\b"]  # fmt: skip


def restored(query, checkpoints=("lite", "tiny")):
    """What the page is told: the settings that it shows (None: they stay as they were), the note, and the press."""
    fields = [name for name in SETTINGS if name not in ("variance", "final_noise")]
    tab = GenerateTab(dict.fromkeys(fields), None, dict.fromkeys(checkpoints), None)
    *values, note, press = tab.restore_film(SimpleNamespace(query_params=QueryParams(query)))
    if not isinstance(press, dict) or "open" not in press:
        return None, note, press
    shown = {name: value for name, value in zip(fields, values, strict=True) if not isinstance(value, dict)}
    return (read_film_settings(settings_of_words(shown)) if shown else None), note, press


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("0~0~50~1~16~7~lite", FIRST),
        ("1~0~50~1~16~7~lite", replace(FIRST, variance="posterior")),
        ("2~0~50~1~16~7~lite", replace(FIRST, sampler="ddim")),
        ("3~0~50~1~16~7~lite", replace(FIRST, sampler="dpmpp")),
        ("0~1~50~1~16~7~lite", replace(FIRST, clip="x0")),
        ("0~2~77~0.35~9~2147483647~lite", replace(FIRST, clip="x_t", steps=77, eta=0.35, n=9, seed=2**31 - 1)),
        ("0~0~50~1~16~7~lite~tiny~2.5", GUIDED),
        ("0~0~50~1~16~7~lite~tiny~2.5~7~4~700~300", ASKED),
        ("0~0~50~1~16~7~lite~tiny~2.5~7~4~700~300~1", replace(ASKED, limit_guide=True)),
        ("0~0~50~1~16~7~lite~tiny~2.5~7~4~~0", replace(ASKED, first=None, last=0, limit_guide=True)),  # no limit
        ("0~0~50~1~16~7~lite~tiny~2.5~~0~700~300~1", replace(GUIDED, first=700, last=300)),
        ("0~0~50~1~16~7~lite~— none —~1~7~4~700~300", replace(FIRST, digit=7, digit_weight=4.0, first=700, last=300)),
    ],
)
def test_links_of_the_first_version_are_still_read(text, settings):
    assert read_film_link(text, ["lite", "tiny"]) == settings
    assert read_film_link(text) == settings
    assert read_film_link(link_text(settings), ["lite", "tiny"]) == settings


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_may_be_called_anything(name):
    """A ~ in a name made links that nobody could read; the shelf allows spaces and . , + ( ) = - _, files allow all."""
    known = ["lite", "tiny", "a", "a~", name]
    for settings in (replace(FIRST, checkpoint=name), replace(GUIDED, guide=name), replace(ASKED, checkpoint=name)):
        text = link_text(settings)
        assert all(sign.isascii() and (sign.isalnum() or sign in "-._") for sign in text)
        assert text.endswith(".end")  # no sign that stands behind a sentence, and no name
        assert urlencode({"film": text}) == f"film={text}"  # nothing to encode, so nothing to encode twice
        assert read_film_link(text, known) == settings
    for old in (f"0~0~50~1~16~7~{name}", f"0~0~50~1~16~7~{name}~lite~2.5", f"0~0~50~1~16~7~lite~{name}~2.5"):
        read = read_film_link(old, known)
        assert name in (read.checkpoint, read.guide)


def test_a_link_says_what_is_meant_whatever_is_recommended_later():
    assert link_text(NEW_SETTINGS) == NEW
    everything = FilmSettings("lite", "ddim", "posterior", "ho", "x_t", 999, 0.05, 64, 0, "tiny", 0.25, 0, 0.5, 998, 1)
    text = link_text(everything)
    assert read_film_link(text) == everything
    # what a link leaves out is the spec's rule, not what the page opens with
    assert read_film_link("2.checkpoint-lite.sampler-ddpm.steps-50.n-1.seed-0.end").config.variance == "beta"
    assert RECOMMENDED_SAMPLER.variance == "posterior"


BEFORE = ["", " ", "<", '("', "**", "\u200b", "3D"]
AFTER = ["", ".", ")", ",", "*", ">", "**", ").", '"', "'", "]", "!", "?", "…", "。", ";", "_", "\\", "\u200b", "\n",
         "\r\n", " ", "\u00a0", "\ufeff", "*)\u200b.", "?utm_source=chat", "&amp;fbclid=x", "#top",
         '"> the film</a>', "<br>", "](https://host/)", "|click here>", "%2"]  # fmt: skip


@pytest.mark.parametrize("link", ["0~0~50~1~16~7~lite", "0~0~50~1~16~7~lite~tiny~2.5", NEW])
@pytest.mark.parametrize("times", [0, 1, 2])  # of encoding, besides the one that every address has
@pytest.mark.parametrize("query", ["film={}", "utm_source=x&film={}", "utm_source=x&amp;film={}", "fbclid=1?film={}"])
def test_a_mangled_link_is_repaired(link, times, query):
    expected = {"0~0~50~1~16~7~lite": FIRST, "0~0~50~1~16~7~lite~tiny~2.5": GUIDED, NEW: NEW_SETTINGS}[link]
    for before in BEFORE:
        for after in AFTER:
            text = before + link + after
            for _ in range(times):
                text = quote(text, safe="")
            settings, note, press = restored(query.format(quote(text, safe="")))
            assert settings == expected, (text, note)
            assert press == {"open": True, "press": True}


@pytest.mark.parametrize(
    "text",
    [
        NEW.replace("-", "–"),
        NEW.replace(".", ".\u200b"),
        NEW.replace(".steps", "\n.steps"),
        NEW.replace(".steps", ".ste=\nps").replace(".stete", ".ste"),
        NEW.replace("-", "\\-"),
        NEW.replace("posterior", "pos\u00adterior"),
        f"{NEW} is what I mean",
        NEW.upper(),
        NEW.replace(".", "．"),
        NEW.replace(".steps", "\n> .steps"),
    ],
)
def test_a_link_that_was_laid_out_for_people_is_repaired(text):
    assert restored(urlencode({"film": text}))[0] == NEW_SETTINGS


@pytest.mark.parametrize(
    "query",
    [f"film%3D{NEW}", f"Film={NEW}", f"u=https%3A%2F%2Fhost%2F%3Ffilm%3D{NEW}", f"t=5%26film%3D{NEW}", f"&&film={NEW}"],
)
def test_the_film_is_found_wherever_it_stands(query):
    assert restored(query)[0] == NEW_SETTINGS


@pytest.mark.parametrize("query", ["", "utm_source=x", "t=5", "films=2", "q=film", "filmstrip=2.checkpoint-lite.end"])
def test_an_address_without_a_film_opens_nothing(query):
    assert restored(query)[0] is None
    assert "open" not in restored(query)[2]


@pytest.mark.parametrize("length", range(len(NEW)))
def test_a_link_that_was_cut_off_is_not_half_read(length):
    settings, note, press = restored(urlencode({"film": NEW[:length]}))
    assert settings is None
    assert "was ignored" in note
    assert "page opens with" in note
    assert press == {"open": True}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (NEW.replace("steps-50", "steps-5000"), "`steps-5000`: the number of steps must be"),
        (NEW.replace("steps-50", "stps-50"), "`stps-50`: there is no such setting"),
        (NEW.replace("steps-50", "steps-fifty"), "`steps-fifty`: steps must be a number"),
        (NEW.replace("steps-50", "steps-50.steps-60"), "`steps-60`: it appears twice"),
        (NEW.replace("ddpm", "euler").replace("x0", "x1"), "`clip-x1`: choose one of the listed ways of clipping"),
        (NEW.replace(".steps-50", ""), "does not say steps"),
        (NEW.replace("checkpoint-lite", "checkpoint-nobodys"), "no checkpoint `nobodys` here"),
        (NEW.replace("guide-tiny", "guide-lite"), "cannot guide itself"),
        (NEW.replace(".guideweight", ".first-1.last-2.guideweight"), "must start at a timestep"),
        (NEW.replace("2.checkpoint", "3.checkpoint"), "version 3"),
        ("0~0~50~1~16~7~nobodys)", "no checkpoint `nobodys)` here"),
        ("0~0~5000~1~16~7~lite.", "steps must be a whole number"),
        ("0~0~50~1~16~7~lite~tiny", "more or fewer parts"),
        ("4~0~50~1~16~7~lite", "no samplers of number `4`"),
        ("", "it is empty"),
        ("2.end", "does not say checkpoint, sampler, steps, n, seed"),
        ("%%%`<b>`" * 50, "was not understood"),
        ("9" * 10_000, "was not understood"),
    ],
)
def test_what_is_not_understood_is_named_and_nothing_of_it_is_shown(text, part):
    settings, note, press = restored(urlencode({"film": text}))
    assert settings is None
    assert part in note
    assert "The settings are those that the page opens with" in note
    assert len(note) < 500
    assert press == {"open": True}


def test_the_browser_names_the_settings_as_python_does(node):
    """Gradio hands JavaScript the fields by position; a checkpoint may be called as what every object has."""
    with gr.Blocks():
        form = build_film_form(["lite", "tiny"])
    first = form.by_name([field.value for field in form.inputs])
    for changes in ({}, {"sampler": "DDIM", "digit": "3", "guide": "— none —"}, {"guide": "constructor"}, {"n": None}):
        fields = {**first, **changes}
        press = PRESS_START.format(named=form.named_in_browser())
        reply = node(f"reply = ({press})(...given.values);", values=list(fields.values()))
        assert reply[0]["settings"] == json.loads(json.dumps(settings_of_words(fields)))
        assert [button["interactive"] for button in reply[1:]] == [False, True]
    assert dict(parse_qsl(urlencode({"settings": json.dumps(reply[0]["settings"])}))) != {}
