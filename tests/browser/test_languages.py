"""The page in every language: nothing stays English, nothing is cut or pushed sideways; Arabic goes from the right."""

import json
import re

import pytest
from playwright.sync_api import expect

from ddpm_demo.ui.app import build_app
from ddpm_demo.ui.server import launch
from ddpm_demo.ui.tab_table import tab_ids
from ddpm_demo.ui.words import language as languages_of_the_page
from ddpm_demo.ui.words.language import codes, language, languages
from ddpm_demo.ui.words.sentences import sentences
from tests.browser.test_layout import FAULTS, NARROWEST, SMALLEST, overlapping, resize

pytestmark = pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting'")

# A language of English with every letter accented: a word in plain letters is one that nobody could translate.
PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
ACCENTED = "àƀçđêƒğĥíĵķłɱñöþɋřšŧúṽŵẋýžÀɃÇĐÊƑĞĤÍĴĶŁƜÑÖÞɊŘŠŦÚṼŴẊÝŽ"
AS_THEY_ARE = re.compile(r"\{[^}]*\}|<[^>]*>|`[^`]*`|\]\([^)]*\)|https?://\S+|&\w+;")
TOY = "el"  # a code that browsers know, whose lists and numbers have no Latin letters, and no catalogue has


def accented(template):
    said, end = "", 0
    for kept in AS_THEY_ARE.finditer(template):
        said += template[end : kept.start()].translate(str.maketrans(PLAIN, ACCENTED)) + kept[0]
        end = kept.end()
    return said + template[end:].translate(str.maketrans(PLAIN, ACCENTED))


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The app with its own catalogues and the toy's."""
    folder = tmp_path_factory.mktemp("catalogues")
    for code, path in languages().items():
        (folder / f"{code}.toml").write_bytes(path.read_bytes())
    lines = ['name = "Accented"']
    for section, texts in sentences().items():
        lines += [f"[{section}]", *(f"{json.dumps(text)} = {json.dumps(accented(text))}" for text in texts)]
    (folder / f"{TOY}.toml").write_text("\n".join(lines), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(languages_of_the_page, "FOLDER", folder)
        languages.cache_clear(), language.cache_clear()
        demo = build_app()
        yield launch(demo)
        demo.close(verbose=False)
    languages.cache_clear(), language.cache_clear()


@pytest.fixture
def address(app):
    return app


# Every text that the page holds, seen or heard, folded up or not.
TEXTS = """() => {
    const texts = [document.title], words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (words.nextNode())
        if (!words.currentNode.parentElement.closest('script, style, code, math, .js-plotly-plot, footer'))
            texts.push(words.currentNode.textContent);
    for (const name of ['aria-label', 'alt', 'title', 'placeholder', 'data-instead'])
        for (const element of document.querySelectorAll(`body [${name}]`))
            texts.push(element.getAttribute(name));
    return [...new Set(texts)];
}"""
# What is no English sentence: names of networks, schedules, rules, layers, files, papers and languages; and a
# fragment of a formula.
NAMES = re.compile(
    "|".join(
        [
            r"\b(lite|full|tiny|ideal(:digit=\d|:patch=lite(,anywhere)?)?|linear|cosine|custom)\b",
            r"\b(DDPM|DDIM|DPM-Solver|SiLU|GroupNorm|PNG|alpha_bar|kaj|English|Accented|cpu|float32|bfloat16)\b",
            r"(in_project|out_project|time_project\.\d|blocks\.\d\.(conv|norm|act))",
            r"^(time|conv|dilation)$",
            r"Lipman et al\. 2023, .*|Ho et al\. 2020|appendix B|hojonathanho/diffusion, .*",
        ]
    )
)
WORD = re.compile(r"[A-Za-z]{3,}")


def open_all_tabs(page):
    """Open every tab and all that is folded up in it, one after the other."""
    for name in tab_ids().values():
        page.locator(f"#tab-{name}-button").click()
        page.locator(f"#tab-{name} .ddpm-mount > *").first.wait_for()
        page.wait_for_load_state("networkidle")
        for folded in page.locator(f"#tab-{name} button.label-wrap:visible").all():
            folded.click()
        page.wait_for_timeout(
            300
        )  # until the arrow that such a click turns is at rest, and what was asked for is there
        yield name


def test_nothing_is_said_in_english_alone(visit):
    page = visit.open(query=f"lang={TOY}").page
    left = {}

    def look(where):
        # the script takes Gradio's English out in an idle moment
        page.wait_for_function("!document.querySelector('input[aria-label^=\"number input for\"]')")
        for text in set(page.evaluate(TEXTS)) - {language(code).name for code in codes()}:
            if WORD.search(NAMES.sub("", text)):
                left.setdefault(text[:200], where)

    for name in open_all_tabs(page):
        look(name)
    page.locator("#tab-generate-button").click()
    page.locator("#generate-start").click()
    page.locator('#generate-film [data-name="play"], #generate-film .ddpm-slider').first.wait_for()
    look("a film")
    page.locator(".ddpm-lessons-entry").click()
    page.locator(".ddpm-lessons-item").first.wait_for()
    look("the lessons")
    page.locator(".ddpm-lessons-item").first.click()
    page.locator('[data-name="commit"]').click()
    page.locator('[data-name="skip"]').click()
    page.locator('[data-name="reveal"], [data-name="to-question"]').first.wait_for()
    look("a lesson")
    page.locator('.ddpm-lessons-head [data-name="close"]').click()
    page.locator("#tab-train-button").click()
    page.locator("#train-settings textarea, #train-settings input[type=text]").last.fill("a/b")
    page.locator("#train-start").click()  # through Gradio's queue, which was begun in English
    expect(page.locator(".toast-title-row")).to_have_text(accented("Error"))  # in the next idle moment
    look("an error")
    assert page.evaluate("document.documentElement.lang") == TOY
    assert left == {}


def test_every_language_has_room_at_every_width(visit):
    """On a phone and a laptop; a German word is longer, and Arabic has its edges the other way round."""
    page = visit.open().page
    wrong = {}
    for code in codes()[1:]:
        if code == TOY:
            continue
        visit.open(query=f"lang={code}")
        direction = page.evaluate("[document.documentElement.lang, document.documentElement.dir || 'ltr']")
        assert direction == [code, language(code).direction]
        for name in open_all_tabs(page):
            for width, height in ((390, 844), (1280, 800)):
                resize(page, width, height)
                for fault in page.evaluate(FAULTS, [NARROWEST, SMALLEST]) + overlapping(page):
                    wrong.setdefault(f"{width}, {name}: {fault}", []).append(code)
        page.locator(".ddpm-lessons-entry").click()
        page.locator(".ddpm-lessons-item").first.wait_for()
        for fault in overlapping(page):
            wrong.setdefault(f"{width}, lessons: {fault}", []).append(code)
    assert not wrong, json.dumps(wrong, indent=1, ensure_ascii=False)


def test_arabic_turns_what_is_read_and_nothing_with_an_axis(visit):
    page = visit.open(query="lang=ar").page

    def lefts(*selectors):
        return [page.locator(selector).first.bounding_box()["x"] for selector in selectors]

    value, label = lefts("#noise-view .ddpm-value", "#noise-view .ddpm-slider-head label")
    assert value < label
    page.locator("#tab-generate-button").click()
    page.locator("#generate-start").wait_for()
    least, most = lefts("#generate-count [data-testid=min-value]", "#generate-count [data-testid=max-value]")
    assert least < most  # as the slider between them has it
    page.locator(".ddpm-lessons-entry").click()
    page.locator(".ddpm-lessons-item").nth(9).click()  # whose guess is drawn
    page.locator(".ddpm-lesson-curve").wait_for()
    clean, noise = lefts(".ddpm-lesson-ends > :first-child", ".ddpm-lesson-ends > :last-child")
    assert clean < noise  # as in the curve that is drawn over them
    back, close = lefts('.ddpm-lessons-head [data-name="back"]', ".ddpm-lessons-head > :last-child")
    assert close < back
