"""A student's way through the Train tab, on a server with a cache of its own."""

import os
import shutil
import subprocess
import sys

import pytest
import torch
from playwright.sync_api import expect

from ddpm_demo.core.config import ModelConfig
from ddpm_demo.machine.device import Placement
from ddpm_demo.measuring.copying import nearest_drawings
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.training import snapshots
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.training.run import Run
from ddpm_demo.training.training_set import variations
from tests.drawings.test_picture_set import drawing
from tests.drawings.test_picture_set import zipped as zip_of

VIEW = "#train-view .ddpm-train"
OWN = "#own-drawings details"


class Server:
    """The app on a cache of its own, so that no run of a test lands on anybody's shelf."""

    def __init__(self, folder, *more):
        environment = {**os.environ, "DDPM_DEMO_CACHE": str(folder)}
        command = [sys.executable, "-m", "ddpm_demo", "app", *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        line = self.process.stdout.readline()
        assert "open http://" in line, line
        self.address = line.split("open ")[1].split()[0]

    def end(self, *, kill=False):
        if self.process.poll() is None:
            self.process.kill() if kill else self.process.terminate()
            self.process.wait(timeout=120)
            self.process.stdout.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def address(folder):
    server = Server(folder)
    yield server.address
    server.end()


def open_train(visit):
    visit.open()
    visit.tab("Train")
    visit.page.wait_for_selector(VIEW)


def fill(page, wanted):
    """Type into fields until they keep it: one that has only just been laid out may forget."""
    kept = 0
    while kept < 2:
        wrong = [(field, value) for field, value in wanted.items() if field.input_value() != value]
        for field, value in wrong:
            field.fill(value)
            field.press("Tab")
        kept = 0 if wrong else kept + 1
        page.wait_for_timeout(500)


def run_fields(page, name, minutes):
    """The fields of a run of a tiny network, and what to type there."""
    return {
        page.get_by_role("spinbutton", name="Width"): "8",
        page.get_by_role("textbox", name="Dilations"): "1 3",
        page.get_by_role("spinbutton", name="Batch size"): "64",
        page.get_by_role("spinbutton", name="Length"): f"{minutes:g}",
        page.get_by_role("textbox", name="Name of the run"): name,
    }


def start(visit, *, name, minutes=600):
    """Begin a run of a tiny network, which is stopped long before its end: also on a loaded machine."""
    page = visit.page
    if not page.get_by_role("spinbutton", name="Width").is_visible():
        visit.settings()
    fill(page, run_fields(page, name, minutes))
    page.locator("#train-start").click()
    wait(visit, f"d => d.phase === 'training' && Number(d.lines) > 2 && h.includes({name!r})")


def wait(visit, condition):
    """Wait for a condition of the view's data `d` and its headline `h`."""
    visit.page.wait_for_function(
        f"(() => {{ const view = document.querySelector('{VIEW}');"
        f" const h = view?.querySelector('h2').textContent; return view && ({condition})(view.dataset); }})()"
    )


def press(visit, name):
    visit.page.locator(VIEW).get_by_role("button", name=name, exact=True).click()


def queue_of(visit):
    return visit.page.get_by_role("region", name="queue of runs")


def stop(visit):
    press(visit, "■ Stop and save")
    wait(visit, "d => d.phase === ''")


def run_of(visit, name):
    return visit.page.locator(f'.ddpm-shelf li[data-name="{name}"]')


def delete(visit, name):
    run_of(visit, name).get_by_role("button", name=f"delete {name}").click()
    visit.page.get_by_role("button", name="Delete for good").click()
    run_of(visit, name).wait_for(state="detached")


def test_a_run_from_start_to_digits_and_away(visit):
    """Start, see the loss move, reload, pause, go on, stop, generate from it, rename, export, delete."""
    open_train(visit)
    start(visit, name="first")
    page = visit.page
    page.get_by_text("Every measurement").click()
    page.wait_for_selector(f"{VIEW} .js-plotly-plot .scatterlayer")
    losses = "document.querySelector('#train-view .js-plotly-plot').data[0].y.length"
    wait(visit, "d => Number(d.lines) > 5")
    page.wait_for_function(f"{losses} > 5")
    before = int(page.get_attribute(VIEW, "data-step"))
    wait(visit, f"d => Number(d.step) > {before}")

    # the zoom stays while more arrives
    page.evaluate(
        "Plotly.relayout(document.querySelector('#train-view .js-plotly-plot'), {'xaxis.range': [0.01, 0.05]})"
    )
    count = page.evaluate(losses)
    page.wait_for_function(f"{losses} > {count + 1}")
    kept = page.evaluate("document.querySelector('#train-view .js-plotly-plot').layout.xaxis.range")
    assert kept == [0.01, 0.05]

    # a reload finds the same run, further on
    step = int(page.get_attribute(VIEW, "data-step"))
    open_train(visit)
    wait(visit, f"d => Number(d.step) >= {step} && h.includes('first: training')")

    press(visit, "❚❚ Pause")
    wait(visit, "d => d.phase === 'paused'")
    step = page.get_attribute(VIEW, "data-step")
    page.wait_for_timeout(1500)
    assert page.get_attribute(VIEW, "data-step") == step
    press(visit, "▶ Go on")
    wait(visit, f"d => d.phase === 'training' && Number(d.step) > {step}")
    page.wait_for_selector(f"{VIEW} canvas[data-name=ema][data-step]")
    assert len(set(visit.pixels(f"{VIEW} canvas[data-name=ema]"))) > 2
    stop(visit)

    # its checkpoint is in the lists of the other tabs, and draws
    visit.tab("Generate")
    page.wait_for_selector("#generate-film canvas")
    visit.settings()
    visit.pick("#generate-which", "first (custom, 8 channels")
    for label, value in (("Steps", 5), ("Digits", 1)):
        field = page.get_by_role("spinbutton", name=f"number input for {label}")
        field.fill(str(value))
        field.press("Tab")
    page.locator("#generate-start").click()
    page.wait_for_function("document.querySelector('#generate-film canvas').dataset.received == '6'")
    visit.tab("Network")
    visit.pick("#network-which", "first (custom, 8 channels")
    visit.wait_for_text("#network-table", "first")
    visit.tab("Noise")
    page.locator("#noise-details .ddpm-network select").select_option("first")
    visit.wait_for_text('#noise-details [data-name="network"]', "first answered in")

    # and the run can be named, taken home and deleted
    visit.tab("Train")
    run_of(visit, "first").get_by_role("button", name="rename first").click()
    page.get_by_label("new name").fill("second")
    page.get_by_role("button", name="Save the name").click()
    run_of(visit, "second").wait_for()
    with page.expect_download() as download:
        run_of(visit, "second").get_by_role("button", name="export second").click()
    assert download.value.suggested_filename == "second.safetensors"
    run_of(visit, "second").get_by_role("button", name="delete second").click()
    page.get_by_role("button", name="Keep it").click()
    delete(visit, "second")
    visit.tab("Generate")
    page.wait_for_load_state("networkidle")
    page.get_by_role("combobox", name="Checkpoint").focus()
    page.locator("#generate-which option", has_text="lite").first.wait_for(state="attached")
    page.wait_for_load_state("networkidle")
    assert page.locator("#generate-which option", has_text="second").count() == 0


@pytest.mark.parametrize("size", [(390, 844), (1280, 800)])
def test_after_start_what_is_learnt_is_in_view(visit, size):
    page = visit.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_train(visit)
    start(visit, name="seen")
    visit.settings()  # which folds them again
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_selector(f"{VIEW} canvas[data-name=ema][data-step]")
    for part in ("#train-start", f"{VIEW} progress", f"{VIEW} .ddpm-curve", f"{VIEW} canvas[data-name=ema]"):
        box = page.locator(part).bounding_box()
        assert box["y"] >= 0, part
        assert box["y"] + box["height"] <= size[1] + 0.5, (part, box)
        assert box["x"] + box["width"] <= size[0] + 0.5, (part, box)
    stop(visit)
    delete(visit, "seen")


def test_axe_finds_nothing_on_the_tab_with_a_run(visit):
    open_train(visit)
    start(visit, name="looked at")
    for theme in ("light", "dark"):
        visit.open(theme)
        visit.tab("Train")
        visit.page.wait_for_selector(f"{VIEW} canvas[data-name=ema][data-step]")
        visit.page.locator("summary").filter(has_text="How the network grew up").click()
        visit.page.wait_for_selector(f"{VIEW} details[data-step]")
        run_of(visit, "looked at").wait_for()
        violations = visit.axe(theme)
        found = {(v["id"], node["target"][0]): node["html"][:200] for v in violations for node in v["nodes"]}
        found.pop(("image-redundant-alt", 'img[alt="Settings"]'), None)  # Gradio's own
        assert found == {}, theme
    stop(visit)
    delete(visit, "looked at")


def test_two_pages_see_one_run_and_only_one_is_trained(visit, phone):
    open_train(visit)
    start(visit, name="shared")
    open_train(phone)
    wait(phone, "d => d.phase === 'training' && h.includes('shared')")
    phone.page.locator("#train-start").click()
    queue = queue_of(phone)
    expect(queue.get_by_role("button", name="Queue my run")).to_be_focused()
    expect(queue).to_contain_text("Yours can wait in the queue")
    queue.get_by_role("button", name="Queue my run").click()
    expect(queue).to_contain_text("number 1 of 1 in the queue")
    open_train(phone)  # the place is this browser's, not this page's
    expect(queue).to_contain_text("number 1 of 1 in the queue")
    queue.get_by_role("button", name="Leave the queue").click()
    expect(queue).to_be_hidden()
    stop(phone)
    wait(visit, "d => d.phase === ''")
    delete(visit, "shared")


def test_a_page_that_stays_on_generate_sees_a_new_run_when_it_opens_the_list(visit, folder):
    page = visit.open().page
    visit.tab("Generate")
    page.get_by_role("button", name="Generate", exact=True).wait_for()
    new = folder / "runs" / "20260101-000000-abcdef"
    new.mkdir(parents=True)
    shutil.copy(shipped_checkpoints()["lite"], new / "model.safetensors")
    (new / "name.txt").write_text("made elsewhere")
    visit.settings()
    visit.pick("#generate-which", "made elsewhere")
    assert "made elsewhere" in page.locator("#generate-which select").input_value()
    shutil.rmtree(new)


def test_beside_each_new_digit_stands_the_nearest_drawing(visit, folder):
    """A run that learned six drawings: sixteen pairs with the distances that Python finds, and what is near or far."""
    drawings = torch.zeros(6, 28, 28, dtype=torch.uint8)
    for k in range(6):
        drawings[k, 4 + 3 * k : 7 + 3 * k, 4:24] = 255
    directory = folder / "runs" / "20200101-000000-abcdef"
    directory.mkdir(parents=True)
    (directory / "name.txt").write_text("signs")
    model, config = ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16), TrainConfig(epochs=0.1, batch=200)
    list(Run.begin(directory, model, config, Placement(torch.device("cpu"), torch.float32), drawings=drawings).record())

    open_train(visit)
    run_of(visit, "signs").get_by_role("button", name="watch signs").click()
    section = visit.page.get_by_role("region", name="learned or copied")
    section.wait_for()
    assert "nearest of your 6 drawings" in section.text_content()
    shown = section.locator("figure").evaluate_all("all => all.map((figure) => Number(figure.dataset.distance))")
    newest, _ = snapshots.pictures(directory, 1)
    assert shown == pytest.approx(nearest_drawings(newest, drawings, variations(drawings, 0)).distance.tolist())
    delete(visit, "signs")
    assert not directory.exists()


