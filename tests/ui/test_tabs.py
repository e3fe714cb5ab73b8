"""The page's Python side, without a browser: what is sent, and what is refused."""

import base64
import io
import json
import re
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from ddpm_demo.core.receptive import path_counts
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.store import checkpoint
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.app import build_app
from ddpm_demo.ui.link import read_link
from ddpm_demo.ui.parts.digits import draw_noise, gallery_digit, noise_of, own_digit, pixels_from_link, read_picture
from ddpm_demo.ui.parts.readers import parse_dilations
from ddpm_demo.ui.parts.schedules import named_configs, schedule_tables
from ddpm_demo.ui.tabs import noise
from ddpm_demo.ui.tabs.noise import another_digit, follow_screen, make_look, show_digit, show_noise
from ddpm_demo.ui.tabs.receptive import (
    DIGITS,
    OWN,
    count_paths,
    describe_receptive_field,
    from_link,
    make_influence,
    show_pattern,
)
from ddpm_demo.ui.tabs.schedule import half_life, schedule_chart, show_custom, spec_note, wasted_quarter


@pytest.fixture(scope="module")
def lite():
    return load_placed(find_checkpoint("lite"))


def floats(text, kind="<f4"):
    return np.frombuffer(base64.b64decode(text), kind)


def test_the_page_gets_the_true_digit_noise_and_tables(linear):
    digits, labels = load_mnist(train=False)
    digit = gallery_digit(7, 5)
    index = int((labels == 7).nonzero()[5])
    assert digit["name"] == f"test digit {index}, a 7"
    np.testing.assert_allclose((floats(digit["x0"]).reshape(28, 28) + 1) * 127.5, digits[index].numpy(), atol=1e-4)
    np.testing.assert_array_equal(floats(noise_of(3)["eps"]), draw_noise(3).numpy().ravel())
    assert noise_of(3) != noise_of(4)
    tables = schedule_tables()
    np.testing.assert_array_equal(floats(tables["linear"]["alpha_bar"], "<f8"), linear.alpha_bar.numpy())
    assert set(tables) == {"linear", "cosine", "custom"}


@pytest.mark.parametrize("bad", [1028, -1, None, float("nan"), float("inf"), 3.7, True, "7"])
def test_a_digit_that_does_not_exist_gets_a_sentence(bad):
    with pytest.raises(gr.Error, match="must be a whole number from 0 to 1027"):
        show_digit("7", bad)


@pytest.mark.parametrize("bad", [-1, 2**31, None, float("nan"), float("inf"), 3.7, True, "7"])
def test_a_seed_that_does_not_exist_gets_a_sentence(bad):
    with pytest.raises(gr.Error, match="the seed must be a whole number from 0 to 2147483647"):
        show_noise(bad)


@pytest.mark.parametrize("bad", ["ten", "", None, 7, "-1"])
def test_a_class_past_the_interface_gets_a_sentence(bad):
    with pytest.raises(gr.Error, match="choose a digit from 0 to 9"):
        another_digit(bad)


def test_the_receptive_field_table_is_computed():
    curve, table = describe_receptive_field((1, 1, 3, 3, 9, 9, 27, 27))
    assert curve["widths"] == curve["measured"] == [7, 9, 11, 17, 23, 41, 59, 113, 167, 169]
    assert "wider than the image from block 4 on" in table
    assert "12.8 %" in table
    curve, table = describe_receptive_field((1,) * 8)
    assert curve["widths"][-1] == 25
    assert "never as wide as the image" in table


def test_own_dilations_are_checked():
    assert parse_dilations(" 1, 2 4  81") == (1, 2, 4, 81)
    _, table, value = show_pattern(OWN, "2 2")
    assert value == {"dilations": [2, 2]}
    assert "| block 1 | 2 | 15 | 15 |" in table


@pytest.mark.parametrize("bad", ["", "0", "82", "1.5", "-1", "a", "1 " * 13, None, "²", "9" * 500, [1]])
def test_wrong_dilations_get_a_sentence(bad):
    with pytest.raises(gr.Error, match="1 to 12 dilations"):
        show_pattern(OWN, bad)
    with pytest.raises(gr.Error, match="listed patterns"):
        show_pattern("square", "1")


def test_paths_for_the_page():
    answer = count_paths({"row": 3, "col": 20, "dilations": [1, 3]})
    counts = floats(answer["counts"], "<f8").reshape(answer["layers"], 28, 28)
    for layer in range(4):
        np.testing.assert_array_equal(counts[layer], path_counts([1, 3], 28, 3, 20, layers=layer + 1).numpy())


