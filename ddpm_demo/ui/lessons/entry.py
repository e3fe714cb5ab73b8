"""The lessons on the page: their files found and read, and the component that the browser fills."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ddpm_demo.core.config import ConfigError
from ddpm_demo.ui.lessons.classroom import DONT_KNOW, Classroom, offered
from ddpm_demo.ui.lessons.lesson import Lesson
from ddpm_demo.ui.lessons.lesson_file import read_lesson
from ddpm_demo.ui.lessons.places import CONTROLS, WATCHES
from ddpm_demo.ui.lessons.toml_file import TomlFile
from ddpm_demo.ui.parts.bridge import browser_component
from ddpm_demo.ui.parts.readers import one_of
from ddpm_demo.ui.words.drawings import DRAWINGS
from ddpm_demo.words.sentence import say

FILES = Path(__file__).resolve().parent / "files"


def shipped_lessons() -> list[Lesson]:
    """Return the lessons that come with the project, in the order of their numbers."""
    files = sorted(FILES.glob("[0-9]*.toml"), key=lambda path: int(path.stem.split("-")[0]))
    return [read_lesson(path) for path in files]


def read_lessons(own: Sequence[Path]) -> list[Lesson]:
    """Return the shipped lessons, then a class's own; raise ConfigError if one is broken or a name occurs twice."""
    lessons = shipped_lessons()
    for path in own:
        lesson = read_lesson(path)
        if _key(lesson.name) in [_key(other.name) for other in lessons]:
            raise ConfigError(f"there is a lesson {lesson.name} already: give {path} another name")
        lessons.append(lesson)
    return lessons


def _key(name: str) -> str:
    """Return the key by which the browser keeps a lesson's record: its name with # for its number, which may change."""
    return re.sub(r"^\d+-", "#", name)


def page_words() -> dict[str, Any]:
    """Return the words of the panel around the lessons."""
    return {name: say(text) for name, text in TomlFile(FILES / "page.toml").content.items()}


def class_plans(lessons: Iterable[Lesson]) -> list[dict[str, Any]]:
    """Return the plans for a class, each a title and its parts: minutes, what is done, and the lesson's name, if any.

    Raises ConfigError where a part names no lesson.
    """
    file, names = TomlFile(FILES / "plans.toml"), {lesson.name.split("-", 1)[1]: lesson.name for lesson in lessons}
    for plan in file.content["plan"]:
        for part in plan["part"]:
            if "lesson" in part:
                part["lesson"] = names[one_of(part["lesson"], names, f"a plan names no lesson: {part['lesson']}")]
    plans: list[dict[str, Any]] = file.content["plan"]
    return plans


def build_lessons(checkpoints: Mapping[str, Path], own: Sequence[Path] = ()) -> Classroom:
    """Lay out the entry; the browser adds the panel when somebody opens it. Raises ConfigError on a broken file."""
    classroom = Classroom(read_lessons(own), checkpoints)
    browser_component("lessons/entry", first_lessons_value(classroom), elem_id="lessons", server=classroom.functions())
    return classroom


def first_lessons_value(classroom: Classroom) -> dict[str, Any]:
    """Return all that the page needs of the lessons before a question is asked."""
    shipped = [lesson for lesson in classroom.lessons.values() if re.match(r"\d+-", lesson.name)]
    shown = list(classroom.lessons.values())
    return {
        "words": page_words(),
        "drawings": drawings_of(shown),
        "lessons": [offered(lesson) for lesson in shown],
        "test": classroom.public_test(),
        "plans": class_plans(shipped),
        "dont_know": DONT_KNOW,
        "controls": CONTROLS,
        "watches": WATCHES,
    }


def drawings_of(lessons: Iterable[Lesson]) -> dict[str, Any]:
    """Return the small drawings of lessons whose truths have no picture, by name."""
    return {name: DRAWINGS[name]() for name in sorted({lesson.drawing for lesson in lessons if lesson.drawing})}
