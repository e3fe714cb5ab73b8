"""The files of the page, ready to be sent: each is compressed once, and then travels from memory.

A page asks for a hundred of them. Gradio reads and compresses each again for every visitor, and lets no browser keep
one; when a class opens the page at the same moment, that is most of what its server does.
"""

import gzip
import mimetypes
from dataclasses import dataclass
from pathlib import Path

import anyio
import gradio as gr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ddpm_demo.ui.parts.bridge import PLOTLY_JS, STATIC, file_address

FRONTEND = Path(gr.__file__).resolve().parent / "templates" / "frontend"  # Gradio's own part of the page
HASHED = "/assets/"  # the names below it hold a digest of what is in the file
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"  # kept, but not used before the server has said that it still holds
# what a Windows registry may call something else, and no browser then takes for a script or a style
KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
}


@dataclass(frozen=True)
class ReadyFile:
    """A file as it travels: gzip's bytes, and its kind and mark for the browser."""

    body: bytes
    headers: list[tuple[bytes, bytes]]
    etag: str


def page_files() -> dict[str, Path]:
    """Return every file that a page may ask for, by its address below the root of the app."""
    found = {f"/{path.relative_to(FRONTEND).as_posix()}": path for path in FRONTEND.rglob("*.*") if path.is_file()}
    own = [path for path in STATIC.rglob("*.*") if path.is_file()]
    return found | {file_address(path): path for path in [*own, PLOTLY_JS]}


class ReadyFiles:
    """ASGI middleware that sends the files of the page; it passes on all other requests, and what it cannot read."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self._files = app, page_files()
        self._ready: dict[Path, ReadyFile] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a GET of such a file by a browser that reads gzip, as all do."""
        path = self._wanted(scope) if scope["type"] == "http" else None
        if path is None:
            await self.app(scope, receive, send)
            return
        try:
            ready = await self._newest(path)
        except OSError:
            await self.app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match") == ready.etag
        status, body = (304, b"") if known else (200, ready.body)
        keep = FOR_EVER if _address(scope).startswith(HASHED) else ASK_AGAIN
        answer = [*ready.headers, (b"cache-control", keep.encode())]
        if not known:
            answer.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": answer})
        await send({"type": "http.response.body", "body": body})

    def _wanted(self, scope: Scope) -> Path | None:
        """Return the file that a request is for, if it can be answered from memory."""
        headers = Headers(scope=scope)
        if scope["method"] != "GET" or "range" in headers or not takes_gzip(headers):
            return None
        return self._files.get(_address(scope))

    async def _newest(self, path: Path) -> ReadyFile:
        """Return a file as it is now; raise OSError if it is gone."""
        seen = path.stat()
        etag = f'"{seen.st_mtime_ns:x}-{seen.st_size:x}"'
        ready = self._ready.get(path)
        if ready is None or ready.etag != etag:
            ready = self._ready[path] = await anyio.to_thread.run_sync(ready_file, path, etag)
        return ready


def takes_gzip(headers: Headers) -> bool:
    """Return whether a browser reads gzip, as all do."""
    return "gzip" in headers.get("accept-encoding", "")


def _address(scope: Scope) -> str:
    """Return the path of a request below the root of the app, which a proxy may serve elsewhere."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def ready_file(path: Path, etag: str) -> ReadyFile:
    """Return a file compressed, under this mark; raise OSError if it cannot be read."""
    kind = KINDS.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {
        "content-type": kind,
        "content-encoding": "gzip",
        "vary": "Accept-Encoding",
        "etag": etag,
        "x-content-type-options": "nosniff",
    }
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return ReadyFile(gzip.compress(path.read_bytes(), mtime=0), pairs, etag)
