"""How others in the room reach the page: its address and QR code, in the terminal and on the page."""

import ipaddress
import os
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import gradio as gr
import numpy as np
import segno
from numpy.typing import NDArray

from ddpm_demo.core.config import ConfigError
from ddpm_demo.ui.parts.bridge import base64_of, browser_component, server_function
from ddpm_demo.ui.parts.readers import named_values
from ddpm_demo.words.sentence import say

OUTSIDE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}  # of no computer: RFC 5737 and 3849
QR_MARGIN = 4  # modules: ISO/IEC 18004, section 5.3.8
# SGR codes of a terminal: black and white of the 256 colours that no theme changes, and back to its own
BLACK_ON_WHITE, AS_BEFORE = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
HALVES = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}  # by (top, bottom): dark or not
MAX_ADDRESS = 1000  # letters: a longer one makes a code that no phone reads from a wall
ALONE = say(
    "This page is open to this computer only. Start it with ddpm-demo app --host 0.0.0.0, and others in the room can "
    "open it, too."
)


def listening_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a server on this host listens on: 0 is 0.0.0.0, and the computer's own name is one, too.

    None for a host that does not exist.
    """
    try:
        found = str(socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)[0][4][0])
        address = ipaddress.ip_address(found.split("%")[0])
    except (OSError, UnicodeError, ValueError):
        return None
    return getattr(address, "ipv4_mapped", None) or address


def room_address(address: str, host: str) -> str | None:
    """Return the address that other computers in the room can open, if the page listens to them; nothing is sent.

    `address` is the one on this computer.
    """
    listening = listening_address(host)
    if listening is None or not listening.is_unspecified:
        return None if listening is not None and listening.is_loopback else address
    port = address.rstrip("/").rsplit(":", 1)[1]
    for family, outside in OUTSIDE.items():
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((outside, 9))  # a datagram's connect only asks for the way: no packet leaves
                own = probe.getsockname()[0]
        except OSError:
            continue
        if not ipaddress.ip_address(own).is_loopback:
            return f"http://{f'[{own}]' if ':' in own else own}:{port}/"
    return None


def qr_code(address: str, encoding: str | None) -> str:
    """Return an address as a QR code made of characters, or nothing where the terminal cannot write them.

    Black on white whatever the terminal's colours: many readers do not accept the negative.
    """
    if os.environ.get("TERM") == "dumb" or (os.name == "nt" and "WT_SESSION" not in os.environ):
        return ""  # it would show the colours as letters
    modules = qr_modules(address)
    modules = np.pad(modules, ((0, len(modules) % 2), (0, 0)))  # a letter is two modules high
    lines = [
        BLACK_ON_WHITE + "".join(HALVES[top, bottom] for top, bottom in zip(*pair, strict=True)) + AS_BEFORE
        for pair in zip(modules[::2].tolist(), modules[1::2].tolist(), strict=True)
    ]
    code = "\n".join(lines) + "\n"
    try:
        code.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ""
    return code


def qr_modules(address: str) -> NDArray[np.uint8]:
    """Return an address as a QR code, uint8 (N, N), 1 where it is dark, with the margin that readers ask for."""
    return np.array(list(segno.make(address, micro=False).matrix_iter(border=QR_MARGIN)), np.uint8)


def build_room(demo: gr.Blocks) -> gr.HTML:
    """Lay out the folded line that shows this screen's address, for others, and its QR code."""
    return browser_component("room", {}, elem_id="room", server=[invite_function(demo)])


def invite_function(demo: gr.Blocks) -> Callable[[Any], dict[str, Any]]:
    """Return the function that the page's JavaScript asks."""

    @server_function
    def invite(question: Any) -> dict[str, Any]:
        """Answer a browser's own `address` with the one for others and its QR code, `size` x `size` levels."""
        own = named_values(question, say("the page's address")).get("address")
        if not isinstance(own, str) or not own.startswith(("http://", "https://")) or len(own) > MAX_ADDRESS:
            raise ConfigError("the page's address must be at most {count} letters long", count=MAX_ADDRESS)
        listens = getattr(demo, "server_name", "127.0.0.1")  # Gradio sets it when the page is launched
        address = address_for_others(own, room_address(demo.local_url or own, listens))
        if address is None:
            return {"alone": ALONE}
        levels = 255 * (1 - qr_modules(address))
        return {"address": address, "size": len(levels), "levels": base64_of(levels)}

    return invite


def address_for_others(own: str, room: str | None) -> str | None:
    """Return the address under which others can open the screen that a browser has under `own`.

    That is the same one, unless only this computer knows it: then it begins as `room`, the address of the server in
    the room, and is None where there is no such thing.
    """
    try:
        parts = urlsplit(own)
    except ValueError:
        raise ConfigError("the page's address is not a web address") from None
    try:
        here = parts.hostname is None or ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        here = parts.hostname == "localhost"
    if not here:
        return own
    return urlunsplit(("http", urlsplit(room).netloc, parts.path, parts.query, "")) if room else None
