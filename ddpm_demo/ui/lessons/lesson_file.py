"""Reading one lesson's file, each sentence and truth in it checked; files/README.md tells teachers how to write one."""

import string
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ddpm_demo.core.config import ConfigError
from ddpm_demo.ui.lessons.lesson import Choice, Lesson, Misconception, PredictionTask, Question, Task
from ddpm_demo.ui.lessons.places import CONTROLS, WATCHES
from ddpm_demo.ui.lessons.toml_file import Keys, TomlFile
from ddpm_demo.ui.lessons.truths import TRUTHS, answers_of, values_of
from ddpm_demo.ui.tab_table import tab_ids
from ddpm_demo.ui.words.drawings import DRAWINGS
from ddpm_demo.words.sentence import FORMS, english_form, filled

SCREEN = ("digit", "seed", "t", "schedule")
PARTS = (
    "title",
    "minutes",
    "tab",
    "goal",
    "opening",
    "lock",
    "explain",
    "remember",
    "drawing",
    "leads",
    "screen",
    "predict",
    "do",
    "reveal",
    "question",
    "test",
)
IDEA = ("misconception", "refutation")
SAID = {  # kind of prediction -> what can be said of one, each a sentence in the file
    "choice": ("right", "wrong"),
    "mark": ("close", "too_low", "too_high"),
    "rank": ("right", "wrong"),
    "curve": ("close", "far"),
}


def read_lesson(path: Path) -> Lesson:
    """Read one lesson; raise ConfigError, one sentence with the file's line, if it cannot be one."""
    file = TomlFile(path)
    file.known((), PARTS)
    tab = file.get(("tab",), str)
    _one_of(file, ("tab",), tab, tab_ids())
    lock = file.get(("lock",), list, [])
    for name in lock:
        _one_of(file, ("lock",), name, CONTROLS)
    screen = file.get(("screen",), dict, {})
    if screen:
        file.known(("screen",), SCREEN)
    tasks = tuple(_task(file, ("do", k)) for k in range(file.count(("do",))))
    if not tasks:
        raise file.fault(("do",), "a lesson needs something to do: write [[do]]")
    predict = _prediction(file)
    kept = [task.keep for task in tasks if task.keep]
    values = [*values_of(predict.truth, predict.arguments), *kept]
    if predict.kind == "mark":
        values.append("prediction")
    file.known(("reveal",), (*SAID[predict.kind], "misconceptions", "bars", "pictures"))
    words = {name: sentence(file, ("reveal", name), values) for name in SAID[predict.kind] if name != "wrong"}
    if "wrong" in SAID[predict.kind] and predict.kind != "choice":
        words["wrong"] = sentence(file, ("reveal", "wrong"), values)
    misconceptions = {}
    for name in file.get(("reveal", "misconceptions"), dict, {}):
        here: Keys = ("reveal", "misconceptions", name)
        _one_of(file, here, name, (word for word in SAID[predict.kind] if predict.kind != "choice"))
        file.known(here, IDEA)
        misconceptions[name] = Misconception(*_idea(file, here, values))
    bars = file.get(("reveal", "bars"), dict, {})
    for name in bars:
        _one_of(file, ("reveal", "bars", name), name, values_of(predict.truth, predict.arguments))
    captions = file.get(("reveal", "pictures"), dict, {})
    for name in captions:
        _one_of(file, ("reveal", "pictures", name), name, TRUTHS[predict.truth].pictures)
    drawing = file.get(("drawing",), str, "")
    if drawing:
        _one_of(file, ("drawing",), drawing, DRAWINGS)
    question = read_question(file, ("question",), "pictures")
    test = again = later = None
    if "test" in file.content:
        test = again = read_question(file, ("test",), "again", "later")
        if "again" in file.content["test"]:
            again = read_parallel(file, ("test", "again"), test)
        later = read_parallel(file, ("test", "later"), test, again) if "later" in file.content["test"] else again
    return Lesson(
        path.stem,
        file.get(("title",), str),
        file.get(("minutes",), int),
        tab,
        file.get(("opening",), str),
        tuple(lock),
        screen,
        predict,
        tasks,
        words,
        captions,
        bars,
        sentence(file, ("explain",), values),
        question,
        file.get(("remember",), str, ""),
        drawing,
        file.get(("leads",), str, ""),
        misconceptions,
        test,
        again,
        later,
        file.get(("goal",), str, ""),
    )


