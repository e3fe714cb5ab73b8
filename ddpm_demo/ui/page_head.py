"""What goes in the page's head before Gradio's own code; Gradio's `head=` would put it after."""

import gzip
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ddpm_demo.ui.look import HEAD_STYLES
from ddpm_demo.ui.parts.bridge import STATIC, static_url
from ddpm_demo.ui.ready_files import takes_gzip
from ddpm_demo.ui.words.language import ENGLISH, Language, codes
from ddpm_demo.ui.words.language import language as language_of
from ddpm_demo.ui.words.visitor import visitors_language

FIRST = STATIC / "before_gradio.js"
PAGES = 32  # compressed, in memory: it is the same for all who open it at one address in one language
ICON = STATIC / "icon.svg"
LESSONS_STYLE = STATIC / "lessons" / "lessons.css"


HTML_LANGUAGE = re.compile(rb'lang="en"')  # of Gradio's template, in its first lines
IMPORT = re.compile(r'(?:from|import)\s*"(\.[^"]+)"')  # not import(...): what is fetched only when it is wanted
# Gradio's script for pages inside pages is asked for under the server's idea of the root, not under the browser's
SERVERS_ROOT, BROWSERS_ROOT = re.compile(rb'const root = "[^"\n]*";'), b"const root = window.gradio_config.root;"
FIRST_SCREEN = "first_screen.js"  # what is there before Gradio
MOUNTED_FIRST = (
    "lessons/entry.js",
    "tabs/noise.js",
    "tabs/noise_details.js",
    "film/film_link.js",
)  # when Gradio is ready


def modules_of(entries: Iterable[str]) -> list[Path]:
    """Return these browser modules and all that they import, each once."""
    found: dict[Path, None] = {}

    def visit(path: Path) -> None:
        if path not in found:
            found[path] = None
            for name in IMPORT.findall(path.read_text(encoding="utf-8")):
                visit((path.parent / name).resolve())

    for entry in entries:
        visit(STATIC / entry)
    return list(found)


@lru_cache(maxsize=PAGES)
def head(language: Language = ENGLISH) -> str:
    """Return the scripts that run first, the first screen, and links that fetch the first tab's modules behind it."""
    now = modules_of([FIRST_SCREEN])
    later = [path for path in modules_of(MOUNTED_FIRST) if path not in now]
    links = [f'<link rel="modulepreload" href="{static_url(path)[1:]}">' for path in now]
    # Gradio's own code goes before these
    links += [f'<link rel="modulepreload" fetchpriority="low" href="{static_url(path)[1:]}">' for path in later]
    # not by Gradio, which would hold it to what stands inside its own container: a sheet to print stands outside.
    # "print" until it is there: nothing waits for it
    address = static_url(LESSONS_STYLE)[1:]
    links.append(f'<link rel="stylesheet" media="print" onload="this.media=`all`" href="{address}">')
    # without it browsers ask for /favicon.ico, which is another's where a proxy shows the page under a path
    links.append(f'<link rel="icon" href="{static_url(ICON)[1:]}">')
    start = f'import {{ showFirstScreen }} from "./{static_url(STATIC / FIRST_SCREEN)[1:]}"; showFirstScreen();'
    return "\n".join(
        [
            f"<script>window.ddpmWords = {words_in_page(language, codes(drafts=language.draft))};</script>",
            f"<script>{FIRST.read_text(encoding='utf-8')}</script>",
            *(f"<style>{path.read_text(encoding='utf-8')}</style>" for path in HEAD_STYLES),
            *links,
            f'<script type="module">{start}</script>',
        ]
    )


def words_in_page(language: Language, offered: Iterable[str]) -> str:
    """Return what JavaScript knows of its language and of those to choose from, as JSON that can stand in a script."""
    known = {"code": language.code, "direction": language.direction, "words": language.sections.get("browser", {})}
    known["languages"] = {code: language_of(code).name for code in offered}
    return json.dumps(known, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


class PageHead:
    """ASGI middleware that puts `head()` into every HTML page, right after `<head>`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        head()  # says now, not to the first visitor, what is missing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, with the heads of pages filled."""
        page: Message | None = None  # the start of a page, held back until its length is known
        zipped = scope["type"] == "http" and takes_gzip(Headers(scope=scope))

        async def fill(message: Message) -> None:
            nonlocal page
            if message["type"] == "http.response.start" and _is_page(message):
                page = message
                return
            if page is not None:
                if not message.get("more_body"):  # Gradio sends a page in one piece
                    body = SERVERS_ROOT.sub(BROWSERS_ROOT, message.get("body", b""), count=1)
                    language = visitors_language()
                    body = body.replace(b"<head>", f"<head>\n{head(language)}".encode(), 1)
                    body = HTML_LANGUAGE.sub(
                        f'lang="{language.code}" dir="{language.direction}"'.encode(), body, count=1
                    )
                    headers = MutableHeaders(raw=page["headers"])
                    if zipped and "content-encoding" not in headers:  # Gradio compresses other files, but not this one
                        body = _compressed(body)
                        headers["content-encoding"] = "gzip"
                        headers.add_vary_header("Accept-Encoding")
                    headers.add_vary_header("Accept-Language, Cookie")
                    headers["content-length"] = str(len(body))
                    message = {**message, "body": body}
                await send(page)
                page = None
            await send(message)

        await self.app(scope, receive, fill)


@lru_cache(maxsize=PAGES)
def _compressed(page: bytes) -> bytes:
    return gzip.compress(page, mtime=0)


def _is_page(start: Message) -> bool:
    return MutableHeaders(raw=start["headers"]).get("content-type", "").startswith("text/html")
