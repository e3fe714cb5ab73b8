"""The command line: `ddpm-demo app | status | schedule | claims | train | sample | evaluate | curves | bench | ...`.

Wrong arguments end in one line and status 2, anything else that a user can cause in one line and status 1. With
`--json` the standard output holds one JSON object and nothing else; words for people go to standard error.
"""

import argparse
import contextlib
import importlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from ddpm_demo import __version__
from ddpm_demo.commands.options import INTERRUPTED
from ddpm_demo.core.config import ConfigError, DemoError
from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig
from ddpm_demo.machine.freed_memory import keep_freed_memory
from ddpm_demo.networks.guidance_settings import DigitConfig
from ddpm_demo.networks.recommended import RECOMMENDED_SAMPLER
from ddpm_demo.store.files import user_path

BROKEN_PIPE = 141  # what a shell reports for it


def _path(text: str) -> Path:
    """Return a path that was given as an argument."""
    try:
        return user_path(text, "it")
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _classes(text: str) -> tuple[int, ...]:
    """Return the digits that an argument such as 3,7 names; which of them there are, TrainConfig knows."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"name digits with commas between them, as in 3,7, not {text!r}") from None


class _Parser(argparse.ArgumentParser):
    """argparse, but a wrong argument gets one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file's name or a note may have letters that the console has not
            stream.reconfigure(errors="backslashreplace")
    parsed = build_parser().parse_args(arguments)
    keep_freed_memory()
    try:
        with one_sentence():
            # only the command that was asked for: `ddpm-demo --help` must not wait for PyTorch
            command = importlib.import_module(f"ddpm_demo.commands.{parsed.command}")
            status: int = getattr(command, f"run_{parsed.command}")(parsed)
            sys.stdout.flush()
            return status
    except SystemExit as leaving:
        return int(leaving.code or 0)


