"""The Generate tab in depth, as a student uses it: player, inspector, race, own digit, path, and what is taken home."""

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from ddpm_demo.networks.recommended import RECOMMENDED_GUIDANCE, RECOMMENDED_SAMPLER
from ddpm_demo.store.files import GUIDE
from ddpm_demo.ui.film.form_words import NO_GUIDE

FILM = "#generate-film canvas"
INSPECTOR = "#generate-film .ddpm-inspector"
SUM = "#generate-film .ddpm-inspector-sum"
# whether the picture that turns from x_t into x_s has become x_s where the inspector points
STEP_IS_SHOWN = """([inspector, sum]) => {
    const { dataset, textContent } = document.querySelector(sum);
    const [row, column] = textContent.match(/row (\\d+), column (\\d+)/).slice(1).map(Number);
    const canvas = document.querySelector(`${inspector} canvas[data-name="x_s"]`), side = canvas.width / 28;
    const [shown] = canvas.getContext("2d").getImageData(column * side, row * side, 1, 1).data;
    return Math.abs(shown - 127.5 * (1 + Math.min(1, Math.max(-1, Number(dataset.actual))))) <= 1;
}"""


def open_generate(visit, link=""):
    if link:  # opens the tab by itself
        visit.page.goto(f"{visit.address}?__theme=light&{link}")
    else:
        visit.open()
        visit.tab("Generate")
    visit.page.wait_for_selector(FILM)
    return visit.page


def generate(visit, link):
    """Open a link to a film, which makes the film."""
    page = open_generate(visit, f"film={link}")
    page.wait_for_function(f"document.querySelector('{FILM}').dataset.done === '1'")
    page.wait_for_selector("#generate-start:not([disabled])")
    show_the_end(visit)
    return page


def show_the_end(visit):
    """The last frame, without waiting for a film from memory to have played."""
    visit.set_slider("#generate-film", 9999)


def test_every_stream_is_asked_for_by_the_header_that_a_hub_wants(visit):
    """jupyter-server-proxy passes a stream on only for this Accept, to the letter: the film and what Gradio sends."""
    streams = []
    visit.page.on("response", lambda answer: streams.append(answer) if is_stream(answer) else None)
    generate(visit, "0~1~8~0~1~3~lite")
    assert any("/ddpm/film" in answer.url for answer in streams)
    assert {answer.request.headers["accept"] for answer in streams} == {"text/event-stream"}


def is_stream(answer):
    """Whether an answer comes piece by piece."""
    return answer.headers.get("content-type", "").startswith("text/event-stream")


@pytest.mark.parametrize(
    "link", ["0~1~15~0~4~3~lite", "2~0~15~0.5~4~3~lite", "3~1~15~0~4~3~lite", "1~1~15~0~4~3~lite~tiny~3"]
)
def test_the_inspectors_sum_is_the_films_next_frame(visit, link):
    page = generate(visit, link)
    canvas = page.locator(FILM).first
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] * 0.9, "y": box["height"] * 0.9})  # the last of four digits
    for frame in (3, 12, 14):
        visit.set_slider("#generate-film", frame)
        page.wait_for_selector(f"{INSPECTOR}[data-ready='{frame}']")
        assert "Digit 4 of 4" in page.text_content(f"{INSPECTOR} h2")
        assert page.get_attribute(FILM, "aria-label").endswith("digit 4 chosen")
        for place in ((0.1, 0.1), (0.5, 0.5), (0.55, 0.3)):
            large = page.locator(f"{INSPECTOR} canvas").first
            size = large.bounding_box()
            large.hover(position={"x": size["width"] * place[0], "y": size["height"] * place[1]})
            page.wait_for_selector(f"{SUM}[data-total]")
            shown = page.eval_on_selector(SUM, "element => ({...element.dataset})")
            assert float(shown["total"]) == pytest.approx(float(shown["actual"]), abs=2e-5)
            assert abs(int(shown["level"]) - int(shown["film"])) <= 1
            page.wait_for_function(STEP_IS_SHOWN, arg=[INSPECTOR, SUM])
            # the numbers that are written add up to what is written, within their four places
            text = page.text_content(SUM).replace("−", "-")
            pairs = re.findall(r"(-?[0-9.]+)\)? · [^ ]+(?: before)? \(?(-?[0-9.]+)", text)
            total = float(re.search(r"= (-?[0-9]+\.[0-9]+)(?:,| )", text[text.rindex("= ") :]).group(1))
            assert sum(float(a) * float(b) for a, b in pairs) == pytest.approx(total, abs=2e-3)


