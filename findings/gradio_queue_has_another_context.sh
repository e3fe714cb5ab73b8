#!/usr/bin/env bash
# Expected: a context variable that middleware sets for a request is what this request's event handler sees.
# Seen: with queue=False it is; in the queue, the default, every handler sees what launch()'s own first request had set.
# Matters: a page in the visitor's language had its queued answers and errors in English; ours asks the event's request.
# Source: Gradio 6.31.0 (routes: startup-events begins the queue's tasks; asyncio.create_task copies the context).
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check gradio==6.31.0
cd "$place"
cat >both.py <<'END'
import json
import uuid
from contextvars import ContextVar

import gradio as gr
import httpx
from starlette.middleware import Middleware

WHO = ContextVar("who", default="nobody")


class Remember:
    """What middleware does for a user, a tenant, a language: a context variable, set for one request."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        token = WHO.set(dict(scope["headers"]).get(b"x-who", b"nobody asked").decode())
        try:
            await self.app(scope, receive, send)
        finally:
            WHO.reset(token)


with gr.Blocks(analytics_enabled=False) as demo:
    said = gr.Textbox()
    gr.Button().click(lambda: WHO.get(), None, said, api_name="queued")
    gr.Button().click(lambda: WHO.get(), None, said, api_name="at_once", queue=False)
_, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, app_kwargs={"middleware": [Middleware(Remember)]})


def ask(who, event):
    """Press one of the two buttons as this visitor's browser would."""
    headers, session = {"x-who": who}, uuid.uuid4().hex
    with httpx.Client(base_url=address, headers=headers, timeout=30) as browser:
        browser.get("/config").raise_for_status()
        question = {"data": [], "fn_index": event, "session_hash": session}
        if event == 1:
            return browser.post("/gradio_api/run/at_once", json=question).json()["data"][0]
        browser.post("/gradio_api/queue/join", json=question).raise_for_status()
        with browser.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as lines:
            for line in lines.iter_lines():
                if line.startswith("data:") and (told := json.loads(line[5:]))["msg"] == "process_completed":
                    return told["output"]["data"][0]


seen = {way: [ask(who, event) for who in ("Ada", "Bob", "Eve")] for event, way in enumerate(("queued", "at once"))}
print(f"gradio {gr.__version__}, Ada, Bob and Eve one after the other:")
for way, answers in seen.items():
    print(f"  an event {way}: the function sees {', '.join(answers)}")
demo.close()
assert seen == {"queued": ["nobody asked"] * 3, "at once": ["Ada", "Bob", "Eve"]}, seen
END
GRADIO_ANALYTICS_ENABLED=False "$place/venv/bin/python" both.py