def read_question(file: TomlFile, keys: Keys, *also: str) -> Question:
    """Read a question of choices whose key is computed; raise ConfigError if it cannot be one.

    `also` are names that may stand beside those of a question.
    """
    file.known(keys, ("ask", "truth", "with", "choice", "right", *also))
    truth, arguments = _truth(file, keys, ("choice",))
    choices = _choices(file, keys, truth, arguments, reasons=True)
    right = sentence(file, (*keys, "right"), values_of(truth, arguments))
    shown = file.get((*keys, "pictures"), dict, {})
    for name in shown:
        _one_of(file, (*keys, "pictures", name), name, TRUTHS[truth].pictures)
    if shown and TRUTHS[truth].network:
        raise file.fault((*keys, "pictures"), f"{truth} takes too long to be shown beside its question")
    return Question(file.get((*keys, "ask"), str), truth, arguments, choices, right, shown)


def read_parallel(file: TomlFile, keys: Keys, first: Question, *others: Question) -> Question:
    """Read a question that asks for the same as `first` with other arguments; what it leaves out is that one's.

    Raises ConfigError if it cannot be one, or if its arguments are the same, or those of one of the `others`.
    """
    file.known(keys, ("ask", "truth", "with", "choice", "right"))
    truth, arguments = _truth(file, keys, ("choice",), first.truth)
    if (truth, arguments) in [(other.truth, other.arguments) for other in (first, *others)]:
        raise file.fault((*keys, "with"), "this is an earlier test's question again: give it other arguments")
    values, choices = list(values_of(truth, arguments)), first.choices
    if file.count((*keys, "choice")):
        choices = _choices(file, keys, truth, arguments, reasons=True)
    elif sorted(choice.key for choice in choices) != sorted(answers_of(truth, arguments)):
        raise file.fault(
            keys, f"its answers are others than the first question's: write [[{'.'.join(map(str, keys))}.choice]]"
        )
    right = file.get((*keys, "right"), str, first.right)
    for text in (right, *(text for choice in choices for text in (choice.wrong, choice.refutation))):
        check_words(file, keys, text, values)
    return Question(file.get((*keys, "ask"), str), truth, arguments, choices, right)


def _prediction(file: TomlFile) -> PredictionTask:
    keys: Keys = ("predict",)
    kind = file.get((*keys, "kind"), str)
    _one_of(file, (*keys, "kind"), kind, SAID)
    own: dict[str, tuple[str, ...]] = {
        "choice": ("choice",),
        "rank": ("choice",),
        "mark": ("low", "high", "start", "near", "reading"),
        "curve": ("near", "left_end", "right_end", "height"),
    }
    file.known(keys, ("kind", "ask", "truth", "with", *own[kind]))
    truth, arguments = _truth(file, keys, (kind,))
    settings: dict[str, Any] = {}
    for name in own[kind]:
        if name == "choice":
            settings["choices"] = _choices(file, keys, truth, arguments, reasons=kind == "choice")
        else:
            number = name in ("low", "high", "start", "near")
            settings[name] = file.get((*keys, name), (int, float) if number else str)
    if kind == "mark" and not settings["low"] <= settings["start"] <= settings["high"]:
        raise file.fault((*keys, "start"), "`predict.start` must be from `low` to `high`")
    if kind == "mark":
        check_words(file, (*keys, "reading"), settings["reading"], ["value"])
    return PredictionTask(file.get((*keys, "ask"), str), truth, arguments, kind=kind, **settings)


def _truth(file: TomlFile, keys: Keys, kinds: Iterable[str], *usual: str) -> tuple[str, dict[str, Any]]:
    name, arguments = file.get((*keys, "truth"), str, *usual), file.get((*keys, "with"), dict, {})
    _one_of(file, (*keys, "truth"), name, (known for known, function in TRUTHS.items() if function.gives in kinds))
    function = TRUTHS[name]
    for key in arguments:
        _one_of(file, (*keys, "with"), key, function.arguments)
    missing = [key for key, default in function.arguments.items() if default is ... and key not in arguments]
    if missing:
        raise file.fault((*keys, "with"), f"{name} needs {', '.join(missing)} in `with`")
    return name, arguments