def test_influence_for_the_page_is_the_networks_gradient(linear):
    look = make_influence({"lite": find_checkpoint("lite")})
    live, frozen = (look({"row": 14, "col": 9, "frozen": state}) for state in (False, True))
    assert all(share > 0.01 for share in live["outside"])
    assert frozen["outside"] == [0.0] * 4
    maps = floats(live["maps"]).reshape(4, 28, 28)
    digits, _ = load_mnist(train=False)
    x0 = (digits[:DIGITS, None].float() / 127.5) - 1
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
    x_t = linear.add_noise(x0, 300, eps).requires_grad_(True)
    model = checkpoint.load(find_checkpoint("lite")).model
    model(x_t, torch.full((DIGITS,), 300))[:, 0, 14, 9].sum().backward()
    np.testing.assert_allclose(maps[1], x_t.grad[:, 0].abs().mean(0).numpy(), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("bad", [None, [], {}, {"row": 28, "col": 0}, {"row": 1.5, "col": 0}, {"row": 0, "col": None}])
def test_wrong_pixels_get_a_sentence(bad):
    look = make_influence({"lite": find_checkpoint("lite")})
    assert set(look(bad)) == {"error"}
    assert set(count_paths(bad)) == {"error"}
    if isinstance(bad, dict):
        assert set(look({**bad, "row": 1, "col": 1})) == {"error"}  # frozen is missing


def test_without_a_checkpoint_the_influence_says_so():
    assert "no checkpoint" in make_influence({})({"row": 1, "col": 1, "frozen": True})["error"]


def test_the_schedules_sentences_are_computed(linear):
    assert "between t = 258 and 259" in half_life("linear", linear)
    assert all(figure in spec_note(linear) for figure in ("0.99978", "0.0778", "4.04 × 10⁻⁵"))


def test_a_chosen_checkpoint_comes_first():
    demo = build_app("lite")
    which = next(b for b in demo.blocks.values() if b.elem_id == "generate-which")
    assert which.value == "lite"
    assert json.loads(re.search(r"const given = (.*);", which.js_on_load)[1])["options"][0] == ["lite", "lite"]


def question(x_t, alpha_bar):
    return {"x_t": base64.b64encode(np.asarray(x_t, "<f4").tobytes()).decode(), "alpha_bar": alpha_bar}


def test_what_the_network_sees_is_what_it_says(lite, linear):
    look = make_look({"lite": find_checkpoint("lite")})
    for t in (0, 300, 999):
        x_t = draw_noise(t)
        answer = look(question(x_t.numpy(), linear.alpha_bar_at(t)))
        assert answer["t"] == t
        with torch.no_grad():
            expected = lite.model(x_t, torch.tensor([t]))
        np.testing.assert_array_equal(floats(answer["eps_hat"]), expected.numpy().ravel())
        assert answer["tenth"] == [t // 100 * 100, t // 100 * 100 + 99]
        assert answer["held_out"] == lite.held_out[t // 100]


def test_the_milliseconds_of_a_look_are_the_networks_without_its_waiting(monkeypatch):
    clock = [0.0]

    def crowded(work):
        clock[0] += 5.0
        return work()

    monkeypatch.setattr(noise, "NETWORK", SimpleNamespace(turn=crowded))
    monkeypatch.setattr(noise.time, "perf_counter", lambda: clock[0])
    answer = make_look({"lite": find_checkpoint("lite")})(question(draw_noise(0).numpy(), 0.5))
    assert clock == [5.0]
    assert answer["milliseconds"] == 0


def test_under_another_schedule_the_network_is_told_the_t_with_as_much_signal(linear):
    look = make_look({"lite": find_checkpoint("lite")})
    t = look(question(draw_noise(0).numpy(), 0.5))["t"]
    assert abs(linear.alpha_bar_at(t) - 0.5) < 0.003


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        "x",
        {},
        {"x_t": "", "alpha_bar": 0.5},
        {"x_t": 5, "alpha_bar": 0.5},
        question(np.zeros(783), 0.5),
        question(np.full(784, np.nan), 0.5),
        *(question(np.zeros(784), wrong) for wrong in (0, 1, -1, 2, None, "0.5", True, float("nan"))),
    ],
)
def test_questions_past_the_interface_get_a_sentence(bad):
    look = make_look({"lite": find_checkpoint("lite")})
    assert set(look(bad)) == {"error"}


def test_without_a_checkpoint_the_network_panel_says_so():
    assert "no checkpoint" in make_look({})(question(np.zeros(784), 0.5))["error"]


@pytest.mark.parametrize("bad", [None, 5, [], "", "no base64!", "aGVsbG8=", "A" * 10_000_000])
def test_pictures_past_the_interface_get_a_sentence(bad):
    assert set(read_picture(bad)) == {"error"}


def a_sheet(*digits_at, ink=20):
    sheet = Image.new("L", (400, 300), 230)
    for x in digits_at:
        ImageDraw.Draw(sheet).line([(x, 60), (x + 100, 60), (x + 40, 220)], fill=ink, width=16)
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_a_picture_comes_back_with_its_box_and_threshold_and_can_be_read_again():
    first = read_picture(a_sheet(150))
    assert first["question"] == ""
    assert first["box"] == pytest.approx([142 / 400, 52 / 300, 258 / 400, 228 / 300], abs=0.03)
    again = read_picture({"file": first["sheet"], "box": list(first["box"]), "threshold": first["threshold"]})
    assert again["link"] == first["link"]
    assert (again["width"], again["height"]) == (400, 300)


def test_two_digits_are_a_question_until_the_box_says_which():
    both = read_picture({"file": a_sheet(40, 250)})
    assert "more than one thing" in both["question"]
    left = read_picture({"file": both["sheet"], "box": [0, 0, 0.5, 1], "threshold": both["threshold"]})
    assert left["question"] == ""
    assert left["link"] == read_picture(a_sheet(40))["link"]


def test_an_empty_sheet_is_shown_with_the_question_and_without_a_digit():
    answer = read_picture(a_sheet())
    assert "nothing stands out" in answer["question"]
    assert "x0" not in answer
    assert {"sheet", "box", "threshold"} <= set(answer)


@pytest.mark.parametrize(
    "wrong",
    [{"box": box} for box in ([], [0, 0, 1], [0.5, 0, 0.5, 1], [0, 0, 2, 1], "abcd", {"a": 1}, [None] * 4)]
    + [{"threshold": value} for value in (0, 1, "x", float("nan"), [], True)],
)
def test_a_wrong_box_or_threshold_gets_a_sentence(wrong):
    assert set(read_picture({"file": a_sheet(150), **wrong})) == {"error"}


def test_a_digit_of_ones_own_survives_its_link():
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    kind, text = own_digit(pixels)["link"]
    assert kind == "pixels"
    np.testing.assert_array_equal(pixels_from_link(text), pixels)


def test_a_link_restores_everything():
    link = read_link({"digit": "3-17", "seed": "42", "schedule": "custom", "custom": "0.001,0.05,200", "t": "150"})
    assert (link.label, link.which, link.seed) == ("3", 17, 42)
    assert link.view["digit"] == gallery_digit(3, 17)
    assert link.view["noise"] == noise_of(42)
    assert (link.view["schedule"], link.view["t"], link.custom.timesteps) == ("custom", 150, 200)
    assert link.note == ""


def test_a_link_restores_pixel_stage_and_dilations():
    link = read_link({"pixel": "3-20", "stage": "blocks.6", "dilations": "1-2-4"})
    assert link.view == {"pixel": {"row": 3, "col": 20}, "stage": "blocks.6", "dilations": [1, 2, 4]}
    choice, own, *_ = from_link(link.dilations)
    assert (choice, own) == (OWN, "1 2 4")
    assert from_link((1,) * 8)[0] == "no dilation: 1 1 1 1 1 1 1 1"


def test_a_link_without_our_names_changes_nothing():
    assert read_link({"__theme": "dark", "utm": "x"}) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("digit", "7"),
        ("digit", "11-0"),
        ("digit", "7-99999"),
        ("digit", "<script>"),
        ("pixels", "AAAA"),
        ("pixels", "%%%"),
        ("seed", "-1"),
        ("seed", "1e9"),
        ("seed", "9" * 400),
        ("t", "1000"),
        ("t", "-1"),
        ("t", "NaN"),
        ("schedule", "square"),
        ("pixel", "28-0"),
        ("pixel", "3"),
        ("stage", "roof"),
        ("dilations", "0-1"),
        ("custom", "1,2"),
        ("custom", "0.5,0.1,100"),
        ("custom", "nan,0.1,100"),
        ("custom", "0.1,0.2,99999999"),
    ],
)
def test_nonsense_in_a_link_is_noted_and_ignored(name, text):
    link = read_link({name: text})
    assert name in link.note
    assert link.view == {}
    assert (link.label, link.seed) == (None, None)