def test_the_inspector_writes_out_what_network_and_guide_said(visit):
    page = generate(visit, "1~1~6~0~4~0~lite~tiny~2.5")
    page.locator(FILM).first.click(position={"x": 9, "y": 9})
    visit.set_slider("#generate-film", 3)
    page.wait_for_selector(f"{INSPECTOR}[data-ready='3']")
    page.locator(f"{INSPECTOR} canvas").first.click()
    page.wait_for_selector(f"{SUM}[data-total]")
    text = page.text_content(SUM).replace("−", "-").replace("(", "").replace(")", "")
    numbers = re.search(r"ε̂ = (-?[\d.]+) \+ 2.5 · (-?[\d.]+) - (-?[\d.]+) = (-?[\d.]+):", text)
    guide, model, again, eps_hat = map(float, numbers.groups())
    assert guide == again
    assert guide + 2.5 * (model - guide) == pytest.approx(eps_hat, abs=1e-3)
    # at the end the network has nothing to say: no grey noise stands for that
    noise = page.locator("#generate-film .ddpm-film-row canvas[data-name=eps_hat]")
    assert set(visit.pixels("#generate-film .ddpm-film-row canvas[data-name=eps_hat]")) != {0}
    visit.set_slider("#generate-film", 6)
    expect(noise).to_have_attribute("aria-label", re.compile("nothing is left to guess$"))
    assert set(visit.pixels("#generate-film .ddpm-film-row canvas[data-name=eps_hat]")) == {0}
    told = noise.evaluate("canvas => getComputedStyle(canvas.parentElement, '::after').content")
    assert told == '"nothing is left to guess"'
    visit.set_slider("#generate-film", 3)
    expect(noise).to_have_attribute("aria-label", re.compile("frame 3, "))
    assert noise.evaluate("canvas => getComputedStyle(canvas.parentElement, '::after').content") == "none"


def test_a_checkpoint_brings_the_guide_that_suits_it(visit):
    page = open_generate(visit)
    visit.settings()
    guide, weight = page.locator("#generate-guide select"), page.locator("#generate-weight input[type=number]")
    assert (guide.input_value(), float(weight.input_value())) == (GUIDE, RECOMMENDED_GUIDANCE["lite"].weight)
    for name in (GUIDE, "full"):
        visit.pick("#generate-which", name)
        chosen = RECOMMENDED_GUIDANCE.get(name)
        expected = chosen.guide if chosen else NO_GUIDE
        page.wait_for_function(
            "guide => document.querySelector('#generate-guide select').value === guide", arg=expected
        )
        if chosen:
            assert float(weight.input_value()) == chosen.weight


def test_the_switch_beside_generate_and_the_guide_under_settings_are_one(visit):
    page = open_generate(visit)
    visit.settings()
    guide, steered = page.locator("#generate-guide select"), page.locator("#generate-steered input")
    expect(steered).to_be_checked()
    steered.uncheck()
    expect(guide).to_have_value(NO_GUIDE)
    visit.wait_for_text("#generate-differences", "guide")
    steered.check()
    expect(guide).to_have_value(GUIDE)
    visit.wait_for_text("#generate-differences", "All settings are the recommended ones.")
    visit.pick("#generate-which", GUIDE)  # which has none that suits it
    expect(steered).not_to_be_checked()
    steered.click()
    page.wait_for_selector(f"text=there is no weaker network that could steer {GUIDE}")
    expect(steered).not_to_be_checked()


def test_a_network_that_is_to_guide_itself_gets_a_sentence(visit):
    page = open_generate(visit)
    visit.settings()
    visit.pick("#generate-guide", "lite")
    page.locator("#generate-start").click()
    page.wait_for_selector("text=a network cannot guide itself")
    page.wait_for_selector("#generate-start:not([disabled])")


