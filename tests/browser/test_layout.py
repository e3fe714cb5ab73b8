"""Every width from a small phone to a projector, on every tab: nothing is crushed, nothing cut, nothing sideways."""

import json
from unicodedata import normalize

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from ddpm_demo.ui.tab_table import tab_ids
from tests.browser.paper import printed_words

WIDTHS = list(range(320, 1921, 20))
NARROWEST = 160  # CSS pixels of a slider: less, and a finger cannot set what it says
SMALLEST = 14  # CSS pixels of type

# What is wrong at the width that the window has now: whatever can be pressed, dragged or filled in, and every word.
FAULTS = """([narrowest, smallest]) => {
    const faults = [], edge = document.documentElement.clientWidth;
    const wide = document.scrollingElement.scrollWidth;
    if (wide > edge) faults.push(`the page is ${wide} wide`);
    const name = element => [element.tagName, element.type, element.id, element.className,
        element.getAttribute('aria-label') ?? element.textContent.trim().slice(0, 20)].filter(Boolean).join(' ');
    const pushed = element => {  // stands in a part that is pushed sideways by itself, or cannot be seen
        for (let part = element.parentElement; part && part !== document.body; part = part.parentElement)
            if (['auto', 'scroll'].includes(getComputedStyle(part).overflowX)) return true;
        return false;
    };
    const controls = 'input, button, select, textarea, [role=slider], label:has(> input)';
    for (const element of document.querySelectorAll(controls)) {
        const box = element.getBoundingClientRect();
        if (box.width < 2 || box.height < 2 || !element.checkVisibility({visibilityProperty: true})) continue;
        if (element.type === 'range' && box.width < narrowest)
            faults.push(`${name(element)} is ${box.width.toFixed()} wide`);
        if ((box.left < -0.5 || box.right > edge + 0.5) && !pushed(element))
            faults.push(`${name(element)} reaches from ${box.left.toFixed()} to ${box.right.toFixed()}`);
        if (element.tagName === 'BUTTON' && element.scrollWidth > element.clientWidth + 1)
            faults.push(`${name(element)}: its words need ${element.scrollWidth} of ${element.clientWidth}`);
    }
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), small = new Set();
    while (words.nextNode()) {
        const parent = words.currentNode.parentElement;
        if (!words.currentNode.textContent.trim() || small.has(parent) || !parent.checkVisibility()) continue;
        const size = parseFloat(getComputedStyle(parent).fontSize);
        if (size >= smallest || parent.closest('sub, sup, svg, script, style, .katex')) continue;
        small.add(parent);
        faults.push(`${name(parent)}: type of ${size} px`);
    }
    return faults;
}"""


HEADER = "#page-title h1, #intro button, #lessons .ddpm-present-button, #lessons .ddpm-lessons-entry"
OVERLAPPING = """selector => {
    const shown = [...document.querySelectorAll(selector)].filter((each) => each.getClientRects().length);
    const boxes = shown.map((each) => {
        const range = document.createRange(); // of its words: a heading's own box has the page's width
        range.selectNodeContents(each);
        return { name: each.textContent, ...(each.matches("h1") ? range : each).getBoundingClientRect().toJSON() };
    });
    return boxes.flatMap((a, k) => boxes.slice(0, k).filter((b) => a.left < b.right && b.left < a.right
        && a.top < b.bottom && b.top < a.bottom).map((b) => [a.name, b.name]));
}"""


