"""The lab as a folder of files for a course's own web space: cached by their versions, and kept for offline use."""

import datetime
import hashlib
import json
from collections.abc import Sequence

from ddpm_demo.ui.lab.bundle import ENTRY, WORKER, lab_style, one_script
from ddpm_demo.ui.lab.facts import lab_facts
from ddpm_demo.ui.lab.lessons import SolvedLesson
from ddpm_demo.ui.lab.page import WASM, json_in_page, page_in
from ddpm_demo.ui.page_head import ICON
from ddpm_demo.ui.parts.bridge import STATIC
from ddpm_demo.ui.words.language import ENGLISH, Language, in_language
from ddpm_demo.ui.words.page import TITLE

FOLDER_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; base-uri 'none'; "
    "form-action 'none'"
)
INDEX, MANIFEST, SERVICE_WORKER = "index.html", "manifest.webmanifest", "service_worker.js"


def lab_folder(
    checkpoint: str, date: datetime.date, lessons: Sequence[SolvedLesson] = (), language: Language = ENGLISH
) -> dict[str, bytes]:
    """Return the lab with this network and these lessons as files by their names, the page itself last.

    All addresses in them are relative, so that the folder may stand anywhere. Raises ConfigError or CheckpointError if
    there is no such network.
    """
    facts, weights = lab_facts(checkpoint, date, lessons, language)
    files = {f"{digest}.safetensors": content for digest, content in weights.items()}
    files |= {name: (STATIC / "net" / name).read_bytes() for name in WASM}
    files |= {"lab.js": one_script(ENTRY, language).encode(), "worker.js": one_script(WORKER).encode()}
    files |= {"lab.css": lab_style().encode(), "icon.svg": ICON.read_bytes(), MANIFEST: _manifest(language)}
    addresses = {name: f"{name}?{_version(content)}" for name, content in files.items()}
    asked = {name.removesuffix(".safetensors"): address for name, address in addresses.items()}
    facts["files"] = {name: asked[name] for name in (*weights, *WASM, "worker.js")}
    head = (
        f'<link rel="stylesheet" href="{addresses["lab.css"]}">\n<link rel="icon" href="{addresses["icon.svg"]}">\n'
        f'<link rel="manifest" href="{addresses[MANIFEST]}">'
    )
    script = f'<script src="{addresses["lab.js"]}"></script>'
    page = page_in(language, policy=FOLDER_POLICY, head=head, facts=json_in_page(facts), script=script, files="")
    kept = {"version": _version(page), "files": ["./", *addresses.values()]}
    worker = (STATIC / "lab" / SERVICE_WORKER).read_text(encoding="utf-8")
    files[SERVICE_WORKER] = worker.replace('"@lab@"', json.dumps(json.dumps(kept))).encode()
    return {**files, INDEX: page}


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _manifest(language: Language) -> bytes:
    manifest = {
        "name": in_language(TITLE, language),
        "lang": language.code,
        "short_name": "Diffusion",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#2563eb",
        "icons": [{"src": "icon.svg", "sizes": "any", "type": "image/svg+xml"}],
    }
    return json.dumps(manifest).encode()