def test_the_chosen_digit_is_framed_where_it_stands(visit):
    page = generate(visit, "2~1~5~0~5~0~lite")  # three columns, two rows
    marked = "all => all.filter(each => each.checkVisibility()).map(each => each.getBoundingClientRect().toJSON())"
    frames = "#generate-film .ddpm-chosen"
    assert page.eval_on_selector_all(frames, marked) == []
    page.locator(FILM).first.focus()
    for key in ("Enter", "ArrowRight", "ArrowDown"):  # the fifth digit
        page.keyboard.press(key)
    page.wait_for_function(f"document.querySelector('{FILM}').ariaLabel.endsWith('digit 5 chosen')")
    film = page.locator(FILM).first.bounding_box()
    first, *others = page.eval_on_selector_all(frames, marked)
    assert len(others) == 1  # x̂₀: nothing is left to guess after the last step
    one = film["width"] / 88  # a pixel of the digits: three of 28, and two gaps of 2
    assert first["width"] == pytest.approx(28 * one, abs=0.5)
    assert (first["x"] - film["x"], first["y"] - film["y"]) == pytest.approx((30 * one, 30 * one), abs=0.5)


def test_the_inspector_works_with_the_keyboard(visit):
    page = generate(visit, "2~1~6~0~4~0~lite")
    visit.set_slider("#generate-film", 2)
    page.locator(FILM).first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(f"{INSPECTOR}[data-ready='2']")
    assert "Digit 2 of 4" in page.text_content(f"{INSPECTOR} h2")
    page.locator(f"{INSPECTOR} canvas").first.focus()
    page.keyboard.press("ArrowUp")
    visit.wait_for_text(SUM, "row 13, column 14")


def test_the_film_is_taken_home_and_the_link_brings_it_back(visit, tmp_path):
    page = generate(visit, "3~1~8~0~4~21~lite")
    final = visit.pixels(FILM)
    files = {}
    for name in ("GIF of the film", "PNG of the digits", "npz of the numbers"):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        files[name[:3]] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[name[:3]])
    with Image.open(files["GIF"]) as gif:
        assert gif.n_frames > 5
    digits = np.array(final).reshape(58, 58)
    np.testing.assert_array_equal(np.load(files["npz"])["images"][3], digits[30:, 30:])

    page.get_by_role("button", name="Python program").click()
    visit.wait_for_text("#generate-film .ddpm-code", "manual_seed(21)")
    page.get_by_role("button", name="Link to this film").click()
    visit.wait_for_text("#generate-film .ddpm-code", "film=")
    link = page.text_content("#generate-film .ddpm-code")
    assert generate(visit, link.split("film=")[1].replace("%7E", "~")) is page
    assert visit.pixels(FILM) == final


@pytest.mark.parametrize("width", [1280, 390])
def test_a_link_opens_its_tab_by_itself(visit, width):
    visit.page.set_viewport_size({"width": width, "height": 900})
    open_generate(visit, "film=2~1~33~0.5~4~21~lite")
    visit.wait_for_text("#generate-note", "drawn again")
    visit.settings()
    assert visit.page.get_by_role("spinbutton", name="number input for Steps").input_value() == "33"
    visit.page.wait_for_function(f"document.querySelector('{FILM}').dataset.done === '1'")
    visit.page.wait_for_load_state("networkidle")


def test_a_link_that_was_mangled_on_its_way_opens_its_film(visit):
    """A tracker before it, an HTML ampersand, the end of a sentence behind it, and all of it encoded once more."""
    film = "2.checkpoint-lite.sampler-ddim.clip-x0.steps-9.n-4.seed-21.end%250A).%25E2%2580%258B"
    page = open_generate(visit, f"utm_source=mail&amp;film={film}")
    visit.wait_for_text("#generate-note", "drawn again")
    page.wait_for_function(f"document.querySelector('{FILM}').dataset.received === '10'")
    visit.settings()
    assert page.get_by_role("spinbutton", name="number input for Steps").input_value() == "9"
    page.wait_for_load_state("networkidle")


def test_a_link_to_nonsense_is_ignored_with_a_sentence(visit):
    page = open_generate(visit, "film=0~0~50~0~1~0~../../etc/passwd")
    visit.wait_for_text("#generate-note", "asked for a film that cannot be made")
    visit.settings()
    assert page.get_by_role("spinbutton", name="number input for Steps").input_value() == str(RECOMMENDED_SAMPLER.steps)
    page.wait_for_load_state("networkidle")
    assert page.get_attribute(FILM, "data-received") is None