def test_a_custom_schedule_changes_view_and_words():
    view, words = show_custom(0.001, 0.002, 100)
    assert "never falls below one half" in words
    alpha_bar = floats(view["tables"]["custom"]["alpha_bar"], "<f8")
    np.testing.assert_allclose(alpha_bar, np.cumprod(1 - np.linspace(0.001, 0.002, 100)), rtol=1e-12)
    assert len(schedule_chart([0.001, 0.002, 100])["figure"]["data"]) == 18


def test_the_influence_follows_a_file_that_is_written_anew(tiny, tmp_path):
    path, question = tmp_path / "run.safetensors", {"row": 14, "col": 14, "frozen": False}
    checkpoint.save(path, checkpoint.Checkpoint(tiny, ScheduleConfig(), Provenance()))
    look = make_influence({"run": path})
    first = look(question)["maps"]
    assert look(question)["maps"] == first
    with torch.no_grad():
        tiny.in_project.weight.mul_(2)
    checkpoint.save(path, checkpoint.Checkpoint(tiny, ScheduleConfig(), Provenance()))
    assert look(question)["maps"] != first


@pytest.mark.parametrize(
    "bad",
    [
        (None, 0.1, 100),
        (0.2, 0.1, 100),
        (0.1, 0.2, 5),
        (0.1, 2, 100),
        (0.1, 0.2, 10.5),
        (0.9, 0.9, 1000),
        (1e-17, 1e-17, 10),
    ],
)
def test_a_wrong_custom_schedule_gets_a_sentence(bad):
    with pytest.raises(gr.Error, match="must"):
        show_custom(*bad)


