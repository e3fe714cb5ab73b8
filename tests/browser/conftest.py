"""A real server and a real browser; any console error or request that leaves the machine fails the test."""

import json
import os
import shutil
import subprocess
import sys
from urllib.parse import urlparse

import pytest
from playwright.sync_api import expect

from ddpm_demo.bench.page import chromium, chromium_path

PATIENCE = 300_000  # milliseconds until what should come is said not to: a loaded machine is slow, not wrong
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """The app, started as a user starts it, on a free port; on a cache of its own, where no other test trains."""
    command = [sys.executable, "-m", "ddpm_demo", "app"]
    environment = {**os.environ, "DDPM_DEMO_CACHE": str(tmp_path_factory.mktemp("cache"))}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    line = server.stdout.readline()
    assert "open http://127.0.0.1:" in line, line
    yield line.split("open ")[1].split()[0]
    server.terminate()
    server.wait(timeout=120)
    server.stdout.close()


def there(program, name):
    """A browser's program, or its tests are skipped, but never in CI."""
    if program is None:
        message = f"no {name} found: install it to run its browser tests"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return program


@pytest.fixture(scope="session")
def browser():
    """Chromium with a fresh profile; without its windows and menus, where Debian's headless shell is installed.

    The shell is the same engine and opens a page of the app with half the processor's time (1.7 s against 3.5).
    """
    path = there(shutil.which("chromium-headless-shell") or chromium_path(), "Chromium")
    with chromium(path) as browser:
        yield browser


def open_context(browser, place="server", *, new=False, **options):
    """A visitor's browser, patient, whose films are made in one place: which is quicker no test can know.

    It has been here before, unless it is `new`: the introduction is the business of its own tests.
    """
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    kept = {"ddpm-where": place} | ({} if new else {"ddpm-been-here": "1"})
    # not in a page from a disk, to which Chromium may give an empty storage if it is asked before the first frame
    script = "if (location.protocol !== 'file:') try {{ Object.assign(localStorage, {}) }} catch {{}}"
    context.add_init_script(script.format(json.dumps(kept)))
    return context


class Visit:
    """A page under watch."""

    def __init__(self, page, address):
        self.page, self.address = page, address
        self.faults, self.requests = [], []
        page.on("console", lambda m: self.faults.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", self._seen)
        page.on("response", lambda r: self.faults.append(f"{r.status} {r.url}") if r.status >= 400 else None)

    def _seen(self, request):
        url = urlparse(request.url)
        if url.scheme in ("data", "blob"):
            return
        self.requests.append(request.url)
        if url.hostname != urlparse(self.address).hostname:
            self.faults.append(f"a request leaves the machine: {request.url}")

    def open(self, theme="light", query=""):
        self.page.goto(f"{self.address}?__theme={theme}&{query}")
        self.page.wait_for_selector('#noise-view canvas[data-name="x_t"]')
        return self

    def wait_for_text(self, selector, text):
        """Wait until an element says so."""
        self.page.wait_for_function(
            "([selector, text]) => document.querySelector(selector)?.textContent.includes(text)", arg=[selector, text]
        )

    def tab(self, name):
        """Open a tab: one tap, at every width."""
        self.page.get_by_role("tab", name=name).click()

    def settings(self):
        """Unfold the open tab's Settings, or fold them again."""
        fields = self.page.locator(".ddpm-settings input").filter(visible=True)
        there = fields.count() > 0
        self.page.locator(".ddpm-settings button.label-wrap").filter(visible=True).click()
        fields.first.wait_for(state="hidden" if there else "visible")

    def set(self, role, name, value, *, exact=False):
        """Fill a field: one that has only just been laid out may forget what is typed into it."""
        field = self.page.get_by_role(role, name=name, exact=exact)
        kept = 0
        while kept < 2:
            if field.input_value() != str(value):
                field.fill(str(value))
                field.press("Tab")
                kept = 0
            else:
                kept += 1
            self.page.wait_for_timeout(200)

    def pick(self, field, text):
        """Choose the first option with that text, as soon as the list has it."""
        self.page.locator(f"{field} select").focus()  # as who opens it does: the list is asked for anew
        option = self.page.locator(f"{field} option").filter(has_text=text).first
        option.wait_for(state="attached")
        self.page.locator(f"{field} select").select_option(option.get_attribute("value"))

    def axe(self, theme="light", context=None):
        """What axe finds wrong; in the dark theme only the colours are another matter than in the light one."""
        from axe_playwright_python.sync_playwright import Axe

        options = {"runOnly": ["color-contrast"]} if theme == "dark" else None
        return Axe().run(self.page, context=context, options=options).response["violations"]

    def pixels(self, selector):
        """The grey bytes of a canvas, as a list."""
        return self.page.eval_on_selector(
            selector,
            """canvas => {
                const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
                return Array.from({length: data.length / 4}, (_, i) => data[4 * i]);
            }""",
        )

    def set_slider(self, within, value):
        """Move a slider as a drag does: the value, then an input event."""
        slider = f"{within} input[type=range]"
        self.page.wait_for_selector(slider, state="attached")
        self.page.eval_on_selector(
            slider,
            "(input, value) => { input.value = value; input.dispatchEvent(new Event('input', {bubbles: true})); }",
            value,
        )


@pytest.fixture
def visit_to(browser):
    """Return a function that begins to watch a page of an address; at the end none of them may have had a fault."""
    visits = []

    def begin(address, place="server", **options):
        context = open_context(browser, place, **{"viewport": {"width": 1280, "height": 900}, **options})
        visits.append(Visit(context.new_page(), address))
        return visits[-1]

    yield begin
    for visit in visits:
        visit.page.context.close()
    assert [fault for visit in visits for fault in visit.faults] == []


@pytest.fixture
def visit(visit_to, address):
    return visit_to(address)


@pytest.fixture
def phone(visit_to, address):
    return visit_to(address, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