def test_the_bare_tab_draws_nothing_by_itself(visit):
    page = open_generate(visit)
    page.wait_for_load_state("networkidle")
    assert page.get_attribute(FILM, "data-received") is None
    assert page.locator("#generate-start").is_enabled()


def test_a_link_draws_the_very_film_again(visit, phone, tmp_path):
    """Every float of every step, in another browser that has only the address."""
    page = open_generate(visit)
    visit.settings()
    page.get_by_role("radio", name="DDPM, posterior variance").check()
    for label, value in {"number input for Steps": 9, "number input for Digits": 3, "Seed": 17}.items():
        visit.set("spinbutton", label, value, exact=True)
    page.locator("#generate-start").click()
    page.wait_for_function(f"document.querySelector('{FILM}').dataset.done === '1'")
    page.get_by_role("button", name="Link to this film").click()
    visit.wait_for_text("#generate-film .ddpm-code", "film=")
    phone.page.goto(page.text_content("#generate-film .ddpm-code"))
    phone.page.wait_for_selector(FILM)
    phone.page.wait_for_function(f"document.querySelector('{FILM}').dataset.received === '10'")
    show_the_end(phone)
    assert phone.pixels(FILM) == visit.pixels(FILM)
    films = []
    for visitor in (visit, phone):
        with visitor.page.expect_download() as download:
            visitor.page.get_by_role("button", name="npz of the numbers").click()
        films.append(np.load(download.value.path()))
    for name in ("x_t", "x0_hat", "eps_hat", "t", "settings"):
        assert films[0][name].tobytes() == films[1][name].tobytes(), name


def test_a_race_has_one_slider_and_says_what_each_lane_cost(visit):
    page = open_generate(visit)
    page.locator("#race-start").click()
    page.wait_for_function("document.querySelector('#race-film [data-done]')?.dataset.done === '1'")
    text = page.text_content("#race-film")
    assert text.count("10 network calls, ") == 2
    assert "their difference" in text
    assert "contrast ×0.81 given exact answers" in text  # DDIM
    assert "contrast ×1.33 given exact answers" in text  # DPM-Solver++
    assert text.count("; training digits 33") == 2
    visit.set_slider("#race-film", 0)
    assert page.eval_on_selector_all("#race-film canvas[data-t]", "all => all.map(c => c.dataset.t)") == ["999", "999"]
    assert page.get_attribute("#race-film canvas[data-name=difference]", "data-most") == "0"


SLOW_UNPACKING = """
    window.streams = 0;
    window.EventSource = class extends EventSource {
        constructor(address) { super(address); this.addEventListener("open", () => { window.streams += 1; }); }
    };
    const unpack = Response.prototype.arrayBuffer;
    Response.prototype.arrayBuffer = async function () {
        await new Promise((resolve) => setTimeout(resolve, 200));
        return unpack.call(this);
    };
"""


def test_a_film_that_arrives_faster_than_it_is_unpacked_is_asked_for_once(visit):
    page = visit.page
    page.add_init_script(SLOW_UNPACKING)
    generate(visit, "2~1~20~0~4~0~lite")
    page.locator("#generate-start").click()  # again: from memory, all at once
    page.wait_for_function("document.querySelector('#generate-film .ddpm-facts').textContent.includes('from memory')")
    page.wait_for_function("document.querySelector('#generate-film canvas').dataset.received === '21'")
    page.wait_for_selector("#generate-start:not([disabled])")
    assert page.evaluate("window.streams") == 2
    assert "does not answer" not in page.text_content("#generate-film .ddpm-facts")


