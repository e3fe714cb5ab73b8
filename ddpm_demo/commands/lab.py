"""`ddpm-demo lab`: the page in one file, which needs no server, no network and no installation."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ddpm_demo.commands.options import add_lessons_option, path_argument

if TYPE_CHECKING:
    from ddpm_demo.ui.lab.lessons import SolvedLesson

SUMMARY = "write the page as one file, for a stick, a mail or a course page"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo lab`."""
    parser.add_argument(
        "out",
        type=path_argument,
        metavar="FILE.html|FOLDER",
        help="a file opens in any browser, from any place; a folder is for a web space, and installs from there",
    )
    parser.add_argument(
        "--checkpoint",
        default="lite",
        metavar="NAME|PATH",
        help="the network that is in it; default: lite, and `full` is too large for one file",
    )
    parser.add_argument(
        "--language", metavar="LANG", default="en", help="its language, such as `tr` (default: English)"
    )
    add_lessons_option(parser)
    parser.add_argument(
        "--no-lessons", action="store_true", help="leave the lessons out, whose answers take minutes to compute"
    )


def run_lab(arguments: argparse.Namespace) -> int:
    """`ddpm-demo lab`: one HTML file, or a folder of files."""
    import datetime

    from ddpm_demo.core.config import ConfigError
    from ddpm_demo.networks.loaded_networks import checkpoint_file
    from ddpm_demo.store.files import check_folder, check_outputs, write_file
    from ddpm_demo.ui.lab.folder import lab_folder
    from ddpm_demo.ui.lab.page import lab_page
    from ddpm_demo.ui.words.language import known_code, language

    if arguments.no_lessons and arguments.lessons:
        raise ConfigError("--lessons adds a lesson and --no-lessons leaves all out: give one of them")
    said = language(known_code(arguments.language))
    out, is_folder = arguments.out, arguments.out.is_dir() or not arguments.out.suffix
    if is_folder:
        check_folder(out)
    else:
        check_outputs({"FILE": (out, ".html")}, inputs=checkpoint_file(arguments.checkpoint))

    def files(lessons: "Sequence[SolvedLesson]" = ()) -> dict[Path, bytes]:
        if not is_folder:
            return {out: lab_page(arguments.checkpoint, date, lessons, said)}
        folder = lab_folder(arguments.checkpoint, date, lessons, said)
        return {out / name: content for name, content in folder.items()}

    date = datetime.date.today()
    written = files()  # what cannot be written is known before its lessons take minutes
    if not arguments.no_lessons:
        written = files(_solved(arguments))
    if is_folder:
        out.mkdir(exist_ok=True)
    for path, content in written.items():
        write_file(path, content)
    print(f"{out}: {sum(map(len, written.values())) / 1e6:.2f} MB{f' in {len(written)} files' if is_folder else ''}")
    return 0


def _solved(arguments: argparse.Namespace) -> "list[SolvedLesson]":
    """Compute the answers of all lessons; a shipped one that does not suit the network is left out, which is said."""
    from tqdm import tqdm

    from ddpm_demo.core.config import ConfigError
    from ddpm_demo.store.shipped import find_checkpoint, shipped_checkpoints
    from ddpm_demo.ui.app import name_of
    from ddpm_demo.ui.lab.lessons import solved_lesson
    from ddpm_demo.ui.lessons.entry import read_lessons, shipped_lessons
    from ddpm_demo.ui.lessons.workplace import Workplace

    path = find_checkpoint(arguments.checkpoint)
    workplace = Workplace({name_of(path): path} | shipped_checkpoints(), own_drawings=False)
    lessons, shipped = read_lessons(arguments.lessons), {lesson.name for lesson in shipped_lessons()}
    solved, left_out = [], []
    for lesson in tqdm(lessons, unit=" lessons", file=sys.stderr, dynamic_ncols=True):
        try:
            solved.append(solved_lesson(lesson, workplace))
        except ConfigError as error:
            if lesson.name not in shipped:
                raise
            left_out.append(f"left out, the lesson “{lesson.title}”: {error}")
    for sentence in left_out:
        print(sentence, file=sys.stderr)
    return solved