@contextlib.contextmanager
def one_sentence() -> Iterator[None]:
    """Leave the program by SystemExit, with one line instead of a traceback, where the user can mend what is wrong."""
    try:
        yield
    except BrokenPipeError:  # `ddpm-demo claims | head -1`: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its end
        raise SystemExit(BROKEN_PIPE) from None
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
    parser = _Parser(prog="ddpm-demo", description="Denoising diffusion on MNIST, to look at and to play with.")
    parser.add_argument("--version", action="version", version=f"ddpm-demo {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")

    app = subparsers.add_parser("app", help="start the web page")
    app.add_argument("--host", help="address to listen on (default 127.0.0.1: this machine only)")
    app.add_argument("--port", type=int, help="port (default 7860, or the next free one)")
    app.add_argument("--checkpoint", metavar="PATH", help="a checkpoint to offer first, beside the shipped ones")
    app.add_argument(
        "--lessons",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="add a lesson of your own; may be repeated",
    )
    app.add_argument("--root-path", metavar="PATH", help="where a proxy in front shows the page, such as /diffusion")
    app.add_argument("--share", action="store_true", help="also make a public link, through Gradio's servers")
    app.add_argument("--open", action="store_true", help="open the page in the browser")
    app.add_argument("--quiet", action="store_true", help="print the address alone")
    app.add_argument("--no-training", action="store_true", help="show no training controls and refuse to train")
    app.add_argument(
        "--cluster",
        metavar="local:N|HOST:PORT",
        help="have films made by N workers of this machine, or by a Ray cluster (needs the extra `cluster`)",
    )
    app.add_argument(
        "--cluster-or-here", action="store_true", help="with --cluster: make films here while no worker answers"
    )
    app.add_argument("--metrics", action="store_true", help="answer Prometheus at /metrics")

    status = subparsers.add_parser("status", help="tell what goes on in an app that runs on this machine")
    status.add_argument("--port", type=int, default=7860, help="the app's port (default 7860)")
    status.add_argument("--json", action="store_true", help="print one JSON object")

    info = subparsers.add_parser("info", help="describe a network or a checkpoint")
    which = info.add_mutually_exclusive_group()
    which.add_argument("--checkpoint", metavar="NAME|PATH", help="a shipped checkpoint's name, or a file")
    which.add_argument("--preset", help="a network that is not trained: lite or full")
    info.add_argument("--json", action="store_true", help="print one JSON object")

    schedule = subparsers.add_parser("schedule", help="print beta, alpha_bar and SNR at every t")
    schedule.add_argument("--kind", default="linear", help="linear (default) or cosine")
    schedule.add_argument("--json", action="store_true", help="print one JSON object, in full double precision")

    claims = subparsers.add_parser("claims", help="check the specification's statements against this code")
    claims.add_argument("--json", action="store_true", help="print one JSON object")

    train = subparsers.add_parser("train", help="train a network on MNIST, or on drawings of your own")
    train.add_argument("--preset", default=None, help="lite (64 channels, the default) or full (256, the spec's)")
    train.add_argument("--hidden", type=int, help="another width, a multiple of 8, with the preset's recipe")
    train.add_argument("--out", required=True, type=_path, metavar="DIR", help="directory of the run")
    length = train.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="train for so long (default 60)")
    length.add_argument("--epochs", type=float, help="train for so many passes over the digits")
    train.add_argument(
        "--resume", action="store_true", help="go on with the run in DIR exactly; longer if you name a length"
    )
    origin = train.add_mutually_exclusive_group()
    origin.add_argument(
        "--from",
        metavar="NAME|PATH",
        dest="first",
        help="begin with the weights of this checkpoint, a network of the same shape, and a fresh optimiser",
    )
    origin.add_argument(
        "--grow-from",
        metavar="NAME|PATH",
        help="begin as a wider copy of this checkpoint, with its answers (Net2Net), instead of at nothing",
    )
    train.add_argument("--seed", type=int, help="decides weights, noise and the order of digits (default 0)")
    train.add_argument("--batch", type=int, help="digits a step (default: the preset's)")
    train.add_argument("--lr", type=float, help="highest learning rate")
    train.add_argument("--loss-weight", help="mse (every t alike), p2 (noisy t more) or min_snr (clean t less)")
    train.add_argument("--min-snr-gamma", type=float, help="above this SNR min_snr counts a timestep less (default 5)")
    train.add_argument("--middle", type=float, help="share of t drawn from the middle, where shape is decided (0 to 1)")
    train.add_argument("--optimizer", help="adamw or muon (learns as much from fewer digits)")
    train.add_argument("--ema-decay", type=float, help="share of the averaged weights kept at each step")
    train.add_argument(
        "--pictures",
        type=_path,
        metavar="DIR|ZIP",
        dest="own",
        help="teach it your own drawings, at least 5, with small shifts, turns and scales; they stay with the run",
    )
    train.add_argument(
        "--classes",
        type=_classes,
        metavar="3,7",
        help="train on these digits only (default: all ten); with --pictures mix these in (default: none)",
    )
    train.add_argument("--digits", type=int, help="train on the first so many digits only (default: all 60,000)")
    train.add_argument("--compile", action="store_true", default=None, help="torch.compile; needs a C++ compiler")
    train.add_argument("--save-every", type=float, default=30.0, metavar="SECONDS", help="0 to 60 (default 30)")
    train.add_argument("--held-out", type=int, default=1000, metavar="N", help="test digits to measure at the end")

    sample = subparsers.add_parser("sample", help="draw digits out of noise")
    sample.add_argument("--checkpoint", default="lite", metavar="NAME|PATH", help="default: lite")
    sample.add_argument("--n", type=int, default=64, help="how many digits (default 64)")
    _add_sampler_options(sample, SamplerConfig(), "none")  # the spec's rule to the letter
    sample.add_argument("--digit", type=int, help="ask for this digit, 0 to 9, by classifier guidance")
    _add_digit_options(sample)
    sample.add_argument("--seed", type=int, default=0, help="the same seed gives the same file (default 0)")
    sample.add_argument("--out", required=True, type=_path, metavar="FILE.npz", help="`images` uint8 (N, 28, 28)")
    sample.add_argument("--gif", type=_path, metavar="FILE.gif", help="also the film of the grid")
    sample.add_argument("--png", type=_path, metavar="FILE.png", help="also the grid as a picture")

    classifier = subparsers.add_parser("classifier", help="train the classifier that --digit asks with, or the judge")
    classifier.add_argument(
        "--out", required=True, type=_path, metavar="FILE.safetensors", help="the trained classifier"
    )
    classifier.add_argument(
        "--judge", action="store_true", help="train the judge of clean digits, not the classifier of noisy ones"
    )
    classifier.add_argument("--steps", type=int, help="steps of 128 digits (default 8000, of the judge 6000)")
    classifier.add_argument("--seed", type=int, default=0, help="decides weights, noise and order (default 0)")

    complete = subparsers.add_parser("complete", help="complete test digits of which a part is missing, and judge them")
    complete.add_argument("--checkpoint", default="lite", metavar="NAME|PATH", help="default: lite")
    complete.add_argument("--mask", default="lower half", help="what is missing (default: lower half)")
    complete.add_argument("--jumps", type=int, default=5, help="times that a step is taken back, 0 to 20 (default 5)")
    complete.add_argument("--n", type=int, default=500, help="the first so many test digits (default 500)")
    _add_sampler_options(complete, RECOMMENDED_SAMPLER, "that of the page")
    complete.add_argument("--seed", type=int, default=0, help="decides the noise (default 0)")
    complete.add_argument("--png", type=_path, metavar="FILE.png", help="also pairs of what was given and what came")
    complete.add_argument("--json", action="store_true", help="print one JSON object")

    evaluate = subparsers.add_parser("evaluate", help="measure a checkpoint: held-out loss, and quality of its digits")
    what = evaluate.add_mutually_exclusive_group()
    what.add_argument("--checkpoint", default="lite", metavar="NAME|PATH", help="default: lite")
    what.add_argument(
        "--run",
        type=_path,
        metavar="DIR",
        dest="directory",
        help="instead, and without drawing: what the 16-bit file of a training run costs in held-out loss",
    )
    evaluate.add_argument("--n", type=int, default=2000, help="digits to draw and judge, 4 to 10000 (default 2000)")
    evaluate.add_argument(
        "--held-out", type=int, default=10_000, metavar="N", help="test digits for the loss (default: all 10,000)"
    )
    _add_sampler_options(evaluate, RECOMMENDED_SAMPLER, "that of the page")  # as on the page
    evaluate.add_argument("--digit", help="ask for this digit, or for all ten in equal shares: 0 to 9, or all")
    _add_digit_options(evaluate)
    evaluate.add_argument("--seed", type=int, default=0, help="decides the digits that are drawn (default 0)")
    form = evaluate.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--markdown", action="store_true", help="print a table for the model card")

    curves = subparsers.add_parser("curves", help="measure quality against steps for every sampler; may be resumed")
    curves.add_argument("--checkpoint", default="lite", metavar="NAME|PATH", help="default: lite")
    curves.add_argument("--n", type=int, default=500, help="digits a point, 4 to 10000 (default 500)")
    curves.add_argument("--steps", default="5,10,20,50,100,200", help="default: 5,10,20,50,100,200")
    curves.add_argument("--seed", type=int, default=0, help="decides the digits that are drawn (default 0)")
    curves.add_argument(
        "--out", required=True, type=_path, metavar="FILE.json", help="results; goes on with those there"
    )
    curves.add_argument("--picture", type=_path, metavar="FILE.png", help="also the curves as a picture")
    curves.add_argument("--markdown", action="store_true", help="print a table for the model card")

    bench = subparsers.add_parser("bench", help="measure speed, side by side with the plain way")
    bench.add_argument(
        "what",
        choices=["ui", "sample", "train", "class", "company"],
        help="ui: from a drag to the screen; sample: a step of the sampler; train: a step of training; "
        "class: many visitors at once; company: whether films depend on each other",
    )
    bench.add_argument("--visitors", default="1,8,32,100,500", help="class: how many (default 1,8,32,100,500)")
    bench.add_argument("--same", action="store_true", help="class: all ask for one film, as by one link")
    bench.add_argument("--cluster", metavar="local:N|HOST:PORT", help="class: of a server with these workers")
    bench.add_argument("--steps", type=int, help="class: of every film (default: the page's)")
    bench.add_argument("--digits", type=int, default=16, help="class: in every film (default 16)")
    bench.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _add_digit_options(parser: argparse.ArgumentParser) -> None:
    """Add how strongly, and at which timesteps, a digit is asked for."""
    usual = DigitConfig(0)
    parser.add_argument("--digit-weight", type=float, metavar="W", help=f"0 is not at all (default {usual.weight:g})")
    parser.add_argument("--digit-first", type=int, metavar="T", help="ask from this timestep on (default: --interval)")
    parser.add_argument("--digit-last", type=int, metavar="T", help="and down to this one (default: --interval)")