def draw_sign(visit, k):
    """Draw a corner with the mouse on the panel's pad, each time a little elsewhere."""
    page, pad = visit.page, visit.page.locator("#own-drawings .ddpm-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 60 + 8 * k, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 70 + 8 * k, box["y"] + 200, steps=4)
    page.mouse.move(box["x"] + 200, box["y"] + 190 - 6 * k, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Done: next drawing").click()
    page.wait_for_selector(f"{OWN}[data-drawings='{k + 1}']")


@pytest.mark.parametrize("kind", ["visit", "phone"])
def test_own_drawings_are_seen_as_a_set_and_taught(request, kind, folder, tmp_path):
    """Drawn, uploaded, one taken away, a class mixed in; the set is shown, a reload keeps it, and a run learns it."""
    visit = request.getfixturevalue(kind)
    page = visit.page
    open_train(visit)
    assert page.locator("#own-drawings .ddpm-pad").is_hidden()
    page.get_by_role("button", name="teach it your own drawings").click()
    draw_sign(visit, 0)
    draw_sign(visit, 1)
    page.locator("#own-drawings .ddpm-pad").focus()
    for key in ["Space", *["ArrowDown"] * 12, "Space"]:
        page.keyboard.press(key)
    page.get_by_role("button", name="Done: next drawing").click()
    page.wait_for_selector(f"{OWN}[data-drawings='3']")
    assert page.locator(f"{OWN} button").filter(has_text="2 more needed").is_disabled()

    zipped = tmp_path / "signs.zip"
    zipped.write_bytes(zip_of([*((f"../{k}.png", drawing(10 * k)) for k in range(3)), ("spoilt.png", b"no picture")]))
    alone = tmp_path / "alone.png"
    alone.write_bytes(drawing(5))
    wrong = tmp_path / "letter.jpg"
    wrong.write_text("Dear reader")
    page.set_input_files("#own-drawings input[type=file]", [zipped, alone, wrong])
    page.wait_for_selector(f"{OWN}[data-drawings='7']")
    left = page.get_by_role("list", name="pictures that were left out")
    assert [text[:21] for text in left.get_by_role("listitem").all_text_contents()] == [
        "spoilt.png: this file",
        "letter.jpg: this file",
    ]
    page.get_by_role("button", name="remove drawing 2", exact=True).click()
    page.wait_for_selector(f"{OWN}[data-drawings='6'][data-total='2000']")
    page.get_by_role("group", name="MNIST's digits to mix in").get_by_role("checkbox", name="3").check()
    page.wait_for_selector(f"{OWN}[data-total='4000']")
    assert len(set(visit.pixels(f"{OWN} .ddpm-own-set"))) > 20
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]

    open_train(visit)  # a page that is loaded again still has them
    page.wait_for_selector(f"{OWN}[data-drawings='6']", state="attached")
    page.get_by_role("button", name="teach it your own drawings").click()
    page.locator(OWN).get_by_label("name of the run").fill(f"hooks {kind}")
    page.get_by_role("button", name="Start with my drawings").click()
    wait(visit, f"d => d.phase === 'training' && Number(d.lines) > 0 && h.includes('hooks {kind}')")
    section = page.get_by_role("region", name="learned or copied")
    section.wait_for()
    assert "nearest of your 6 drawings" in section.text_content()
    assert page.get_by_role("button", name="Start with my drawings").is_enabled()
    stop(visit)
    expect(run_of(visit, f"hooks {kind}")).to_contain_text("6 hand-made drawings, with 3")
    delete(visit, f"hooks {kind}")
    assert list((folder / "runs").glob("*/pictures.safetensors")) == []


def test_measure_says_what_the_settings_mean(visit):
    open_train(visit)
    visit.page.get_by_role("checkbox", name="0", exact=True).uncheck()
    visit.page.locator("#train-measure").click()
    visit.wait_for_text("#train-estimate", "images a second here and now")
    assert "about 5 minutes" in visit.page.text_content("#train-estimate")
    assert "54,077 digits" in visit.page.text_content("#train-estimate")  # without MNIST's 5,923 zeros


def test_a_wrong_setting_gets_a_sentence(visit):
    open_train(visit)
    fill(visit.page, {visit.page.get_by_role("spinbutton", name="Length"): "100000"})
    visit.page.locator("#train-start").click()
    visit.page.wait_for_selector("text=the length in minutes must be more than 0 and at most 720")
    assert visit.page.locator(".ddpm-shelf li[data-name]").count() == 0


def test_a_killed_server_finds_its_run_again(visit_to, tmp_path):
    server = Server(tmp_path)
    try:
        visit = visit_to(server.address)
        open_train(visit)
        start(visit, name="survivor")
        visit.page.goto("about:blank")
        server.end(kill=True)
        server = Server(tmp_path)
        visit = visit_to(server.address)
        open_train(visit)
        wait(visit, "d => h.includes('survivor: stopped')")
        run_of(visit, "survivor").get_by_role("button", name="resume survivor").click()
        wait(visit, "d => d.phase === 'training' && Number(d.lines) > 1")
        stop(visit)
        visit.page.goto("about:blank")  # or it would ask a server that is gone
    finally:
        server.end()


def test_in_a_class_only_its_starter_and_the_host_stop_a_run(visit_to, tmp_path):
    server = Server(tmp_path, "--host", "0.0.0.0")
    try:
        line = next(line for line in server.process.stdout if "As the host" in line)
        host_address = line.split("open ")[1].strip()
        starter, other, host = (visit_to(server.address) for _ in range(3))
        open_train(starter)
        start(starter, name="mine")
        open_train(other)
        wait(other, "d => d.phase === 'training' && h.includes('mine')")
        expect(queue_of(other)).to_contain_text("Your class is training: watch it learn. Only whoever started it")
        for visit, buttons in ((starter, 1), (other, 0)):
            expect(visit.page.get_by_role("button", name="■ Stop and save")).to_have_count(buttons)  # of the visible
            expect(run_of(visit, "mine").get_by_role("button", name="rename mine")).to_have_count(buttons)
        host.page.goto(host_address)
        host.page.wait_for_function("!location.href.includes('host=')")  # no link that is made here hands the key on
        host.tab("Train")
        wait(host, "d => d.phase === 'training'")
        stop(host)
        wait(other, "d => d.phase === ''")
        assert run_of(other, "mine").get_by_role("button", name="delete mine").count() == 0
        host.page.goto("about:blank")
        host.open()  # and the host's browser knows it still
        host.tab("Train")
        delete(host, "mine")
        for visit in (starter, other, host):
            visit.page.goto("about:blank")
    finally:
        server.end()


def test_the_teachers_switch(visit_to, tmp_path):
    server = Server(tmp_path, "--no-training")
    try:
        visit = visit_to(server.address)
        open_train(visit)
        visit.page.get_by_text("Training is switched off on this server").wait_for()
        assert visit.page.locator("#train-start").count() == 0
        assert visit.page.locator(VIEW).get_by_role("button", name="❚❚ Pause").count() == 0
        visit.page.goto("about:blank")
    finally:
        server.end()
