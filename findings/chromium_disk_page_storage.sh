#!/usr/bin/env bash
# Expected: what a page opened from a disk has put into localStorage is there after a reload, as with a page from a server.
# Seen: about one document in ten gets an empty one, if asked for before its first frame; what it writes there is gone.
# Matters: a single-file page that keeps a student's progress loses it by a reload; ours asks after the first frame.
# Source: Debian's Chromium 156 (headless shell) with RenderDocument, its default, which playwright 1.65.2 leaves on.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check playwright==1.65.2
cd "$place"
cat >both.py <<'END'
import functools
import http.server
import importlib.metadata
import pathlib
import re
import shutil
import threading

from playwright.sync_api import sync_playwright

RELOADS = 200
READ = "window.was = localStorage.getItem('count');"
SCRIPTS = {"at once": READ, "after a frame": f"requestAnimationFrame(() => {{ {READ} }});"}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def lost(browser, address):
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    wrong = 0
    for count in map(str, range(RELOADS)):
        page.evaluate("count => localStorage.setItem('count', count)", count)
        page.wait_for_timeout(50)
        page.reload()
        page.wait_for_function("window.was !== undefined")
        wrong += page.evaluate("window.was") != count
    context.close()
    return wrong


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory="."))
threading.Thread(target=server.serve_forever, daemon=True).start()
seen = {}
with sync_playwright() as started:
    program = shutil.which("chromium-headless-shell")
    for feature in ("on", "off"):
        arguments = ["--no-sandbox"] + (["--disable-features=RenderDocument"] if feature == "off" else [])
        browser = started.chromium.launch(executable_path=program, args=arguments)
        print(f"Chromium {browser.version}, playwright {importlib.metadata.version('playwright')}, RenderDocument {feature}")
        for when, script in SCRIPTS.items():
            file = pathlib.Path("page.html")
            file.write_text(f"<!doctype html><title>a page</title><script>{script}</script>")
            places = {"disk": file.resolve().as_uri(), "server": f"http://127.0.0.1:{server.server_port}/page.html"}
            for where, address in places.items():
                seen[feature, when, where] = lost(browser, address)
                print(f"  read {when}, from a {where}: {seen[feature, when, where]} of {RELOADS} values were not there after a reload")
        browser.close()
server.shutdown()
faulty = seen.pop(("on", "at once", "disk"))
assert faulty > 0 and not any(seen.values()), (faulty, seen)
END
"$place/venv/bin/python" both.py
