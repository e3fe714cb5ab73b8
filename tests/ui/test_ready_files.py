"""The page's files come from memory, and are those on the disk, whoever asks and whatever has happened to them."""

import gzip
import os
from urllib.parse import unquote

import pytest

from ddpm_demo.ui import ready_files
from ddpm_demo.ui.page_head import PageHead
from ddpm_demo.ui.parts.bridge import PLOTLY_JS, STATIC, file_address, static_url
from ddpm_demo.ui.ready_files import FRONTEND, ReadyFiles, page_files
from tests.event_loop import in_loop

PASSED_ON = b"<html><head></head><body>the app</body></html>"


async def the_app(scope, receive, send):
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(PASSED_ON)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": PASSED_ON})


async def ask(app, path, *, method="GET", root_path="", **headers):
    """Status, headers and body of an answer."""
    told = []

    async def send(message):
        told.append(message)

    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "root_path": root_path, "headers": pairs}
    await app(scope, None, send)
    start, *rest = told
    named = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], named, b"".join(message.get("body", b"") for message in rest)


@in_loop
async def test_every_kind_of_file_is_the_one_on_the_disk():
    app, known = ReadyFiles(the_app), page_files()
    script = next(path for path in sorted((FRONTEND / "assets").glob("index-*.js")))
    wanted = [STATIC / "dom.js", STATIC / "tabs" / "noise.js", STATIC / "lessons" / "lessons.css", PLOTLY_JS, script]
    for path in wanted:
        address = next(address for address, each in known.items() if each == path)
        status, headers, body = await ask(app, address, accept_encoding="gzip, br")
        assert (status, headers["content-encoding"], headers["vary"]) == (200, "gzip", "Accept-Encoding")
        assert gzip.decompress(body) == path.read_bytes()
        assert int(headers["content-length"]) == len(body)
        assert headers["content-type"].startswith("text/javascript" if path.suffix == ".js" else "text/css")
        # only a name that holds a digest may be kept without asking again
        assert headers["cache-control"] == (
            ready_files.FOR_EVER if address.startswith("/assets/") else ready_files.ASK_AGAIN
        )
        again, _, nothing = await ask(app, address, accept_encoding="gzip", if_none_match=headers["etag"])
        assert (again, nothing) == (304, b"")
        assert (await ask(app, address, accept_encoding="gzip", if_none_match='"another"'))[0] == 200


def test_the_page_names_its_modules_as_the_server_knows_them():
    assert page_files()[unquote(static_url(STATIC / "dom.js"))] == STATIC / "dom.js"


@in_loop
async def test_a_changed_file_is_sent_as_it_is_now_and_a_lost_one_is_the_apps_matter(tmp_path, monkeypatch):
    path = tmp_path / "part.js"
    path.write_text("first")
    monkeypatch.setattr(ready_files, "page_files", lambda: {"/static/part.js": path})
    app = ReadyFiles(the_app)
    _, before, body = await ask(app, "/static/part.js", accept_encoding="gzip")
    assert gzip.decompress(body) == b"first"
    path.write_text("other")
    os.utime(path, ns=(0, 1_000_000_000))
    status, after, body = await ask(app, "/static/part.js", accept_encoding="gzip", if_none_match=before["etag"])
    assert (status, gzip.decompress(body)) == (200, b"other")
    assert after["etag"] != before["etag"]
    path.unlink()
    assert (await ask(app, "/static/part.js", accept_encoding="gzip"))[2] == PASSED_ON


@in_loop
async def test_all_else_is_the_apps_matter():
    app, module = ReadyFiles(the_app), file_address(STATIC / "dom.js")
    assert (await ask(app, module))[2] == PASSED_ON  # who reads no gzip
    assert (await ask(app, module, accept_encoding="gzip", range="bytes=0-9"))[2] == PASSED_ON
    assert (await ask(app, module, method="HEAD", accept_encoding="gzip"))[2] == PASSED_ON
    for path in (
        "/",
        "/assets/../../../routes.py",
        file_address(STATIC / ".." / "app.py"),
        "/gradio_api/file=/etc/passwd",
    ):
        assert (await ask(app, path, accept_encoding="gzip"))[2] == PASSED_ON