def resize(page, width, height):
    """Give the page another size, and its scripts, which measure it, a frame to answer."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def overlapping(page):
    """What lies over something else in the header, once its script has had the time of a slow machine."""
    try:
        page.wait_for_function(f"!({OVERLAPPING})({HEADER!r}).length", timeout=30_000)
    except PlaywrightTimeout:
        return page.evaluate(OVERLAPPING, HEADER)
    return []


def test_the_headers_buttons_have_room_beside_the_title(visit):
    visit.open()
    visit.page.locator("#intro button").wait_for()
    for width in (320, 390, 440, 620, 844, 1020, 1280, 1920):
        resize(visit.page, width, 800)
        assert not overlapping(visit.page), width
    visit.page.locator(".ddpm-lessons-entry").click()  # a panel beside the page, from 901 pixels on
    for width in (320, 390, 844, 901, 1020, 1280, 1920):
        resize(visit.page, width, 800)
        assert not overlapping(visit.page), width


def test_every_width_has_room_for_every_control(visit):
    page = visit.open().page
    page.wait_for_load_state("networkidle")
    wrong = {}
    for tab in tab_ids():
        visit.tab(tab)
        page.locator(f"#tab-{tab_ids()[tab]} .ddpm-mount > *").first.wait_for()
        page.wait_for_load_state("networkidle")
        for summary in page.locator(f"#tab-{tab_ids()[tab]} button.label-wrap:visible").all():
            summary.click()  # settings that are folded up have a width, too
        page.wait_for_timeout(500)  # until the arrow that such a click turns is at rest
        for width in WIDTHS:
            resize(page, width, 900)
            for fault in page.evaluate(FAULTS, [NARROWEST, SMALLEST]):
                wrong.setdefault(f"{tab}: {fault}", []).append(width)
        resize(page, 834, 390)  # a phone on its side
        for fault in page.evaluate(FAULTS, [NARROWEST, SMALLEST]):
            wrong.setdefault(f"{tab}, on its side: {fault}", []).append(834)
    assert not wrong, json.dumps(wrong, indent=1, ensure_ascii=False)


# Words on paper whose colour is not dark, and parts that reach over the paper's edge.
ON_PAPER = """() => {
    const faults = [], edge = document.documentElement.clientWidth;
    const name = element => `${element.tagName} ${element.className} ${element.textContent.trim().slice(0, 20)}`;
    const dark = element => {
        const [red, green, blue, alpha = 1] = getComputedStyle(element).backgroundColor.match(/[\\d.]+/g).map(Number);
        return alpha > 0.5 && Math.min(red, green, blue) < 200;
    };
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
        const parent = words.currentNode.parentElement;
        if (!words.currentNode.textContent.trim() || !parent.checkVisibility({visibilityProperty: true})) continue;
        const style = getComputedStyle(parent), colour = parent.closest('svg') ? style.fill : style.color;
        const light = Math.max(...colour.match(/[\\d.]+/g).slice(0, 3).map(Number));
        if (light > 80) faults.push(`${name(parent)}: ${colour}`);
        for (let under = parent; under; under = under.parentElement)
            if (dark(under)) faults.push(`${name(parent)}: on a dark ${name(under)}`);
        const range = document.createRange();
        range.selectNodeContents(words.currentNode);
        const {left, right, width} = range.getBoundingClientRect();
        if (width > 2 && (left < -0.5 || right > edge + 0.5))
            faults.push(`${name(parent)}: from ${left.toFixed()} to ${right.toFixed()} of ${edge}`);
    }
    for (const heard of document.querySelectorAll('.ddpm-spoken')) // filled a moment later, when the hand rests
        if (heard.checkVisibility()) faults.push(`${name(heard)}: is for the ear`);
    for (const field of document.querySelectorAll('input:is([type=number], [type=text]), textarea, select')) {
        const ink = getComputedStyle(field).color;
        if (field.checkVisibility() && (dark(field) || Number(ink.match(/\\d+/)[0]) > 80))
            faults.push(`${name(field)}: ${ink}`);
    }
    for (const canvas of document.querySelectorAll('canvas')) {
        const box = canvas.getBoundingClientRect();
        if (box.width > 2 && (box.left < -0.5 || box.right > edge + 0.5)) faults.push(`${name(canvas)} is cut`);
    }
    return faults;
}"""
PAPER = {"A4": 210, "Letter": 216}  # millimetres wide
MARGINS = 24
CHARTS = {  # the histogram is out of sight on the screen, and not drawn there
    "Noise": ["#noise-details .ddpm-columns .ddpm-histogram"],
    "Schedule": ["#schedule-chart .ddpm-curve"],
    "Receptive field": ["#receptive-chart .ddpm-curve"],
}
BLACK_INK = """canvas => {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    for (let k = 0; k < data.length; k += 4)
        if (data[k + 3] > 200 && Math.max(data[k], data[k + 1], data[k + 2]) < 60) return true;
    return false;
}"""
BACKGROUND = "getComputedStyle(document.querySelector('.gradio-container')).backgroundColor"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_tab_prints_black_on_white(visit, theme):
    page = visit.open(theme).page
    for tab in tab_ids():
        page.emulate_media(media="screen")
        visit.tab(tab)
        page.locator(f"#tab-{tab_ids()[tab]} .ddpm-mount > *").first.wait_for()
        page.emulate_media(media="print")
        for paper, millimetres in PAPER.items():
            resize(page, round((millimetres - MARGINS) / 25.4 * 96), 1000)
            assert page.evaluate(ON_PAPER) == [], (tab, paper)
            assert page.evaluate(BACKGROUND) == "rgb(255, 255, 255)", tab
        for chart in CHARTS.get(tab, []):
            assert page.eval_on_selector(chart, BLACK_INK), chart
    page.emulate_media(media="screen")
    visit.tab("Schedule")
    if theme == "dark":  # and back on the screen white again
        page.wait_for_function(f"!({BLACK_INK})(document.querySelector('#schedule-chart .ddpm-curve'))")


def test_every_tab_is_printed_whole_from_the_dark(visit):
    """What the printer gets, from the first words of a tab to those at the foot of the page, is black."""
    page = visit.open("dark").page
    for tab in tab_ids():
        visit.tab(tab)
        page.locator(f"#tab-{tab_ids()[tab]} .ddpm-mount > *").first.wait_for()
        page.wait_for_load_state("networkidle")
        for paper in PAPER:
            pieces = printed_words(page.pdf(format=paper))
            assert [piece for piece in pieces if max(piece[1]) > 80 / 255] == [], (tab, paper)
            printed = "".join("".join(text for text, _ in pieces).split())
            lead = page.locator(f"#tab-{tab_ids()[tab]} .prose.ddpm-lead").inner_text()
            for words in (tab, lead, "taken apart. Every picture and number is computed"):
                assert "".join(normalize("NFKC", words).split()) in printed, (tab, paper)


def test_a_film_is_told_by_its_beginning_its_quarters_and_its_end(visit):
    page = visit.open().page
    page.evaluate("""() => {
        window.spoken = [];
        new MutationObserver(changes => {
            for (const {target} of changes) {
                const part = target.nodeType === 1 ? target : target.parentElement;
                const live = part?.closest('[aria-live], [role=status], [role=alert], output');
                if (!live?.checkVisibility()) continue;  // in another tab, or folded up: nobody is told
                if (live.getAttribute('aria-live') !== 'off' && live.textContent.trim())
                    window.spoken.push(live.textContent.trim());
            }
        }).observe(document.body, {subtree: true, childList: true, characterData: true});
    }""")
    visit.tab("Generate")
    page.wait_for_selector("#generate-film canvas")
    visit.set("spinbutton", "number input for Digits", 2)
    page.locator("#generate-dice").click()  # a film of memory would come in one piece
    page.wait_for_function("!document.querySelector('#generate-film canvas').ariaLabel.includes('seed 0,')")
    page.evaluate("window.spoken = []")
    page.locator("#generate-start").click()
    page.wait_for_function("document.querySelector('#generate-film canvas').dataset.done === '1'")
    page.wait_for_selector("#generate-start:not([disabled])")
    told = list(dict.fromkeys(page.evaluate("window.spoken")))
    film = [line for line in told if line.startswith("The film of 2 digits")]
    assert film[0] == "The film of 2 digits: begins."
    assert film[-1] == "The film of 2 digits is finished."
    assert len(film) <= 5
    # where the path of the film has come into sight meanwhile, it says once what will be there
    assert [line for line in told if not line.startswith("Press Generate above")] == film


def test_forced_colours_leave_sliders_and_colour_bars(visit_to, address):
    visit = visit_to(address, forced_colors="active").open()
    style = "element => [getComputedStyle(element).backgroundImage, getComputedStyle(element).forcedColorAdjust]"
    assert visit.page.eval_on_selector("#noise-view .ddpm-ramp", style)[0].startswith("linear-gradient")
    visit.tab("Generate")
    slider = visit.page.locator("#generate-count input[type=range]")
    assert slider.evaluate("element => getComputedStyle(element).appearance") == "auto"
