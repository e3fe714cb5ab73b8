"""The page's Python side, without a browser: what is sent, and what is refused."""

import base64

import gradio as gr
import numpy as np
import pytest

from ddpm_demo import checkpoint
from ddpm_demo.config import ConfigError
from ddpm_demo.data import load_mnist
from ddpm_demo.ui import build_app
from ddpm_demo.ui.generate import MAX_IMAGES, generate, load_placed
from ddpm_demo.ui.noise import another_digit, noise_value, show_digit
from ddpm_demo.ui.receptive import PATTERNS, describe
from ddpm_demo.ui.schedule import half_life, spec_note

SPEC, NO_CLIP = "DDPM, the spec's rule (σ² = β)", "none"


@pytest.fixture(scope="module")
def lite():
    return load_placed(checkpoint.find("lite"))


def test_the_page_gets_the_true_digit_noise_and_table(linear):
    value = noise_value(7, 0, 3)
    x0 = np.frombuffer(base64.b64decode(value["x0"]), "<f4").reshape(28, 28)
    digits, labels = load_mnist(train=False)
    assert labels[value["index"]] == 7
    np.testing.assert_allclose((x0 + 1) * 127.5, digits[value["index"]].numpy(), atol=1e-4)
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(value["alpha_bar"]), "<f8"), linear.alpha_bar.numpy())
    assert noise_value(7, 0, 3) == value
    assert noise_value(7, 0, 4)["eps"] != value["eps"]


@pytest.mark.parametrize("arguments", [(7, 1028, 0), (7, -1, 0), (7, 0, -1), (7, 0, 2**31)])
def test_a_digit_or_seed_that_does_not_exist_is_refused(arguments):
    with pytest.raises(ConfigError, match=r"from 0 to (1027|2147483647)"):
        noise_value(*arguments)


@pytest.mark.parametrize("bad", [None, float("nan"), float("inf"), 3.7, True, "7"])
def test_values_past_the_interface_get_a_sentence(bad):
    with pytest.raises(gr.Error, match="must be a whole number"):
        show_digit("7", bad, 0)
    with pytest.raises(gr.Error, match="must be a whole number"):
        show_digit("7", 0, bad)


@pytest.mark.parametrize("bad", ["ten", "", None, 7, "-1"])
def test_a_class_past_the_interface_gets_a_sentence(bad):
    with pytest.raises(gr.Error, match="choose a digit from 0 to 9"):
        another_digit(bad, 0)


def test_the_film_holds_every_step_in_order(lite):
    values = list(generate(lite, SPEC, NO_CLIP, 12, 0, 3, 5))
    times = [t for value in values for t in value["t"]]
    assert times == [*lite.schedule.timesteps(12), -1]
    frames = np.concatenate(
        [np.frombuffer(base64.b64decode(v["frames"]), np.uint8).reshape(-1, 3, 28, 28) for v in values]
    )
    assert len(frames) == 13
    assert [v["first"] for v in values] == np.cumsum([0] + [len(v["t"]) for v in values])[:-1].tolist()
    assert values[-1]["done"] == 1
    assert len({v["run"] for v in values}) == 1


def test_the_page_draws_what_the_command_line_draws(lite, tmp_path, capsys):
    from ddpm_demo.cli import main

    *_, last = generate(lite, SPEC, NO_CLIP, 8, 0, 4, 11)
    shown = np.frombuffer(base64.b64decode(last["frames"]), np.uint8).reshape(-1, 4, 28, 28)[-1]
    out = tmp_path / "s.npz"
    assert main(["sample", "--n", "4", "--steps", "8", "--seed", "11", "--out", str(out)]) == 0
    np.testing.assert_array_equal(np.load(out)["images"], shown)


@pytest.mark.parametrize(
    "settings",
    [
        ("Euler", NO_CLIP, 10, 0, 1, 0),
        (SPEC, "sometimes", 10, 0, 1, 0),
        (SPEC, NO_CLIP, 0, 0, 1, 0),
        (SPEC, NO_CLIP, 1001, 0, 1, 0),
        (SPEC, NO_CLIP, float("nan"), 0, 1, 0),
        (SPEC, NO_CLIP, "10", 0, 1, 0),
        (SPEC, NO_CLIP, True, 0, 1, 0),
        (SPEC, NO_CLIP, 10, 1.5, 1, 0),
        (SPEC, NO_CLIP, 10, None, 1, 0),
        (SPEC, NO_CLIP, 10, 0, MAX_IMAGES + 1, 0),
        (SPEC, NO_CLIP, 10, 0, 1e12, 0),
        (SPEC, NO_CLIP, 10, 0, 1, -3),
        (SPEC, NO_CLIP, 10, 0, 1, 2**40),
    ],
)
def test_settings_past_the_interface_are_refused(lite, settings):
    with pytest.raises(ConfigError):
        next(generate(lite, *settings))


def test_the_receptive_field_table_is_computed():
    figure, table = describe(next(iter(PATTERNS)))
    assert figure["figure"]["data"][0]["y"] == [7, 9, 11, 17, 23, 41, 59, 113, 167, 169]
    assert "wider than the image from block 4 on" in table
    assert "12.8 %" in table
    figure, table = describe("no dilation: 1 1 1 1 1 1 1 1")
    assert figure["figure"]["data"][0]["y"][-1] == 25
    assert "never as wide as the image" in table


def test_the_schedules_sentences_are_computed(linear):
    assert "between t = 258 and 259" in half_life("linear", linear)
    assert all(figure in spec_note(linear) for figure in ("0.99978", "0.0778", "4.04e-05"))


def test_a_chosen_checkpoint_comes_first():
    demo = build_app("lite")
    names = [b.choices for b in demo.blocks.values() if isinstance(b, gr.Dropdown) and b.label == "Checkpoint"]
    assert names[0][0] == ("lite", "lite")
