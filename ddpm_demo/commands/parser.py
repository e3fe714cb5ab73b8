"""The command line: `ddpm-demo app | status | schedule | claims | train | sample | evaluate | curves | bench | ...`.

Wrong arguments end in one line and status 2, anything else that a user can cause in one line and status 1. With
`--json` the standard output holds one JSON object and nothing else; words for people go to standard error.
"""

import argparse
import contextlib
import errno
import importlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from ddpm_demo import __version__
from ddpm_demo.commands.options import INTERRUPTED
from ddpm_demo.core.config import ConfigError, DemoError
from ddpm_demo.machine.freed_memory import keep_freed_memory

# each is a module beside this one, with SUMMARY, add_arguments(parser) and run_NAME(arguments); what is heavy it
# imports in the last of these, for `ddpm-demo --help` must not wait for PyTorch
COMMANDS = (
    "app",
    "status",
    "info",
    "schedule",
    "claims",
    "train",
    "sample",
    "lab",
    "quiz",
    "words",
    "classifier",
    "complete",
    "evaluate",
    "curves",
    "bench",
)
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}  # of `ddpm-demo claims > a-full-disk`
BROKEN_PIPE = 141  # what a shell reports for it


class _Parser(argparse.ArgumentParser):
    """argparse, but a wrong argument gets one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        if file is sys.stdout:  # --help and --version: argparse would pass over a full disk
            file.write(message)
            file.flush()
        else:
            super()._print_message(message, file)


class _ClosedOutput(io.TextIOWrapper):
    """The standard output where it is closed: nothing arrives, and whether anything should have is noted."""

    lost = False

    def write(self, text: str, /) -> int:
        self.lost = True
        return super().write(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    if sys.stdout is None:  # `ddpm-demo info >&-`
        sys.stdout = _ClosedOutput(open(os.devnull, "wb"), encoding="utf-8")  # noqa: SIM115, PTH123 (until the end)
    if sys.stderr is None:  # or print and tqdm write to the standard output
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 (until the program ends)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file's name or a note may have letters that the console lacks
            stream.reconfigure(errors="backslashreplace")
    try:
        with one_sentence():
            parsed = build_parser().parse_args(arguments)
            keep_freed_memory()
            command = importlib.import_module(f"ddpm_demo.commands.{parsed.command}")
            status: int = getattr(command, f"run_{parsed.command}")(parsed)
            sys.stdout.flush()
    except SystemExit as leaving:
        status = int(leaving.code or 0)
    if isinstance(sys.stdout, _ClosedOutput) and sys.stdout.lost and status == 0:
        print("ddpm-demo: standard output is closed: what should be printed is lost", file=sys.stderr)
        return 1
    return status


@contextlib.contextmanager
def one_sentence() -> Iterator[None]:
    """Leave the program by SystemExit, with one line instead of a traceback, where the user can fix what is wrong."""
    try:
        yield
    except BrokenPipeError:  # `ddpm-demo claims | head -1`: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its end
        raise SystemExit(BROKEN_PIPE) from None
    except OSError as error:
        if error.errno not in FULL:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"ddpm-demo: the output could not be written: {error.strerror}", file=sys.stderr)
        raise SystemExit(1) from None
    except ConfigError as error:
        print(f"ddpm-demo: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except DemoError as error:
        print(f"ddpm-demo: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("ddpm-demo: stopped", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    parser = _Parser(prog="ddpm-demo", description="Denoising diffusion on MNIST, to look at and play with.")
    parser.add_argument("--version", action="version", version=f"ddpm-demo {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")

    for name in COMMANDS:
        command = importlib.import_module(f"ddpm_demo.commands.{name}")
        own = subparsers.add_parser(name, help=command.SUMMARY)
        command.add_arguments(own)
    return parser