SHOWN_FRAMES = """
    window.shown = [];
    new MutationObserver(() => {
        const film = document.querySelector("#generate-film canvas");
        if (!film?.dataset.frame) return;
        if (window.shown.at(-1) !== Number(film.dataset.frame)) window.shown.push(Number(film.dataset.frame));
    }).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-frame"] });
"""


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_film_from_memory_plays_from_its_noise_to_its_digits(visit, motion):
    page = visit.page
    page.emulate_media(reduced_motion=motion)
    page.add_init_script(SHOWN_FRAMES)
    generate(visit, "2~1~8~0~4~0~lite")
    end = visit.pixels(FILM)
    page.evaluate("window.shown = []")
    page.locator("#generate-start").click()
    page.wait_for_function("document.querySelector('#generate-film .ddpm-facts').textContent.includes('from memory')")
    begun = "true" if motion == "reduce" else "window.shown.includes(0)"  # until then the film before stands at its end
    page.wait_for_function(f"{begun} && window.shown.at(-1) === 8")
    if motion == "reduce":  # nothing moves that the student has not set moving: the end is there at once
        page.wait_for_selector("#generate-start:not([disabled])")
        assert page.get_by_role("button", name="Pause").filter(visible=True).count() == 0
    else:
        assert page.evaluate("window.shown.slice(window.shown.indexOf(0))") == list(range(9))
    assert visit.pixels(FILM) == end


def test_the_path_costs_nothing_to_who_does_not_look(visit):
    page = generate(visit, "2~1~8~0~4~0~lite")
    assert page.locator("#path .js-plotly-plot").count() == 0
    page.locator("#path").scroll_into_view_if_needed()
    page.wait_for_selector("#path .js-plotly-plot")


def test_an_experiment_is_one_click(visit):
    page = open_generate(visit)
    page.get_by_role("button", name="From one noise to another").click()
    page.wait_for_function("document.querySelector('#race-film [data-done]')?.dataset.done === '1'")
    visit.wait_for_text("#race-words", "What to look for.")
    visit.wait_for_text("#race-words", "Song et al. 2021, section 5.3")
    assert "50 network calls" in page.text_content("#race-film")


def test_the_path_follows_the_films_slider(visit):
    page = generate(visit, "2~1~8~0~4~0~lite")
    page.locator("#path").scroll_into_view_if_needed()
    chart = "#path .ddpm-chart"
    page.wait_for_selector(f"{chart}[data-frame='8']")
    visit.set_slider("#generate-film", 3)
    page.wait_for_selector(f"{chart}[data-frame='3']")
    # ten classes, the ways, and where the four digits are
    assert page.evaluate(f"document.querySelector('{chart}').data.length") == 12
    assert page.evaluate(f"document.querySelector('{chart}').data[11].x.length") == 4
    assert page.evaluate(f"document.querySelector('{chart}').data[10].x.length") == 4 * (4 + 1)


def test_branches_of_the_noise_tabs_digit_are_counted(visit):
    page = open_generate(visit)
    page.locator("#branches").scroll_into_view_if_needed()
    visit.set_slider("#branches", 50)
    preview = np.array(visit.pixels("#branches canvas[data-name=x_t]"))
    empty = page.locator("#branches canvas[data-name=branches]")  # a place that can be seen, not a hole in the page
    assert empty.evaluate("c => getComputedStyle(c).backgroundColor") != "rgba(0, 0, 0, 0)"
    assert empty.evaluate("c => c.parentElement.textContent") == "its branches: nothing yet"
    page.locator("#branches button[data-name=one]").click()
    page.wait_for_selector("#branches tbody tr")  # the first time the classifier is trained
    assert empty.evaluate("c => c.parentElement.textContent") == "its branches"
    counts = page.eval_on_selector_all("#branches tbody td", "cells => cells.map(c => Number(c.textContent) || 0)")
    assert sum(counts) == 12
    # at t = 50 of 1000 a seven is still a seven
    assert counts[7] >= 11
    assert "% of MNIST's 10,000 test digits right" in page.text_content("#branches [role=status]")
    # the page noised the digit as the server did
    assert np.abs(preview - np.array(visit.pixels("#branches canvas[data-name=x_t]"))).max() <= 1


