"""A class that guesses together, as the host sees it on a projector and a student on a phone."""

from playwright.sync_api import expect


def named(visit, name):
    return visit.page.locator(f'[data-name="{name}"]')


def open_class_part(visit):
    visit.page.locator(".ddpm-lessons-entry").click()
    visit.page.get_by_text("A class that guesses together").click()


def test_a_student_joins_and_guesses_and_the_host_shows_it_beside_the_truth(visit, phone):
    visit.open()
    open_class_part(visit)
    named(visit, "class-lead").click()
    visit.page.wait_for_function("document.querySelector('[data-name=class-code]').textContent.length === 6")
    code = named(visit, "class-code").text_content()
    expect(named(visit, "class-count")).to_have_text("0 have joined, 0 have answered this question.")
    assert [fault["id"] for fault in visit.axe(context=".ddpm-lesson-sheet")] == []

    phone.open(query=f"class={code.lower()}")
    join = named(phone, "class-join")
    expect(join).to_be_focused()
    assert "class=" not in phone.page.url  # a reload asks nobody again
    join.click()
    expect(named(phone, "class-status")).to_contain_text(f"You are in class {code}")
    assert [fault["id"] for fault in phone.axe(context="#lessons")] == []
    phone.page.locator(".ddpm-lessons-item").first.click()
    phone.page.locator('[data-name="commit"]').click()  # the mark stands at 500

    expect(named(visit, "class-count")).to_have_text("1 have joined, 1 have answered this question.")
    rows = named(visit, "class-rows").get_by_role("listitem")
    assert rows.count() == 0
    named(visit, "class-guesses").click()
    expect(rows.nth(5)).to_have_text("500 to 599: 1")
    expect(named(visit, "class-rows").get_by_text("the truth")).to_have_count(0)
    named(visit, "class-truth").click()
    expect(named(visit, "class-rows").get_by_text("the truth")).to_have_count(1)
    assert [fault["id"] for fault in visit.axe(context=".ddpm-lesson-sheet")] == []
    named(visit, "class-close").click()
    expect(visit.page.get_by_role("dialog")).to_have_count(0)

    phone.page.locator('[data-name="skip"]').click()
    phone.page.locator('[data-name="to-question"]').click()
    phone.page.locator(".ddpm-lesson-choice input").first.check()
    phone.page.locator('[data-name="check"]').click()  # is sent to a class that is no more
    phone.page.locator('.ddpm-lessons-head [data-name="back"]').click()
    expect(named(phone, "class-status")).to_contain_text("The class has ended")


def test_the_teachers_sheet_has_plans_goals_answers_and_a_code_for_the_last_row(visit):
    visit.open()
    visit.page.locator(".ddpm-lessons-entry").click()
    named(visit, "sheet").click()
    sheet = visit.page.get_by_role("dialog", name="teacher's sheet")
    for title, minutes in (("45 minutes", 45), ("90 minutes", 90)):
        sheet.get_by_text(title, exact=True).click()
        plan = sheet.locator("details", has_text=title)
        parts = plan.locator("li b").all_text_contents()
        assert sum(int(part.removesuffix(" minutes")) for part in parts) == minutes
    expect(sheet.locator("article").first).to_contain_text("Afterwards they can say what t does to a picture")
    named(visit, "key").click()
    key = sheet.locator("article").first.locator("[data-part]")
    expect(key).to_have_count(5)  # the guess, one more question, and the three of the tests
    expect(key.first).to_contain_text("Right: t = ")
    assert key.locator("li").count() > 0  # the idea behind each wrong answer
    assert [fault["id"] for fault in visit.axe(context=".ddpm-lesson-sheet")] == []
    named(visit, "qr").click()  # closes with Escape, and the sheet is there again
    screen = visit.page.get_by_role("dialog", name="Open this page")
    expect(screen).to_contain_text("This page is open to this computer only")
    visit.page.keyboard.press("Escape")
    expect(screen).to_have_count(0)
    visit.page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)


def test_present_makes_the_page_large_until_it_is_switched_off(visit):
    lead = visit.page.locator(".ddpm-lead p").filter(visible=True).first
    visit.open()
    present = visit.page.get_by_role("button", name="Present", exact=True)
    present.focus()
    visit.page.keyboard.press("Enter")
    for width, height in ((1280, 800), (1920, 1080)):
        visit.page.set_viewport_size({"width": width, "height": height})
        expect(lead).to_have_css("font-size", "20px")
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        assert present.bounding_box()["height"] >= 44
    visit.open()
    expect(present).to_have_attribute("aria-pressed", "true")
    expect(lead).to_have_css("font-size", "20px")
    present.click()
    expect(lead).not_to_have_css("font-size", "20px")
    visit.open()
    expect(present).to_have_attribute("aria-pressed", "false")
