"""The lab as a folder of a web space: in a sub-folder, installed, and opened again once the server has gone."""

import datetime
import http.server
import threading
from contextlib import contextmanager
from functools import partial

from ddpm_demo.ui.lab.folder import lab_folder
from tests.browser.test_lab import FILM, open_tab

MAY_BE_INSTALLED = "Page.getInstallabilityErrors"


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_):
        pass


@contextmanager
def served(folder):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def draw_a_digit(page):
    open_tab(page, "generate")
    page.get_by_label("Digits").fill("1")
    page.click("#generate-start")
    page.wait_for_selector(f'{FILM}[data-done="1"]')


def test_it_may_be_installed_and_opens_again_without_a_network(visit_to, tmp_path):
    lab = tmp_path / "course" / "lab"
    lab.mkdir(parents=True)
    for name, content in lab_folder("lite", datetime.date(2026, 3, 1)).items():
        (lab / name).write_bytes(content)
    with served(tmp_path) as address:
        visit = visit_to(f"{address}/course/lab/")
        page = visit.page
        page.goto(visit.address)
        page.wait_for_selector('#noise-view canvas[data-name="x_t"]')
        page.evaluate("navigator.serviceWorker.ready.then(() => {})")
        assert page.context.new_cdp_session(page).send(MAY_BE_INSTALLED)["installabilityErrors"] == []
    page.goto(f"{visit.address}?lesson=none")  # the server has gone: a link to the same page
    page.wait_for_selector('#noise-view canvas[data-name="x_t"]')
    draw_a_digit(page)
    assert "made on your device" in page.text_content("#generate-film .ddpm-facts")
    assert all(request.startswith(visit.address) for request in visit.requests)


def test_a_folder_on_a_disk_says_why_it_draws_nothing(visit_to, tmp_path):
    for name, content in lab_folder("lite", datetime.date(2026, 3, 1)).items():
        (tmp_path / name).write_bytes(content)
    visit = visit_to((tmp_path / "index.html").as_uri())
    page = visit.page
    page.goto(visit.address)
    open_tab(page, "generate")
    page.click("#generate-start")
    page.locator("#generate-film", has_text="a disk takes the lab in one file").wait_for()
    visit.faults.clear()  # Chromium says in its console that a file may not be fetched
