"""The lab as one file: everything that it needs stands in it, and its policy lets nothing in from outside."""

import base64
import datetime
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from ddpm_demo.core.config import DemoError
from ddpm_demo.ui.lab.bundle import ENTRY, WORKER, lab_style, one_script
from ddpm_demo.ui.lab.facts import lab_facts
from ddpm_demo.ui.lab.lessons import SolvedLesson
from ddpm_demo.ui.parts.bridge import STATIC

MOST_BYTES = 2_500_000
WASM = ("net.wasm", "net_relaxed.wasm")
TITLE = "How diffusion draws a digit"
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{head}
</head>
<body>
<div class="gradio-container"><main id="lab" class="main">
<p>This page needs JavaScript, and Chrome or Edge 105, Firefox 121, Safari 16.4, or newer.</p>
</main></div>
<script type="application/json" id="lab-facts">{facts}</script>
{script}
{files}
</body>
</html>
"""


def lab_page(checkpoint: str, date: datetime.date, lessons: Sequence[SolvedLesson] = ()) -> bytes:
    """Return the lab with this network, a name or a path, and these lessons as one HTML file.

    The same but for the date whenever it is called. Raises ConfigError or CheckpointError if there is no such network,
    DemoError if it is too large for one file.
    """
    facts, files = lab_facts(checkpoint, date, lessons)
    files |= {name: (STATIC / "net" / name).read_bytes() for name in WASM}
    script = one_script(ENTRY)
    page = PAGE.format(
        policy=one_file_policy(script),
        title=TITLE,
        head=f"<style>\n{lab_style()}\n</style>",
        facts=json_in_page(facts),
        script=f"<script>{script}</script>",
        files="\n".join(
            [
                f'<script type="text/plain" id="lab-worker">{one_script(WORKER)}</script>',
                *(_in_page(name, content) for name, content in files.items()),
            ]
        ),
    ).encode()
    if len(page) > MOST_BYTES:
        raise DemoError(
            f"a lab with this network would have {len(page) / 1e6:.1f} MB, more than the {MOST_BYTES / 1e6:.1f} MB "
            "that one file may: choose a smaller one, such as lite, or write a folder"
        )
    return page


def one_file_policy(script: str) -> str:
    """Return the Content-Security-Policy of the one file: this one script, its workers and its WebAssembly."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; script-src 'sha256-{digest}' 'wasm-unsafe-eval'; worker-src blob:; "
        "style-src 'unsafe-inline'; img-src blob: data:; base-uri 'none'; form-action 'none'"
    )


def json_in_page(value: Any) -> str:
    """Return JSON that can stand in a script element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _in_page(name: str, content: bytes) -> str:
    return f'<script type="text/plain" id="file-{name}">{base64.b64encode(content).decode("ascii")}</script>'