def test_the_wasted_quarter_is_computed(linear):
    from ddpm_demo.core.schedule import Schedule

    configs = named_configs(next(iter(named_configs(None).values())))
    text = wasted_quarter(linear, Schedule.from_config(configs["cosine"]))
    assert "at t = 750 linear has 0.33 %" in text
    assert "cosine 14.3 %" in text


def test_the_fields_follow_what_the_page_shows():
    assert follow_screen(gr.EventData(None, {"label": "3", "which": 5, "seed": 9})) == ("3", 5, 9)
    label, which, seed = follow_screen(gr.EventData(None, {"seed": 4}))  # a digit of one's own has no number
    assert (label, which, seed) == (gr.skip(), gr.skip(), 4)


@pytest.mark.parametrize(
    "told", [None, [], {}, {"seed": -1}, {"seed": 0, "label": "x"}, {"seed": 0, "label": "3", "which": 10**6}]
)
def test_a_screen_that_cannot_be_gets_a_sentence(told):
    with pytest.raises(gr.Error, match=r"needs label|must be a whole number|choose a digit"):
        follow_screen(gr.EventData(None, told))


def test_no_number_is_refused_in_gradios_words():
    """Beyond a field's limits Gradio answers HTTP 500 and its own sentence: our readers get all that is sent."""
    page = build_app()
    sending = [known for known in page.fns.values() if any(isinstance(b, gr.Number | gr.Slider) for b in known.inputs)]
    by_python = [known for known in sending if known.fn is not None]
    assert len(by_python) > 10
    assert [known.name for known in by_python if known.preprocess] == []


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        (show_digit, ("7", -1)),
        (show_digit, ("7", None)),
        (show_noise, (2**31,)),
        (show_noise, (0.5,)),
        (show_custom, (0.0, 0.02, 1000)),
        (show_custom, (1e-4, 0.02, 4001)),
        (show_custom, (1e-4, None, 1000)),
    ],
)
def test_a_number_past_its_limits_gets_a_sentence(answer, sent):
    with pytest.raises(gr.Error, match=r"must (be|lie)|from|between"):
        answer(*sent)


def test_no_event_compares_a_checkpoint_with_the_list_that_was_answered_last():
    """The page may show a newer one: what is sent goes to the reader, who says whether there is such a checkpoint."""
    page = build_app()
    lists = {"generate-which", "generate-guide", "network-which"}
    by_python = [known for known in page.fns.values() if known.fn is not None]
    sending = [known for known in by_python if lists & {block.elem_id for block in known.inputs}]
    assert {block.elem_id for known in sending for block in known.inputs} >= lists
    assert [known.name for known in sending if known.preprocess] == []
