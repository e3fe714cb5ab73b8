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
from ddpm_demo.ui.words.language import ENGLISH, Language, in_language
from ddpm_demo.ui.words.page import TITLE
from ddpm_demo.words.sentence import say

MOST_BYTES = 2_500_000
WASM = ("net.wasm", "net_relaxed.wasm")
NEEDS = say("This page needs JavaScript, and Chrome or Edge 105, Firefox 121, Safari 16.4, or newer.")
PAGE = """<!doctype html>
<html lang="{language.code}" dir="{language.direction}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{head}
</head>
<body>
<div class="gradio-container"><main id="lab" class="main">
<p>{needs}</p>
</main></div>
<script type="application/json" id="lab-facts">{facts}</script>
{script}
{files}
</body>
</html>
"""


def lab_page(
    checkpoint: str, date: datetime.date, lessons: Sequence[SolvedLesson] = (), language: Language = ENGLISH
) -> bytes:
    """Return the lab with this network, a name or a path, and these lessons as one HTML file, in one language.

    The same but for the date whenever it is called. Raises ConfigError or CheckpointError if there is no such network,
    DemoError if it is too large for one file.
    """
    facts, files = lab_facts(checkpoint, date, lessons, language)
    files |= {name: (STATIC / "net" / name).read_bytes() for name in WASM}
    script = one_script(ENTRY, language)
    page = page_in(
        language,
        policy=one_file_policy(script),
        head=f"<style>\n{lab_style()}\n</style>",
        facts=json_in_page(facts),
        script=f"<script>{script}</script>",
        files="\n".join(
            [
                f'<script type="text/plain" id="lab-worker">{one_script(WORKER)}</script>',
                *(_in_page(name, content) for name, content in files.items()),
            ]
        ),
    )
    if len(page) > MOST_BYTES:
        raise DemoError(
            "a lab with this network would have {size:.1f} MB, more than the {most:.1f} MB that one file may: choose a "
            "smaller one, such as lite, or write a folder",
            size=len(page) / 1e6,
            most=MOST_BYTES / 1e6,
        )
    return page


def page_in(language: Language, **parts: str) -> bytes:
    """Return the page with its parts, in UTF-8."""
    title, needs = in_language((TITLE, NEEDS), language)
    return PAGE.format(language=language, title=title, needs=needs, **parts).encode()


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
