"""What a server tells of itself: to its own machine, to Prometheus if that is wanted, and in words."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette

import ddpm_demo
from ddpm_demo.commands.parser import main
from ddpm_demo.commands.status import ask_status, status_words
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.films.executor import LocalExecutor
from ddpm_demo.films.film_job import FilmJob, FilmWalk
from ddpm_demo.machine.device import answering_placement
from ddpm_demo.machine.scheduler import Scheduler
from ddpm_demo.networks.loaded_networks import LoadedNetwork
from ddpm_demo.ui.film.broadcasts import Broadcasts
from ddpm_demo.ui.film.films import Films
from ddpm_demo.ui.status import METRICS, METRICS_PATH, STATUS_PATH, status_routes
from tests.event_loop import wait_for


class Nobody:
    def deliver(self, taken): ...
    def fail(self, error): ...


@pytest.fixture
def broadcasts(tiny, linear):
    """A server that has made a film."""
    scheduler = Scheduler()
    executor = LocalExecutor(
        {"a" * 64: LoadedNetwork(tiny.eval(), linear, answering_placement(), None)}.__getitem__, scheduler
    )
    walk = FilmWalk(FilmJob("a" * 64, SamplerConfig(steps=5), 2, 0), linear)
    executor.begin(walk, Nobody())
    while walk.left:
        scheduler.turn(lambda: None)
    return Broadcasts(executor, Films())


def answer_of(broadcasts, path, host="127.0.0.1", headers=(), **options):
    """What a client at that address gets; Starlette's own test client wants a package that nothing else here wants."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "client": (host, 5),
    }
    sent = []

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        sent.append(message)

    wait_for(Starlette(routes=status_routes(broadcasts, **options))(scope, receive, send))
    named = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    text = b"".join(message.get("body", b"") for message in sent[1:]).decode()
    return SimpleNamespace(status=sent[0]["status"], headers=named, text=text)


def test_its_own_machine_is_told_everything_and_nobody_else_anything(broadcasts):
    numbers = json.loads(answer_of(broadcasts, STATUS_PATH).text)
    assert set(METRICS) < set(numbers)
    (row,) = numbers["networks"]
    assert (row["network"], row["guide"], row["digits"], row["films_a_call"]) == ("a" * 8, "", 2, 1)
    assert row["milliseconds"] > 0
    assert answer_of(broadcasts, STATUS_PATH, "10.0.0.7").status == 403
    assert answer_of(broadcasts, STATUS_PATH, headers=[("x-forwarded-for", "10.0.0.7")]).status == 403
    assert "0 visitors, 0 films under way" in status_words(numbers)
    assert "aaaaaaaa, 2 digits" in status_words(numbers)


def test_prometheus_gets_its_format_only_where_that_is_wanted(broadcasts):
    assert answer_of(broadcasts, METRICS_PATH).status == 404
    answer = answer_of(broadcasts, METRICS_PATH, "10.0.0.7", metrics=True)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert answer.text.endswith("\n")
    typed = {line.split()[2]: line.split()[3] for line in lines if line.startswith("# TYPE")}
    for line in lines:
        if not line.startswith("#"):
            name, value = re.fullmatch(r"(\w+)(?:\{\w+=\"[^\"]*\"(?:,\w+=\"[^\"]*\")*\})? (\S+)", line).groups()
            float(value)
            assert typed[name] == ("counter" if name.endswith("_total") else "gauge")
    assert 'ddpm_demo_step_seconds{network="aaaaaaaa",guide="",digits="2"' in answer.text


def test_no_server_is_a_sentence(capsys):
    assert main(["status", "--port", "9"]) == 1
    assert "no ddpm-demo app answers on port 9" in capsys.readouterr().err
    assert main(["status", "--port", "0"]) == 2


def test_a_proxy_for_the_rest_of_the_world_is_passed_by(monkeypatch):
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"films": 3}')

        def log_message(self, *_): ...

    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert ask_status(server.server_port) == {"films": 3}


def test_nobody_opens_an_address_of_this_machine_by_way_of_a_proxy():
    """`urlopen` heeds `http_proxy`: only `own_server` opens addresses, and it passes by."""
    for path in Path(ddpm_demo.__file__).parent.rglob("*.py"):
        assert "urlopen(" not in path.read_text(encoding="utf-8"), path
