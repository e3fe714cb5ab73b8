"""Firefox, driven by the standard WebDriver BiDi that it speaks itself: Playwright drives only a Firefox of its own."""

import itertools
import json
import subprocess
from contextlib import contextmanager
from urllib.parse import urlparse

from websockets.sync.client import connect

READY = "WebDriver BiDi listening on "
EVENTS = ["log.entryAdded", "network.beforeRequestSent", "network.responseCompleted", "network.fetchError"]
PATIENCE = 300  # seconds for one answer: a loaded machine is slow, not wrong


@contextmanager
def started_firefox(path, folder):
    """Start a headless Firefox with a fresh profile in that folder, and end it."""
    command = [path, "--headless", "--no-remote", "--profile", str(folder), "--remote-debugging-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = next((line for line in process.stderr if line.startswith(READY)), "")
            assert line, "Firefox ended before it listened"
            with connect(f"{line.removeprefix(READY).strip()}/session", max_size=None) as socket:
                yield Firefox(socket)
        finally:
            process.terminate()


class Firefox:
    """A Firefox at the other end of a socket."""

    def __init__(self, socket):
        self.pages, self._socket, self._ids = {}, socket, itertools.count(1)
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=EVENTS)

    def ask(self, method, **parameters):
        """Send a command and return its result; the events that come meanwhile go to their pages."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE))
            if message.get("type") == "event":
                source = message["params"].get("source", message["params"])
                if page := self.pages.get(source.get("context")):
                    page.hear(message["method"], message["params"])
            elif message.get("id") == number:
                assert message["type"] == "success", f"{method}: {message.get('message')}"
                return message["result"]


class FirefoxPage:
    """A tab of Firefox under watch: `faults` are console errors, failed requests, and those that leave the machine."""

    def __init__(self, firefox, address, width, height):
        self.firefox, self.address, self.width, self.faults = firefox, address, width, []
        self.context = firefox.ask("browsingContext.create", type="tab")["context"]
        firefox.pages[self.context] = self
        self._do("browsingContext.setViewport", viewport={"width": width, "height": height})

    def _do(self, method, **parameters):
        return self.firefox.ask(method, context=self.context, **parameters)

    def hear(self, event, parameters):
        url = parameters.get("request", {}).get("url", "")
        if event == "log.entryAdded":
            if parameters["level"] == "error":
                self.faults.append(parameters["text"])
        elif event == "network.responseCompleted":
            if parameters["response"]["status"] >= 400:
                self.faults.append(f"{parameters['response']['status']} {url}")
        elif event == "network.beforeRequestSent":
            if urlparse(url).scheme in ("http", "https") and urlparse(url).hostname != urlparse(self.address).hostname:
                self.faults.append(f"a request leaves the machine: {url}")
        elif parameters["errorText"] != "NS_BINDING_ABORTED":  # what the page itself no longer wants
            self.faults.append(f"{parameters['errorText']} {url}")

    def open(self, query=""):
        self._do("browsingContext.navigate", url=f"{self.address}?__theme=light&{query}", wait="complete")
        return self

    def evaluate(self, expression):
        """Return what a JavaScript expression, or its promise, comes to; it must be plain JSON."""
        wrapped = f"Promise.resolve({expression}).then((value) => JSON.stringify(value ?? null))"
        target = {"context": self.context}
        answer = self.firefox.ask("script.evaluate", expression=wrapped, target=target, awaitPromise=True)
        assert answer["type"] == "success", answer.get("exceptionDetails", {}).get("text")
        return json.loads(answer["result"]["value"])

    def wait(self, condition):
        """Wait until a JavaScript expression is true."""
        look = f"() => {{ try {{ return {condition}; }} catch {{ return false; }} }}"
        self.evaluate(f"new Promise((r) => {{ const go = () => ({look})() ? r(1) : setTimeout(go, 50); go(); }})")

    def box(self, element):
        """Return left, top, width and height of an element, a JavaScript expression, once it can be seen."""
        self.wait(f"{element}.getClientRects().length")
        self.evaluate(f"{element}.scrollIntoView({{block: 'center'}})")
        return self.evaluate(f"(({{x, y, width, height}}) => [x, y, width, height])({element}.getBoundingClientRect())")

    def drag(self, *places):
        """Press the mouse at the first of these places (x, y), move it over the others and let it go."""
        moves = [{"type": "pointerMove", "x": round(x), "y": round(y)} for x, y in places]
        moves.insert(1, {"type": "pointerDown", "button": 0})
        mouse = {"type": "pointer", "id": "mouse", "actions": [*moves, {"type": "pointerUp", "button": 0}]}
        self._do("input.performActions", actions=[mouse])

    def click(self, element):
        """Press an element in the middle."""
        x, y, width, height = self.box(element)
        self.drag((x + width / 2, y + height / 2))

    def close(self):
        self._do("browsingContext.close")
        del self.firefox.pages[self.context]