@in_loop
async def test_the_servers_own_start_and_end_pass_through():
    passed = []

    async def app(scope, receive, send):
        passed.append(scope["type"])

    for scope in ({"type": "lifespan"}, {"type": "websocket", "path": "/", "headers": []}):
        await PageHead(ReadyFiles(app))(scope, None, None)
    assert passed == ["lifespan", "websocket"]


@in_loop
async def test_behind_a_proxy_the_files_are_found_below_its_path():
    app, module = ReadyFiles(the_app), file_address(STATIC / "dom.js")
    *_, body = await ask(app, f"/diffusion{module}", root_path="/diffusion", accept_encoding="gzip")
    assert gzip.decompress(body) == (STATIC / "dom.js").read_bytes()


@pytest.mark.parametrize("accepted", ["gzip, deflate", "br", ""])
@in_loop
async def test_a_page_gets_its_head_and_travels_compressed_for_who_reads_that(accepted):
    _, headers, body = await ask(PageHead(the_app), "/", accept_encoding=accepted)
    assert int(headers["content-length"]) == len(body)
    assert headers.get("content-encoding") == ("gzip" if "gzip" in accepted else None)
    page = gzip.decompress(body) if "gzip" in accepted else body
    assert page.startswith(b"<html><head>\n<script>")
    assert page.endswith(b"</head><body>the app</body></html>")


ADDRESSES = {
    "http://127.0.0.1:7860/": "http://127.0.0.1:7860",
    "http://127.0.0.1:7860/?film=2~1~6&__theme=dark#part": "http://127.0.0.1:7860",
    "https://school.example/diffusion/?host=a/b": "https://school.example/diffusion",
    "https://hub.mybinder.org/user/ada-diffusion-3v9k/proxy/7860/": (
        "https://hub.mybinder.org/user/ada-diffusion-3v9k/proxy/7860"
    ),
    "https://hub.example/user/ada%40school.example/ddpm-demo/?digit=7": (
        "https://hub.example/user/ada%40school.example/ddpm-demo"
    ),
    "https://upgraded-fish-7860.app.github.dev/": "https://upgraded-fish-7860.app.github.dev",
    "http://127.0.0.1:8443/proxy/7860/": "http://127.0.0.1:8443/proxy/7860",
    "http://[::1]:8080/proxy/7860/": "http://[::1]:8080/proxy/7860",
    "https://ada-diffusion.hf.space/?__sign=x": "https://ada-diffusion.hf.space",
}


def test_the_page_takes_its_root_from_its_own_address_whatever_the_server_believes(node):
    roots = node(
        """
        globalThis.window = globalThis;
        globalThis.addEventListener = () => {};
        globalThis.document = {};
        globalThis.MutationObserver = class { observe() {} };
        reply = [];
        for (const address of given.addresses) {
            globalThis.location = new URL(address);
            await import(`./static/before_gradio.js?${encodeURIComponent(address)}`);
            window.gradio_config = { root: "http://localhost:7860/elsewhere", title: "kept" };
            if (window.gradio_config.title !== "kept") throw new Error("the rest of the config is gone");
            reply.push(window.gradio_config.root);
        }
        """,
        addresses=list(ADDRESSES),
    )
    assert dict(zip(ADDRESSES, roots, strict=True)) == ADDRESSES


@in_loop
async def test_gradios_page_asks_for_its_script_under_that_root():
    page = (FRONTEND / "index.html").read_bytes()
    believed = b"const root = {{ config.get('root', '') | toorjson }};"
    assert page.count(believed) == 1, "Gradio's page has changed: see SERVERS_ROOT"

    async def gradio(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        body = page.replace(believed, b'const root = "https://name-7860.app.github.dev";')
        await send({"type": "http.response.body", "body": body})

    *_, body = await ask(PageHead(gradio), "/")
    assert b"app.github.dev" not in body
    assert body.count(b"const root = window.gradio_config.root;") == 1
