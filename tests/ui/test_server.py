"""Starting the page in the surroundings that students really have: each time it starts, or says why in one sentence."""

import base64
import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from ddpm_demo.core.config import DemoError
from ddpm_demo.ui import room, server
from ddpm_demo.ui.app import PROGRESS_SECONDS, QUEUE_SECONDS, build_app
from ddpm_demo.ui.parts.bridge import static_url
from ddpm_demo.ui.room import ALONE, address_for_others, invite_function, qr_code, room_address
from ddpm_demo.ui.server import ListenOptions, check_address, serve

# a page as small as can be, started as `ddpm-demo app` starts the real one
START = """
import sys
from ddpm_demo.ui.environment import prepare_environment
prepare_environment()
import gradio as gr
from ddpm_demo.ui.server import ListenOptions, launch
with gr.Blocks() as demo:
    gr.Markdown("hello")
print(launch(demo, ListenOptions(sys.argv[1] or None)), demo.share, flush=True)
demo.close()
"""


def started(host="", **variables):
    environment = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "True", **variables}
    return subprocess.run([sys.executable, "-c", START, host], env=environment, capture_output=True, text=True)


@pytest.fixture
def dead_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        yield taken.getsockname()[1]


def test_it_starts_whatever_proxies_are_named_and_shares_nothing(dead_port):
    dead = f"http://127.0.0.1:{dead_port}"
    done = started(
        http_proxy=dead,
        HTTP_PROXY=dead,
        https_proxy=dead,
        ALL_PROXY=f"socks5://127.0.0.1:{dead_port}",
        NO_PROXY="localhost",
        GRADIO_SHARE="True",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("http://127.0.0.1:")
    assert done.stdout.splitlines()[0].endswith("/ False")


@pytest.mark.skipif(not socket.has_ipv6, reason="this computer has no IPv6")
@pytest.mark.parametrize("host", ["::1", "::"])
def test_it_listens_on_ipv6(host):
    try:
        check_address("::1", None)
    except DemoError:
        pytest.skip("this computer has no IPv6")
    done = started(host)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("http://[::")


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("no-such-host.invalid", "there is no host 'no-such-host.invalid'"),
        ("." * 70, "there is no host"),
        ("192.0.2.1", "192.0.2.1 is not an address of this computer"),
    ],
)
def test_a_host_that_is_none_of_this_computers_gets_a_sentence(host, sentence):
    with pytest.raises(DemoError, match=sentence):
        check_address(host, 7860)


def test_a_port_that_is_taken_gets_a_sentence():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(DemoError, match=f"port {other.getsockname()[1]} is taken"):
            check_address("127.0.0.1", other.getsockname()[1])


def test_whatever_else_stands_in_the_way_gets_a_sentence():
    class Page:
        def launch(self, **_):
            raise ValueError("localhost is\nnot accessible")

    with pytest.raises(DemoError, match=r"cannot start the page on 127\.0\.0\.1: localhost is not accessible"):
        server.launch(Page())