def test_a_film_that_is_asked_for_a_digit_shows_the_pull_and_the_odds(visit):
    """From the list to the film: a fourth picture, and for the chosen digit ten bars that end at what was asked for."""
    page = open_generate(visit)
    assert page.locator("#generate-film canvas.ddpm-film").filter(visible=True).count() == 3
    assert page.locator("#generate-film .ddpm-odds").is_hidden()
    visit.settings()
    visit.pick("#generate-digit", "7")
    for label, value in (("Steps", 10), ("Digits", 4)):
        visit.set("spinbutton", f"number input for {label}", value)
    page.locator("#generate-start").click()
    page.wait_for_function(f"document.querySelector('{FILM}').dataset.received === '11'")
    assert page.locator("#generate-film canvas.ddpm-film").filter(visible=True).count() == 4
    pull = visit.pixels("#generate-film canvas[data-name=pull]")
    visit.set_slider("#generate-film", 4)  # near the end it is sure, and pulls no more
    page.wait_for_selector(f"{FILM}[data-frame='4']")
    assert len(set(visit.pixels("#generate-film canvas[data-name=pull]"))) > 20
    assert visit.pixels("#generate-film canvas[data-name=pull]") != pull
    odds = page.locator("#generate-film .ddpm-odds")
    assert odds.get_attribute("data-best") == "7"
    heights = odds.locator(".ddpm-odds-fill").evaluate_all("bars => bars.map((bar) => parseFloat(bar.style.height))")
    assert len(heights) == 10
    assert sum(heights) == pytest.approx(100, abs=2)  # sent as bytes
    assert max(range(10), key=heights.__getitem__) == 7
    assert "on average: most of all a 7" in odds.text_content()
    page.locator(FILM).first.click(position={"x": 5, "y": 5})
    visit.wait_for_text("#generate-film .ddpm-odds", "takes noisy digit 1 for")
    # only in an interval: outside it the page says that nobody is asked, and the pixel's sum has no such term
    for label, value in (("From t =", 700), ("Down to t =", 300)):
        visit.set("spinbutton", f"number input for {label}", value)
    visit.wait_for_text("#generate-differences", "guidance from t 700")
    page.wait_for_function(f"document.querySelector('{FILM}').dataset.done === '1'")
    page.locator("#generate-start").click()
    page.wait_for_function(f"document.querySelector('{FILM}').dataset.done !== '1'")
    page.wait_for_function(f"document.querySelector('{FILM}').dataset.received === '11'")
    page.locator(FILM).first.click(position={"x": 5, "y": 5})
    for frame, words, line in (
        (2, "At t = 777 no digit is asked for", "a 7 is asked for only from t = 700 to 300"),
        (4, "takes noisy digit 1 for", "the pull towards a 7"),
    ):
        visit.set_slider("#generate-film", frame)
        visit.wait_for_text("#generate-film .ddpm-odds", words)
        page.wait_for_selector(f".ddpm-inspector[data-ready='{frame}']")
        page.locator(".ddpm-inspector canvas").first.click(position={"x": 40, "y": 40})
        visit.wait_for_text(".ddpm-inspector-sum", line)


def test_a_wiped_part_is_completed_in_four_ways_on_a_phone(phone):
    page = open_generate(phone)
    page.locator("#completion button[data-mask='upper half']").tap()
    given = "#completion canvas[data-name=given]"
    assert page.get_attribute(given, "data-wiped") == "392"
    page.locator(given).focus()
    for key in (*["ArrowDown"] * 5, "Space"):  # into the lower half: the brush wipes there
        page.keyboard.press(key)
    assert page.get_attribute(given, "data-wiped") == str(392 + 21)
    page.locator("#completion input[type=range]").first.fill("1")  # jumps
    page.locator("#completion button[data-name=go]").tap()
    ways = [f"#completion canvas[data-name=completion-{k}]" for k in range(4)]
    for way in ways:
        page.wait_for_selector(f"{way}[data-t='-1']")
    phone.wait_for_text("#completion [role=status]", "differs from what was given in no pixel")
    known = np.ones((28, 28), bool)
    known[:14] = False
    rows, columns = np.ogrid[:28, :28]
    known[(rows - 19) ** 2 + (columns - 14) ** 2 <= 5] = False
    digit, *completed = (
        np.array(phone.pixels(each)).reshape(28, 28) for each in ("#completion canvas[data-name=x0]", *ways)
    )
    for picture in completed:
        np.testing.assert_array_equal(picture[known], digit[known])
    assert len({picture.tobytes() for picture in completed}) == 4
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    page.locator("#completion button[data-name=stop]").click(force=True)  # while the judge learns, or it has spoken
    page.locator("#completion button[data-mask=nothing]").tap()
    page.locator("#completion button[data-name=go]").tap()
    phone.wait_for_text("#completion [role=status]", "The whole picture is known")
    page.wait_for_selector("#completion button[data-name=go]:not([disabled])")
