"""Every width from a small phone to a projector, on every tab: nothing is crushed, nothing cut, nothing sideways."""

import json

from ddpm_demo.ui.tab_table import tab_ids

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
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            for fault in page.evaluate(FAULTS, [NARROWEST, SMALLEST]):
                wrong.setdefault(f"{tab}: {fault}", []).append(width)
    assert not wrong, json.dumps(wrong, indent=1, ensure_ascii=False)
