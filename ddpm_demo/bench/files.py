"""What the server takes to hand out the files of the page, compared with Gradio alone for the same files."""

import statistics
import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlparse

import gradio as gr

from ddpm_demo.core.config import DemoError
from ddpm_demo.ui.parts.bridge import serve_static_files
from ddpm_demo.ui.ready_files import page_files

ROUNDS = 5  # the first, in which this server compresses each, is not counted


def bench_files(browser: Any, address: str) -> dict[str, float]:
    """Return how many `files` a page asks for, and the seconds that both servers take for them, one after the other."""
    serve_static_files()
    wanted = files_of_a_page(browser, address)
    plain: gr.Blocks = gr.Blocks(analytics_enabled=False)
    with plain:
        gr.Markdown("the same files from Gradio alone")
    _, alone, _ = plain.launch(quiet=True, prevent_thread_lock=True, inbrowser=False, ssr_mode=False)
    servers = [HTTPConnection(urlparse(each).netloc) for each in (address, alone)]
    try:
        times = [[[fetch(server, file) for server in servers] for file in wanted] for _ in range(ROUNDS)][1:]
    finally:
        for server in servers:
            server.close()
        plain.close(verbose=False)
    ready, alone_seconds = (
        sum(statistics.median(turn[k][which] for turn in times) for k in range(len(wanted))) for which in (0, 1)
    )
    return {"files": len(wanted), "ready_seconds": ready, "gradio_seconds": alone_seconds}


def files_of_a_page(browser: Any, address: str) -> list[str]:
    """Return the addresses, below the root, of the files that a browser asks for to show the page."""
    context, known, asked = browser.new_context(viewport={"width": 1280, "height": 900}), page_files(), list[str]()
    page = context.new_page()
    page.on("request", lambda request: asked.append(urlparse(request.url).path))
    page.goto(address)
    page.wait_for_selector("#noise-view canvas[data-name=x_t]")  # on a busy computer nothing is asked for meanwhile
    page.wait_for_load_state("networkidle")
    context.close()
    return [file for file in dict.fromkeys(asked) if file in known]


def fetch(server: HTTPConnection, file: str) -> float:
    """Return the seconds until a file has come, compressed; raise DemoError if it does not."""
    begun = time.perf_counter()
    server.request("GET", file, headers={"Accept-Encoding": "gzip"})
    answer = server.getresponse()
    answer.read()
    if answer.status != 200:
        raise DemoError(f"{file} was answered with {answer.status}")
    return time.perf_counter() - begun
