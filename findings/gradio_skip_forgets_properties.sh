#!/usr/bin/env bash
# Expected: an event that answers gr.skip() for a component leaves it as it is: that is what skip is for.
# Seen: a gr.HTML in a tab that has not been opened loses all properties of its own; on the open tab it keeps them.
# Matters: a page's events skip what they do not change, so a list's options must not be a property, or it opens empty.
# Source: Gradio 6.31.0 (js/html, and the updates kept for tabs that are not mounted) in Chromium, by playwright 1.61.0.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check gradio==6.31.0 playwright==1.61.0
cd "$place"
cat >both.py <<'END'
import shutil

import gradio as gr
import playwright
from playwright.sync_api import sync_playwright

SHOW = """let said = 0;
const show = () => { element.textContent = `shade ${props.shade}, said ${++said} times`; };
element.onclick = show;
show();"""
with gr.Blocks(analytics_enabled=False) as demo:
    parts = []
    for name in ("open", "closed"):
        with gr.Tab(name):
            parts.append(gr.HTML("x", html_template="<p></p>", js_on_load=SHOW, shade="red", elem_id=name))
    skip = gr.Button("skip")
    skip.click(lambda: [gr.skip(), gr.skip()], None, parts)
_, address, _ = demo.launch(prevent_thread_lock=True, quiet=True)
with sync_playwright() as started:
    browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox"])
    print(f"gradio {gr.__version__}, Chromium {browser.version}")
    seen = {}
    for pressed in (False, True):
        page = browser.new_page()
        page.goto(address)
        page.wait_for_function("document.querySelector('#open')?.textContent.includes('shade')")
        if pressed:
            with page.expect_response(lambda answer: "queue/data" in answer.url):
                page.get_by_role("button", name="skip").click()
            page.wait_for_timeout(2000)
        page.locator("#open .prose").click()  # it says once more what it has
        page.get_by_role("tab", name="closed").click()
        page.wait_for_function("document.querySelector('#closed')?.textContent.includes('shade')")
        seen[pressed] = [page.text_content(f"#{name}").strip() for name in ("open", "closed")]
        print(f"gr.skip() {'answered' if pressed else 'not asked for'}: open and closed tab's part say {seen[pressed]}")
    browser.close()
demo.close()
always = ["shade red, said 2 times", "shade red, said 1 times"]
assert seen == {False: always, True: [always[0], "shade undefined, said 1 times"]}, seen
END
GRADIO_ANALYTICS_ENABLED=False "$place/venv/bin/python" both.py