def test_the_rooms_address(monkeypatch):
    assert room_address("http://127.0.0.1:7860/", "127.0.0.1") is None
    assert room_address("http://[::1]:7860/", "::1") is None
    assert room_address("http://localhost:7860/", "localhost") is None
    assert room_address("http://10.0.0.7:7860/", "10.0.0.7") == "http://10.0.0.7:7860/"

    class Probe:
        def __init__(self, *_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def connect(self, address):
            pass

        def getsockname(self):
            return ("192.168.1.5", 40000)

    monkeypatch.setattr(room.socket, "socket", Probe)
    for anywhere in ("0.0.0.0", "0", "::", "[::]", "0:0::0", "::ffff:0.0.0.0"):
        assert room_address("http://localhost:7861/", anywhere) == "http://192.168.1.5:7861/"
    for here in ("127.1", "0x7f000001", "LOCALHOST", "::ffff:127.0.0.1"):
        assert room_address("http://127.0.0.1:7861/", here) is None


@pytest.mark.parametrize(("host", "spelt"), [("0", "0.0.0.0"), ("::0", "[::]"), ("10.0.0.7", "10.0.0.7")])
def test_gradio_is_told_of_every_address_in_the_spelling_that_it_knows(host, spelt, monkeypatch):
    monkeypatch.setattr(server, "check_address", lambda *_: None)
    page = Page()
    server.launch(page, ListenOptions(host))
    assert page.options["server_name"] == spelt


def test_the_qr_code_is_left_out_where_it_cannot_be_written(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("WT_SESSION", "1")
    assert len(qr_code("http://192.168.1.5:7860/", "utf-8").splitlines()) > 10
    assert qr_code("http://192.168.1.5:7860/", "ascii") == ""
    assert qr_code("http://192.168.1.5:7860/", None) == ""


@pytest.mark.parametrize(
    ("own", "in_the_room", "expected"),
    [
        ("http://127.0.0.1:7860/?t=5&film=a-b", "http://10.0.0.7:7860/", "http://10.0.0.7:7860/?t=5&film=a-b"),
        ("http://localhost:7860/", "http://[2001:db8::5]:7860/", "http://[2001:db8::5]:7860/"),
        ("http://[::1]:7860/", None, None),
        ("https://school.example/diffusion/?t=5", None, "https://school.example/diffusion/?t=5"),
        ("http://10.0.0.7:7861/", "http://10.0.0.9:7861/", "http://10.0.0.7:7861/"),
    ],
)
def test_what_others_open_is_the_same_screen(own, in_the_room, expected):
    assert address_for_others(own, in_the_room) == expected


def test_the_page_answers_with_the_address_and_its_code():
    invite = invite_function(gr.Blocks())
    assert invite({"address": "http://127.0.0.1:7860/"}) == {"alone": ALONE}
    answer = invite({"address": "http://10.0.0.7:7860/?t=500"})
    assert answer["address"] == "http://10.0.0.7:7860/?t=500"
    levels = np.frombuffer(base64.b64decode(answer["levels"]), np.uint8).reshape(answer["size"], answer["size"])
    assert set(levels.flat) == {0, 255}
    finder = np.zeros((7, 7), np.uint8)  # black, white, black: the square in three of a QR code's corners
    finder[1:6, 1:6], finder[2:5, 2:5] = 255, 0
    for corner in (levels[4:11, 4:11], levels[4:11, -11:-4], levels[-11:-4, 4:11]):
        assert np.array_equal(corner, finder)
    assert not (levels[-11:-4, -11:-4] == finder).all()
    for wrong in (None, {}, {"address": 5}, {"address": "javascript:1"}, {"address": "http://" + "x" * 2000}):
        assert "must be" in invite(wrong)["error"] or "needs" in invite(wrong)["error"]
    assert invite({"address": "http://[1"})["error"] == "the page's address is not a web address"


class Page:
    """A page that is launched nowhere, and remembers how it should have been."""

    local_url, share_url = "http://127.0.0.1:7861/", None

    def launch(self, **options):
        self.options = options
        if options["share"]:
            self.share_url = "https://ada.example"

    def block_thread(self): ...


def test_open_opens_the_browser_once_the_page_is_served(monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(server.webbrowser, "open", lambda address: opened.append((address, page.options["share"])))
    page = Page()
    serve(page)
    assert opened == []
    serve(page, browser=True)
    assert opened == [("http://127.0.0.1:7861/", False)]
    assert capsys.readouterr().out.count("How diffusion draws a digit: open http://127.0.0.1:7861/ (Ctrl-C stops)") == 2


def test_quiet_prints_the_address_alone(capsys):
    serve(Page(), quiet=True)
    assert capsys.readouterr().out == "http://127.0.0.1:7861/\n"


def test_a_public_link_is_made_only_when_it_is_asked_for(monkeypatch, capsys):
    monkeypatch.setenv("NO_PROXY", "example.org")
    page = Page()
    serve(page, quiet=True)
    assert page.options["share"] is False
    assert os.environ["NO_PROXY"] == "*"
    serve(page, ListenOptions(share=True), quiet=True)
    assert page.options["share"] is True
    assert "https://ada.example" in capsys.readouterr().out
    monkeypatch.setattr(Page, "launch", lambda *_, **__: None)
    with pytest.raises(DemoError, match="no public link could be made"):
        serve(Page(), ListenOptions(share=True))


def test_the_environments_host_is_the_usual_one_and_root_path_reaches_gradio(monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    page = Page()
    serve(page, ListenOptions(root_path="/diffusion"), quiet=True)
    assert (page.options["server_name"], page.options["root_path"]) == ("0.0.0.0", "/diffusion")
    serve(page, ListenOptions("127.0.0.1"), quiet=True)
    assert page.options["server_name"] == "127.0.0.1"


@pytest.mark.parametrize("folder", ["Homework #3", "what?", "100% done", "Übung", "a&b"])
def test_a_folder_of_any_name_can_be_an_address(folder, tmp_path):
    path = tmp_path / folder / "noise.js"
    path.parent.mkdir()
    path.write_text("export {}")
    url = static_url(path)
    assert not set(url) & set('#?" ')
    assert urllib.request.url2pathname(url.removeprefix("/gradio_api/file=")) == str(path)


@pytest.mark.parametrize("folder", ["two\nlines", os.fsdecode(b"latin-\xfc")])
def test_a_folder_that_no_address_can_name_gets_a_sentence(folder):
    with pytest.raises(DemoError, match="give the folder a name without odd bytes"):
        static_url(Path("/home") / folder / "noise.js")


def test_gradios_queue_can_still_be_slowed_down():
    queue = getattr(build_app(), "_queue", None)
    paces = (getattr(queue, "sleep_when_free", None), getattr(queue, "progress_update_sleep_when_free", None))
    assert paces == (QUEUE_SECONDS, PROGRESS_SECONDS), (
        "Gradio has moved what ui.app.slow_queue sets: the page works, but its queue looks for events a thousand times "
        "a second while a network is trained"
    )
