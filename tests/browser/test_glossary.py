"""Words that can be tapped: the note stands beside its word, by finger and by keyboard, and nothing else moves."""

import pytest
from playwright.sync_api import expect

from ddpm_demo.ui.app import build_app
from ddpm_demo.ui.server import launch
from ddpm_demo.ui.words.glossary import glossary_value
from ddpm_demo.ui.words.language import language

pytestmark = pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting'")
BOXES = """() => {
    const word = document.querySelector('.ddpm-word[aria-expanded=true]').getBoundingClientRect();
    const note = document.querySelector('.ddpm-word-note').getBoundingClientRect();
    return {over: note.top < word.bottom && note.bottom > word.top, left: note.left, right: note.right,
        top: note.top, bottom: note.bottom, width: innerWidth, height: innerHeight};
}"""
PLACES = """() => [...document.querySelectorAll('[role=tabpanel] p, [role=tabpanel] input')].map((element) => {
    const box = element.getBoundingClientRect();
    return [Math.round(box.left), Math.round(box.top), Math.round(box.height)];
})"""


@pytest.fixture(scope="module")
def app():
    demo = build_app(training=False)
    yield launch(demo)
    demo.close(verbose=False)


@pytest.fixture
def address(app):
    return app


def stands_beside(page):
    box = page.evaluate(BOXES)
    assert not box["over"]
    assert 0 <= box["left"] < box["right"] <= box["width"]
    assert 0 <= box["top"] < box["bottom"] <= box["height"]


@pytest.mark.parametrize("device", ["visit", "phone"])
def test_a_word_is_explained_beside_it_and_nothing_moves(device, request):
    visit = request.getfixturevalue(device)
    page = visit.open("dark").page
    word = page.locator("#tab-noise .ddpm-word", has_text="variance")
    word.first.wait_for()
    word.first.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    before = page.evaluate(PLACES)
    word.first.click()
    note = page.get_by_role("note")
    assert "How widely values spread" in note.text_content()
    assert note.locator("polyline").count() == 2
    stands_beside(page)
    assert page.evaluate(PLACES) == before
    assert not visit.axe("dark", ".ddpm-word-note")
    page.mouse.click(5, 5)  # anywhere else
    assert note.count() == 0
    page.locator(".ddpm-lessons-entry").click()
    page.locator(".ddpm-lessons-item").nth(4).click()
    word = page.locator(".ddpm-lessons .ddpm-word", has_text="x̂₀")
    word.wait_for()
    word.focus()
    page.keyboard.press("Enter")
    assert word.get_attribute("aria-expanded") == "true"
    assert note.get_attribute("id") == word.get_attribute("aria-controls")
    stands_beside(page)
    page.keyboard.press("Escape")
    assert note.count() == 0
    assert page.locator(".ddpm-lesson-body").is_visible()  # the lesson behind it stays
    assert page.evaluate("document.activeElement.textContent") == "x̂₀"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert note.count() == 0
    page.locator('[data-name="close"]').click()
    page.get_by_text("Words and symbols").click()
    expect(page.locator(".ddpm-glossary dt").get_by_text("SiLU", exact=True)).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    names = page.locator("label .ddpm-word, button .ddpm-word, summary .ddpm-word, legend .ddpm-word")
    assert names.count() == 0  # a control is called what it was called


@pytest.mark.parametrize(("code", "schedule"), [("de", "Rauschplan"), ("ja", "スケジュール")])
def test_words_are_explained_in_the_readers_language(code, schedule, visit):
    words = glossary_value(language(code))["words"]
    page = visit.open(query=f"lang={code}").page
    page.locator(".ddpm-lessons-entry").click()
    page.locator(".ddpm-lessons-item").nth(2).click()
    word = next(word for word in words if schedule in word["forms"])
    page.locator(".ddpm-lessons .ddpm-word", has_text=schedule).first.click()
    assert page.get_by_role("note").text_content() == word["name"] + word["say"]
    page.keyboard.press("Escape")
    page.locator('[data-name="close"]').click()
    page.locator(".ddpm-glossary > summary").click()
    page.locator(".ddpm-glossary dt").last.wait_for()  # the list is made when it is opened
    assert page.locator(".ddpm-glossary dt").all_text_contents() == [word["name"] for word in words]