def _add_sampler_options(parser: argparse.ArgumentParser, usual: SamplerConfig, usual_guide: str) -> None:
    """Add an option for each setting of SamplerConfig, and those of the guide."""

    def option(name: str, words: str) -> None:
        default = getattr(usual, name.replace("-", "_"))
        parser.add_argument(f"--{name}", type=type(default), default=default, help=f"{words} (default {default})")

    parser.add_argument("--sampler", default=usual.kind, help=f"{', '.join(SAMPLERS)} (default {usual.kind})")
    option("steps", "network calls, 1 to T")
    option("variance", "of ddpm's noise: beta (the spec's) or posterior")
    option("final-noise", "spec: none at t <= 1; ho: none at t = 0 only")
    option("eta", "ddim's noise, 0 to 1")
    option("clip", "none, x0 or x_t")
    parser.add_argument(
        "--guide",
        metavar="NAME|PATH",
        help=f"a worse network to guide it by its faults, or none (default: {usual_guide})",
    )
    parser.add_argument("--guidance", type=float, metavar="W", help="weight: 1 is without a guide, 2 twice as far")
    parser.add_argument(
        "--interval",
        type=int,
        nargs=2,
        metavar=("FIRST", "LAST"),
        help="guide, and ask for a digit, only at timesteps FIRST >= t >= LAST (default: at all)",
    )
