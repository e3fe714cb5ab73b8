"""The lessons' test as a teacher takes it into a course: Moodle XML, QTI 1.2 or a table, with the answers computed.

Moodle XML as Moodle documents the format; QTI as IMS Question & Test Interoperability 1.2, a content package with one
assessment, which Canvas, ILIAS and others read. All text is plain text: colons, formulas and angle brackets are no
markup, as they would be in GIFT or Markdown.
"""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from ddpm_demo.ui.lessons.judging import grade, idea_behind_answer
from ddpm_demo.ui.lessons.lesson import Choice, Lesson, Question
from ddpm_demo.ui.lessons.truths import compute_truth
from ddpm_demo.ui.lessons.workplace import Truth, Workplace
from ddpm_demo.words.sentence import say

QUIZ_TITLE = "Diffusion: the test of the lessons"
QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"
WHOLE = "100"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the date of files in a package: the same test is the same bytes


@dataclass(frozen=True)
class QuizAnswer:
    """An answer that can be chosen, whether it is the right one, and what is said of it."""

    key: str
    say: str
    right: bool
    feedback: str


@dataclass(frozen=True)
class QuizItem:
    """A question with exactly one right answer."""

    name: str
    title: str
    ask: str
    answers: tuple[QuizAnswer, ...]


def quiz_items(lessons: Iterable[Lesson], workplace: Workplace, when: str) -> Iterator[QuizItem]:
    """Compute one item a lesson that has a test question, as asked `when`: one of `lesson.WHEN`.

    Raises ConfigError or CheckpointError where an answer cannot be computed.
    """
    for lesson in lessons:
        question = lesson.tests[when]
        if question is None:
            continue
        truth = compute_truth(workplace, question.truth, question.arguments)
        answers = (_answer(question, truth, choice) for choice in question.choices)
        yield QuizItem(lesson.name, lesson.title, question.ask, tuple(answers))


def _answer(question: Question, truth: Truth, choice: Choice) -> QuizAnswer:
    right, words = grade(question, truth, choice.key)
    idea = idea_behind_answer(question, truth, choice.key)
    feedback = say("{words} “{misconception}” {refutation}", words=words, **idea) if idea else words
    return QuizAnswer(choice.key, choice.say, right, feedback)


def moodle_xml(items: Iterable[QuizItem]) -> bytes:
    """Return the items as a file that Moodle's question bank imports."""
    quiz = ET.Element("quiz")
    _text(_under(_under(quiz, "question", type="category"), "category"), f"$course$/{QUIZ_TITLE}")
    for item in items:
        question = _under(quiz, "question", type="multichoice")
        _text(_under(question, "name"), item.title)
        _text(_under(question, "questiontext", format="plain_text"), item.ask)
        for name, value in (("single", "true"), ("shuffleanswers", "true"), ("answernumbering", "abc")):
            _under(question, name).text = value
        for answer in item.answers:
            each = _under(question, "answer", fraction=WHOLE if answer.right else "0", format="plain_text")
            _text(each, answer.say)
            _text(_under(each, "feedback", format="plain_text"), answer.feedback)
    return _written(quiz)


def qti_package(items: Iterable[QuizItem]) -> bytes:
    """Return the items as a zip with one QTI 1.2 assessment and its manifest."""
    root = ET.Element("questestinterop", xmlns=QTI)
    section = _under(_under(root, "assessment", ident="ddpm-demo", title=QUIZ_TITLE), "section", ident="root_section")
    for item in items:
        _add_item(section, item)
    manifest = ET.Element("manifest", identifier="ddpm-demo-quiz", xmlns=PACKAGE)
    _under(manifest, "organizations")
    kind = {"identifier": "quiz", "type": "imsqti_xmlv1p2", "href": "quiz.xml"}
    _under(_under(_under(manifest, "resources"), "resource", **kind), "file", href="quiz.xml")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        for name, root_of in (("imsmanifest.xml", manifest), ("quiz.xml", root)):
            package.writestr(zipfile.ZipInfo(name, LONG_AGO), _written(root_of), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def quiz_table(items: Iterable[QuizItem]) -> bytes:
    """Return the items as CSV, one row each: question, right answer, and the others."""
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(["lesson", "question", "right answer", "wrong answer", "wrong answer", "wrong answer"])
    for item in items:
        right, wrong = (
            [answer.say for answer in item.answers if answer.right is is_right] for is_right in (True, False)
        )
        writer.writerow([item.title, item.ask, *right, *wrong])
    return table.getvalue().encode("utf-8-sig")  # spreadsheets take it for Latin-1 else


QUIZ_FORMATS: Mapping[str, Callable[[Iterable[QuizItem]], bytes]] = {
    ".xml": moodle_xml,
    ".zip": qti_package,
    ".csv": quiz_table,
}


def _add_item(section: ET.Element, item: QuizItem) -> None:
    element = _under(section, "item", ident=item.name, title=item.title)
    field = _under(_under(_under(element, "itemmetadata"), "qtimetadata"), "qtimetadatafield")
    _under(field, "fieldlabel").text, _under(field, "fieldentry").text = "question_type", "multiple_choice_question"
    presentation = _under(element, "presentation")
    _material(presentation, item.ask)
    asked = _under(presentation, "response_lid", ident="answer", rcardinality="Single")
    choices = _under(asked, "render_choice", shuffle="Yes")
    scoring = _under(element, "resprocessing")
    score = {"varname": "SCORE", "vartype": "Decimal", "minvalue": "0", "maxvalue": WHOLE}
    _under(_under(scoring, "outcomes"), "decvar", **score)
    for answer in item.answers:
        _material(_under(choices, "response_label", ident=answer.key), answer.say)
        rule = _under(scoring, "respcondition", **{"continue": "No"})
        _under(_under(rule, "conditionvar"), "varequal", respident="answer").text = answer.key
        _under(rule, "setvar", action="Set", varname="SCORE").text = WHOLE if answer.right else "0"
        _under(rule, "displayfeedback", feedbacktype="Response", linkrefid=f"{answer.key}_feedback")
    for answer in item.answers:
        _material(_under(element, "itemfeedback", ident=f"{answer.key}_feedback"), answer.feedback)


def _under(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, tag, attributes)


def _text(parent: ET.Element, text: str) -> None:
    _under(parent, "text").text = text


def _material(parent: ET.Element, text: str) -> None:
    _under(_under(parent, "material"), "mattext", texttype="text/plain").text = text


def _written(root: ET.Element) -> bytes:
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content
