"""Launching the page: where it listens, what is printed, and one sentence for whatever goes wrong."""

import os
import socket
import sys
import webbrowser
from dataclasses import dataclass

import gradio as gr
from starlette.middleware import Middleware

from ddpm_demo.core.config import DemoError
from ddpm_demo.machine.limits import allow_connections
from ddpm_demo.ui.app import FILM_ROUTES, HOST
from ddpm_demo.ui.environment import HOST_VARIABLE, prepare_environment
from ddpm_demo.ui.look import STYLE_SHEETS, theme
from ddpm_demo.ui.page_head import PageHead
from ddpm_demo.ui.parts.host import Host
from ddpm_demo.ui.ready_files import ReadyFiles
from ddpm_demo.ui.room import listening_address, qr_code, room_address
from ddpm_demo.ui.words.language import in_language, language
from ddpm_demo.ui.words.page import TITLE
from ddpm_demo.ui.words.visitor import VisitorsLanguage
from ddpm_demo.words.sentence import say

MAX_THREADS = 540  # of Gradio, for questions that wait for the network: a class of 500 leaves the light ones some


@dataclass(frozen=True)
class ListenOptions:
    """How the page is served; `root_path` is where a proxy serves it, such as `/diffusion`."""

    host: str | None = None
    port: int | None = None
    root_path: str | None = None
    share: bool = False
    language: str | None = None  # of a class: a tag such as `tr`

    @property
    def name(self) -> str:
        """The host, or the one that the environment names, or this computer alone."""
        return self.host or os.environ.get(HOST_VARIABLE) or "127.0.0.1"


def launch(demo: gr.Blocks, where: ListenOptions = ListenOptions()) -> str:
    """Launch the app and return its address: on 127.0.0.1 and the next free port from 7860 unless told otherwise.

    Returns at once, the server running. Raises DemoError, one sentence, whatever stands in its way.
    """
    prepare_environment(share=where.share)
    check_address(where.name, where.port)
    allow_connections()
    host, listening = where.name, listening_address(where.name)
    if listening is not None and listening.is_unspecified:
        host = str(listening)  # Gradio knows no other spelling of it, and would print an address nobody can open
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    try:
        demo.launch(
            quiet=True,
            prevent_thread_lock=True,
            inbrowser=False,
            share=where.share,
            server_name=host,
            server_port=where.port,
            root_path=where.root_path,
            theme=theme(),
            css_paths=STYLE_SHEETS,
            app_kwargs={
                "middleware": [
                    Middleware(VisitorsLanguage, usual=where.language),
                    Middleware(PageHead),
                    Middleware(ReadyFiles),
                ],
                "routes": getattr(demo, FILM_ROUTES, []),
            },
            footer_links=[],  # Gradio's own Settings would stand beside those of the film and of the training
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            max_file_size="5mb",
            max_threads=MAX_THREADS,
        )
    except Exception as error:
        if isinstance(error, OSError):
            why = f"port {where.port} is taken" if where.port else "no port from 7860 to 7959 is free"
            why += ", or not allowed here"
        else:
            why = " ".join(str(error).split()) or type(error).__name__
        raise DemoError(f"cannot start the page on {where.name}: {why}") from None
    if where.share and not demo.share_url:
        raise DemoError("no public link could be made: this computer cannot reach Gradio's servers")
    host_of(demo).alone = not (where.share or where.root_path or room_address(str(demo.local_url), where.name))
    return str(demo.local_url)


def host_of(demo: gr.Blocks) -> Host:
    """Return who may do everything on a page; on one that `build_app` did not build, everybody."""
    found = getattr(demo, HOST, None)
    return found if isinstance(found, Host) else Host()


def check_address(host: str, port: int | None) -> None:
    """Raise DemoError unless this computer can listen on that host, a name or an address, and on that port."""
    name = host.strip("[]")
    try:
        family, kind, _, _, address = socket.getaddrinfo(name, port or 0, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise DemoError(
            f"there is no host {name!r}: give one of this computer's addresses, or 0.0.0.0 for all"
        ) from None
    try:
        with socket.socket(family, kind) as probe:
            if sys.platform != "win32":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address[0], 0, *address[2:]))
    except OSError:
        raise DemoError(f"{name} is not an address of this computer: give one that is, or 0.0.0.0 for all") from None
    try:
        with socket.socket(family, kind) as probe:
            if sys.platform != "win32":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except PermissionError:
        raise DemoError(
            f"cannot start the page on {name}: port {port} is not allowed here, use one above 1023"
        ) from None
    except OSError:
        raise DemoError(f"cannot start the page on {name}: port {port} is taken") from None


def serve(
    demo: gr.Blocks, where: ListenOptions = ListenOptions(), *, browser: bool = False, quiet: bool = False
) -> None:
    """Launch the app, print its address, and wait until it is stopped; `quiet` prints only the address."""
    address = launch(demo, where)
    here = address.replace("[::]", "localhost")
    room, host, reader = room_address(address, where.name), host_of(demo), language(where.language or "en")

    def tell(sentence: str) -> None:
        print(in_language(sentence, reader), flush=True)

    if quiet:
        print(room or here, flush=True)
    else:
        tell(say("{title}: open {address} (Ctrl-C stops)", title=TITLE, address=here))
        if room:
            tell(say("In this room: open {address}", address=room))
            print(qr_code(room, sys.stdout.encoding), flush=True)
        if not host.alone:
            tell(say("As the host, who may stop any training: open {address}", address=host.address(here)))
    if where.share:
        tell(say("For everybody, through Gradio's servers, for a week at most: {address}", address=demo.share_url))
    if browser:
        webbrowser.open(host.address(here))
    demo.block_thread()
