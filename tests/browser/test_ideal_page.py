"""The perfect network on the page: its answer on the Noise tab, the copies under a film, how far the network looks."""

import pytest

IDEAL = "#noise-details .ddpm-ideal"
NEAREST = "#generate-film details[data-name=nearest]"
FLOW = "#generate-film details[data-name=flow]"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_perfect_answer_is_a_blur_of_many_and_then_one_digit(visit, theme):
    page = visit.open(theme).page
    visit.set_slider("#noise-view", 700)
    page.click(f"{IDEAL} summary")
    visit.wait_for_text(f"{IDEAL} p[data-name=ideal]", "a mean of many")
    many = float(page.get_attribute(IDEAL, "data-first"))
    visit.set_slider("#noise-view", 20)
    visit.wait_for_text(f"{IDEAL} p[data-name=ideal]", "nearly that digit")
    assert many < 0.5 < float(page.get_attribute(IDEAL, "data-first"))
    answer, heaviest = (visit.pixels(f'{IDEAL} canvas[data-name="{name}"]') for name in ("ideal_x0_hat", "heaviest 1"))
    assert max(abs(a - b) for a, b in zip(answer, heaviest, strict=True)) <= 1
    assert visit.axe(theme, IDEAL) == []


def test_a_film_of_few_digits_known_by_heart_is_of_copies(visit_to, address):
    visit = visit_to(address)
    page = visit.page
    page.goto(f"{address}?film=2~1~10~0~3~0~ideal")  # the link opens the Generate tab by itself
    page.wait_for_selector("#generate-film canvas[data-done='1']")
    page.click(f"{NEAREST} summary")
    page.wait_for_selector(f"{NEAREST}[data-copies='3']")
    assert page.locator(f"{NEAREST} figcaption").all_text_contents() == ["0, a copy"] * 3
    assert "more than half of all weight from t =" in page.inner_text(f"{NEAREST} p[data-name=nearest]")
    assert visit.axe(context=NEAREST) == []
    # the same film as flow matching sees it, by the server's numbers
    page.click(f"{FLOW} > summary")
    page.wait_for_selector(f"{FLOW}[data-euler]")
    assert float(page.get_attribute(FLOW, "data-euler")) < 1e-3
    assert 1 < float(page.get_attribute(FLOW, "data-straight")) < float(page.get_attribute(FLOW, "data-detour"))
    visit.set_slider("#generate-film", 2)
    visit.wait_for_text(f"{FLOW} p[data-name=flow-frame]", "this velocity leads to x̂₀")
    assert len(set(visit.pixels(f"{FLOW} canvas[data-name=velocity]"))) > 50
    assert visit.axe(context=FLOW) == []


def test_how_far_the_network_looks_is_drawn_point_by_point(phone):
    page = phone.open().page
    phone.tab("Receptive field")
    page.click("#receptive-patches button")
    page.wait_for_selector("#receptive-patches .ddpm-patches[data-done='9']")
    assert "can see 169 pixels" in page.inner_text("#receptive-patches p[data-name=patches]")
    first, last = (
        int(page.get_attribute("#receptive-patches .ddpm-patches", f"data-{end}")) for end in ("first", "last")
    )
    assert first < last
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert phone.axe(context="#receptive-patches") == []
