#!/usr/bin/env bash
# Expected: gr.Error(..., title="Full disk") and gr.Info and gr.Warning with a title show it above the message: it is documented.
# Seen: the words above are "Error", "Info" and "Warning", in English whatever the page's language; the title arrives and is not read.
# Matters: the title of a fault cannot be translated by its sender; this page's script renames it after it has appeared.
# Source: Gradio 6.31.0 (gradio/exceptions.py, gradio/helpers.py and the page's own script) in Chromium, by playwright 1.61.0.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check gradio==6.31.0 playwright==1.61.0
cd "$place"
cat >titles.py <<'END'
import shutil

import gradio as gr
import httpx
from playwright.sync_api import sync_playwright


def fail():
    raise gr.Error("nothing could be written", title="Full disk", print_exception=False)


TELL = {
    "error": fail,
    "info": lambda: gr.Info("it goes on", title="Half done"),
    "warning": lambda: gr.Warning("it is slow", title="Busy"),
}
with gr.Blocks(analytics_enabled=False) as demo:
    for name, tell in TELL.items():
        gr.Button(name).click(tell)
_, address, _ = demo.launch(prevent_thread_lock=True, quiet=True)
sent = {}
for k, name in enumerate(TELL):
    asked = {"data": [], "fn_index": k, "session_hash": name}
    httpx.post(f"{address}gradio_api/queue/join", json=asked).raise_for_status()
    with httpx.stream("GET", f"{address}gradio_api/queue/data", params={"session_hash": name}) as stream:
        said = "".join(stream.iter_lines())
    sent[name] = next(title for title in ("Full disk", "Half done", "Busy") if f'"title":"{title}"' in said)
seen = {}
with sync_playwright() as started:
    browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox"])
    print(f"gradio {gr.__version__}, Chromium {browser.version}")
    for language in ("en", "de"):
        for name in TELL:
            page = browser.new_context(locale=language).new_page()
            page.goto(address)
            page.get_by_role("button", name=name).click()
            page.locator(".toast-title").first.wait_for()
            shown = page.locator(".toast-title").first.text_content().strip()
            print(f"{language}: {name} is sent with the title {sent[name]!r} and shown under {shown!r}")
            seen[language, name] = (sent[name], shown)
    browser.close()
demo.close()
expected = {"error": ("Full disk", "Error"), "info": ("Half done", "Info"), "warning": ("Busy", "Warning")}
assert seen == {(language, name): expected[name] for language in ("en", "de") for name in TELL}, seen
END
GRADIO_ANALYTICS_ENABLED=False "$place/venv/bin/python" titles.py
