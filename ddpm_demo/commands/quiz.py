"""`ddpm-demo quiz`: the lessons' test for a course's own question bank."""

import argparse
from pathlib import Path

from ddpm_demo.commands.options import add_lessons_option, path_argument

SUMMARY = "write the lessons' test as a quiz for Moodle, Canvas or a spreadsheet"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo quiz`."""
    parser.add_argument(
        "out", type=path_argument, metavar="FILE", help=".xml for Moodle, .zip for QTI 1.2 (Canvas, ILIAS), or .csv"
    )
    parser.add_argument(
        "--when",
        choices=("before", "after", "later"),
        default="before",
        help="the test before the lessons, the one after them, or the one a week or two later",
    )
    add_lessons_option(parser)


def run_quiz(arguments: argparse.Namespace) -> int:
    """`ddpm-demo quiz`: one file with a question a lesson, whose answers are computed now."""
    from ddpm_demo.core.config import ConfigError
    from ddpm_demo.store.files import check_outputs, write_file
    from ddpm_demo.store.shipped import shipped_checkpoints
    from ddpm_demo.ui.lessons.entry import read_lessons
    from ddpm_demo.ui.lessons.quiz import QUIZ_FORMATS, quiz_items
    from ddpm_demo.ui.lessons.workplace import Workplace

    form = Path(arguments.out).suffix
    if form not in QUIZ_FORMATS:
        raise ConfigError(f"the file must end in {', '.join(QUIZ_FORMATS)}, got {arguments.out}")
    check_outputs({"FILE": (arguments.out, form)}, inputs={})
    lessons = read_lessons(arguments.lessons)
    items = list(quiz_items(lessons, Workplace(shipped_checkpoints()), arguments.when))
    write_file(arguments.out, QUIZ_FORMATS[form](items))
    print(f"{arguments.out}: {len(items)} questions")
    return 0