def _choices(
    file: TomlFile, keys: Keys, truth: str, arguments: Mapping[str, Any], *, reasons: bool
) -> tuple[Choice, ...]:
    answers, found = answers_of(truth, arguments), []
    values = list(values_of(truth, arguments))
    for k in range(file.count((*keys, "choice"))):
        here: Keys = (*keys, "choice", k)
        file.known(here, ("key", "say", "wrong", *IDEA) if reasons else ("key", "say"))
        key = file.get((*here, "key"), str)
        _one_of(file, (*here, "key"), key, answers)
        wrong = sentence(file, (*here, "wrong"), values) if reasons else ""
        idea = _idea(file, here, values) if reasons else ()
        found.append(Choice(key, file.get((*here, "say"), str), wrong, *idea))
    if sorted(choice.key for choice in found) != sorted(answers):
        raise file.fault(
            (*keys, "choice"), f"each of {', '.join(answers)} must be offered once: any of them may be the truth"
        )
    return tuple(found)


def _idea(file: TomlFile, keys: Keys, values: Iterable[str]) -> tuple[str, str]:
    """Return the misconception and its refutation there, two empty texts if there is none; one needs the other."""
    written = [name for name in IDEA if name in file.get(keys, dict)]
    misconception, refutation = (file.get((*keys, name), str) if name in written else "" for name in IDEA)
    if len(written) == 1:
        raise file.fault(
            (*keys, written[0]), "a misconception needs its `refutation`, and a refutation its `misconception`"
        )
    check_words(file, (*keys, "refutation"), refutation, values)
    return misconception, refutation


def _task(file: TomlFile, keys: Keys) -> Task:
    file.known(keys, ("say", "control", "watch", "at_least", "at_most", "is", "keep", "button"))
    control, watch = file.get((*keys, "control"), str, ""), file.get((*keys, "watch"), str, "")
    if control:
        _one_of(file, (*keys, "control"), control, CONTROLS)
    if watch:
        _one_of(file, (*keys, "watch"), watch, WATCHES)
    if watch == "press" and not control:
        raise file.fault((*keys, "watch"), "to watch for a press, name the `control`")
    keep = file.get((*keys, "keep"), str, "")
    if keep and not keep.isidentifier():
        raise file.fault((*keys, "keep"), "`keep` must be one word")
    number = (int, float)
    return Task(
        file.get((*keys, "say"), str),
        control,
        watch,
        file.get((*keys, "at_least"), number, None),
        file.get((*keys, "at_most"), number, None),
        file.get((*keys, "is"), str, ""),
        keep,
        file.get((*keys, "button"), str, ""),
    )


def _one_of(file: TomlFile, keys: Keys, value: object, allowed: Iterable[str]) -> None:
    """Raise ConfigError, with the line, unless a value is one of the allowed words."""
    known = list(allowed)
    if value not in known:
        raise file.fault(keys, f"`{keys[-1]}` must be one of {', '.join(known)}, got {value!r}")


def sentence(file: TomlFile, keys: Keys, values: Iterable[str]) -> str:
    """Return a text of the file whose {places} are all known values; raise ConfigError, with the line, otherwise."""
    text: str = file.get(keys, str)
    check_words(file, keys, text, values)
    return text


def check_words(file: TomlFile, keys: Keys, text: str, values: Iterable[str]) -> None:
    """Raise ConfigError, with the line, if a text has {places} that are not known values, or are written wrongly."""
    known = list(values)
    try:
        fields = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
        if unknown := [name for name in fields if name not in known]:
            raise ConfigError(f"{{{unknown[0]}}} is not a value here; there are {', '.join(known) or 'none'}")
        if FORMS in text and not fields:
            raise ConfigError(f"{FORMS} stands between forms of the plural, in a text with values")
        filled(text, dict.fromkeys(known, 0.5), english_form)
    except ValueError as error:
        raise file.fault(keys, f"`{keys[-1]}`: {error}") from None
