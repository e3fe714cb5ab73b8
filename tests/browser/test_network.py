"""The Network tab as a student walks it."""

from PIL import Image

STAGE = '#network-view p[data-name="stage"]'


def test_walking_the_stages(visit):
    visit.open()
    visit.set_slider("#noise-view", 420)
    visit.tab("Network")
    visit.wait_for_text(STAGE, "test digit 0, a 7 at t = 420: channels")
    assert visit.page.locator("#network-view .ddpm-channels").count() == 5
    running = visit.page.locator("#network-view .ddpm-stages canvas").count()
    flow = [visit.pixels(f"#network-view .ddpm-stages canvas >> nth={k}") for k in range(running)]
    assert running == 11  # x_t, and what leaves in, the eight blocks and out: no two alike, none black
    assert len({bytes(levels) for levels in flow if max(levels) == 255}) == running
    first = visit.pixels("#network-view .ddpm-channels canvas")
    visit.page.locator("#network-view .ddpm-stages").get_by_role("button", name="block 6").click()
    visit.page.wait_for_function("document.querySelector('#network-view h2').textContent === 'block 6'")
    visit.wait_for_text(STAGE, "channels")
    assert visit.pixels("#network-view .ddpm-channels canvas") != first
    visit.page.locator("#network-view .ddpm-stages").get_by_role("button", name="time").click()
    visit.wait_for_text(STAGE, "every pixel of every block")
    visit.page.get_by_text("Its source code", exact=True).click()
    assert "angles.sin()" in visit.page.text_content("#network-view pre")


def test_another_batch_and_network_change_the_shapes(visit):
    visit.open()
    visit.tab("Network")
    visit.wait_for_text("#network-table", "320,833")
    field = visit.page.get_by_role("spinbutton", name="Batch B")
    field.fill("128")
    field.press("Enter")
    visit.wait_for_text("#network-view", "128×64×28×28 → 128×64×28×28, 37,056 parameters")
    visit.page.get_by_role("combobox", name="Network", exact=True).select_option("full")
    visit.wait_for_text("#network-table", "4,871,425")
    visit.wait_for_text("#network-view", "128×256×28×28 → 128×256×28×28")
    field.fill("2000")
    field.press("Enter")
    visit.page.wait_for_selector("text=B must be a whole number from 1 to 1024")
    visit.page.wait_for_load_state("networkidle")


def test_a_link_brings_stage_pixel_and_dilations_back(visit):
    visit.open(query="stage=blocks.3&pixel=2-5&dilations=4-4")
    visit.tab("Network")
    visit.page.wait_for_function("document.querySelector('#network-view h2')?.textContent === 'block 3'")
    visit.wait_for_text(STAGE, "channels")
    visit.tab("Receptive field")
    visit.wait_for_text("#receptive-map", "row 2, column 5")
    visit.wait_for_text('#receptive-map p[data-name="paths"]', "of 4:")
    assert visit.page.get_by_label("Your own").input_value() == "4 4"
    visit.page.locator('#receptive-map canvas[data-name="paths"]').focus()
    visit.page.keyboard.press("ArrowDown")
    visit.page.wait_for_function("location.search.includes('pixel=3-5') && location.search.includes('dilations=4-4')")


def test_a_picture_can_be_saved(visit):
    visit.open()
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="save as PNG: their mixture").click()
    assert download.value.suggested_filename == "x_t.png"
    with Image.open(download.value.path()) as picture:
        assert picture.size == (280, 280)


def test_feature_maps_and_the_embedding_can_be_saved(visit):
    visit.open()
    visit.tab("Network")
    visit.wait_for_text(STAGE, "channels")
    visit.page.locator("#network-view .ddpm-png").first.scroll_into_view_if_needed()
    assert visit.page.locator("#network-view .ddpm-png").count() == 5
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="save as PNG: after SiLU").click()
    with Image.open(download.value.path()) as picture:
        assert picture.size == (3 * 118, 3 * 118)  # four rows of four channels, and the gaps between them
        first = picture.resize((118, 118), Image.Resampling.NEAREST).crop((0, 0, 28, 28)).convert("L")
        assert list(first.tobytes()) == visit.pixels("#network-view div:nth-child(5) > .ddpm-channels canvas")
    visit.page.locator("#network-view .ddpm-stages").get_by_role("button", name="time").click()
    visit.wait_for_text(STAGE, "every pixel of every block")
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="save as PNG: the sinusoidal embedding").click()
    assert download.value.suggested_filename == "the sinusoidal embedding.png"


def test_the_claims_are_there(visit):
    visit.open()
    visit.tab("Network")
    visit.wait_for_text("#network-claims", "does not hold")
