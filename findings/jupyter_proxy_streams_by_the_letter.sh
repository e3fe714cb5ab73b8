#!/usr/bin/env bash
# Expected: jupyter-server-proxy passes a text/event-stream answer on as it comes, since its type says what it is.
# Seen: only if the request's Accept is "text/event-stream" to the letter; with ", */*" behind it all comes at the end.
# Matters: fetch() and most HTTP clients send another Accept: on a Jupyter hub their film arrives when it is over.
# Source: jupyter-server-proxy 4.6.0, handlers.py: it compares the whole header, and the answer's type is not looked at.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check jupyter-server-proxy==4.6.0 jupyter-server==2.21.1
cd "$place"
export HOME="$place" JUPYTER_CONFIG_DIR="$place" JUPYTER_DATA_DIR="$place" JUPYTER_RUNTIME_DIR="$place"
"$place/venv/bin/python" - <<'END'
import http.client
import http.server
import importlib.metadata
import socket
import subprocess
import sys
import threading
import time

EVENTS = 4


class Stream(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for event in range(EVENTS):
            self.wfile.write(f"data: {event}\n\n".encode())
            self.wfile.flush()
            time.sleep(0.5)

    def log_message(self, *_):
        pass


def first_piece(accept):
    """How many events the first piece of the answer holds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Accept": accept, "Authorization": "token t"}
    connection.request("GET", f"/proxy/{origin.server_port}/", headers=headers)
    answer = connection.getresponse()
    piece = answer.read1()
    answer.read()
    assert answer.status == 200
    return piece.count(b"data:")


origin = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stream)
threading.Thread(target=origin.serve_forever, daemon=True).start()
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
options = ["ip=127.0.0.1", f"port={port}", "allow_root=True", "open_browser=False", "log_level=ERROR"]
command = [sys.executable, "-m", "jupyter_server", "--IdentityProvider.token=t", *(f"--ServerApp.{o}" for o in options)]
server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    time.sleep(2)  # it listens a moment before its extensions answer
    seen = {accept: first_piece(accept) for accept in ("text/event-stream", "text/event-stream, */*", "*/*")}
finally:
    server.terminate()
    server.wait()
print("jupyter-server-proxy", importlib.metadata.version("jupyter-server-proxy"))
for accept, events in seen.items():
    print(f"Accept: {accept}: {events} of {EVENTS} events in the first piece")
assert seen["text/event-stream"] < EVENTS
assert seen["text/event-stream, */*"] == seen["*/*"] == EVENTS
END
