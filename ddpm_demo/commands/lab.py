"""`ddpm-demo lab`: the page in one file, which needs no server, no network and no installation."""

import argparse

from ddpm_demo.commands.options import path_argument

SUMMARY = "write the page as one file, for a stick, a mail or a course page"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo lab`."""
    parser.add_argument("out", type=path_argument, metavar="FILE.html", help="opens in any browser, from any place")
    parser.add_argument(
        "--checkpoint",
        default="lite",
        metavar="NAME|PATH",
        help="the network that is in it; default: lite, and `full` is too large",
    )


def run_lab(arguments: argparse.Namespace) -> int:
    """`ddpm-demo lab`: one HTML file."""
    import datetime

    from ddpm_demo.networks.loaded_networks import checkpoint_file
    from ddpm_demo.store.files import check_outputs, write_file
    from ddpm_demo.ui.lab.page import lab_page

    check_outputs({"FILE": (arguments.out, ".html")}, inputs=checkpoint_file(arguments.checkpoint))
    page = lab_page(arguments.checkpoint, datetime.date.today())
    write_file(arguments.out, page)
    print(f"{arguments.out}: {len(page) / 1e6:.2f} MB")
    return 0
