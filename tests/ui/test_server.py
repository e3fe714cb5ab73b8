"""Starting the page in the surroundings that students really have: each time it starts, or says why in one sentence."""

import os
import socket
import subprocess
import sys
import urllib.request

import pytest

from ddpm_demo.core.config import DemoError
from ddpm_demo.ui import server
from ddpm_demo.ui.app import PROGRESS_SECONDS, QUEUE_SECONDS, build_app
from ddpm_demo.ui.bridge import static_url
from ddpm_demo.ui.server import check_address, qr_code, room_address

# a page as small as can be, started as `ddpm-demo app` starts the real one
START = """
import sys
from ddpm_demo.ui.environment import prepare_environment
prepare_environment()
import gradio as gr
from ddpm_demo.ui.server import Listening, launch
with gr.Blocks() as demo:
    gr.Markdown("hello")
print(launch(demo, Listening(sys.argv[1] or None)), demo.share, flush=True)
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
        ("192.0.2.1", "192.0.2.1 is no address of this computer"),
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
            check_address(None, other.getsockname()[1])


def test_whatever_else_stands_in_the_way_gets_a_sentence():
    class Page:
        def launch(self, **_):
            raise ValueError("localhost is\nnot accessible")

    with pytest.raises(DemoError, match=r"cannot start the page on 127\.0\.0\.1: localhost is not accessible"):
        server.launch(Page())


def test_the_rooms_address(monkeypatch):
    assert room_address("http://127.0.0.1:7860/", None) is None
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

    monkeypatch.setattr(server.socket, "socket", Probe)
    assert room_address("http://localhost:7861/", "0.0.0.0") == "http://192.168.1.5:7861/"


def test_the_qr_code_is_left_out_where_it_cannot_be_written():
    assert len(qr_code("http://192.168.1.5:7860/", "utf-8").splitlines()) > 10
    assert qr_code("http://192.168.1.5:7860/", "ascii") == ""
    assert qr_code("http://192.168.1.5:7860/", None) == ""


@pytest.mark.parametrize("folder", ["Homework #3", "what?", "100% done", "Übung", "a&b"])
def test_a_folder_of_any_name_can_be_an_address(folder, tmp_path):
    path = tmp_path / folder / "noise.js"
    path.parent.mkdir()
    path.write_text("export {}")
    url = static_url(path)
    assert not set(url) & set('#?" ')
    assert urllib.request.url2pathname(url.removeprefix("/gradio_api/file=")) == str(path)


def test_gradios_queue_can_still_be_slowed_down():
    queue = getattr(build_app(), "_queue", None)
    paces = (getattr(queue, "sleep_when_free", None), getattr(queue, "progress_update_sleep_when_free", None))
    assert paces == (QUEUE_SECONDS, PROGRESS_SECONDS), (
        "Gradio has moved what ui.app.slow_queue sets: the page works, but its queue looks for events a thousand times "
        "a second while a network is trained"
    )
