"""The lessons' test as other programs read it: each file through a parser that did not write it."""

import csv
import io
import zipfile
from dataclasses import replace
from xml.dom import minidom

import pytest

from ddpm_demo.commands.parser import main
from ddpm_demo.ui.lessons.entry import shipped_lessons
from ddpm_demo.ui.lessons.quiz import QuizItem, moodle_xml, qti_package, quiz_items, quiz_table
from ddpm_demo.ui.lessons.truths import TRUTHS, compute_truth
from ddpm_demo.ui.lessons.workplace import Workplace

FORMULA = 'Is β₁ = 0.0001 < √(1 − ᾱ)? 2:1, {a} ~ =50% \\(x_t\\) & "so" *on* <b>'


@pytest.fixture(scope="module")
def items():
    """What needs no network, and once more with everything in it that is markup somewhere."""
    lessons = [each for each in shipped_lessons() if each.test and not TRUTHS[each.test.truth].network]
    made = list(quiz_items(lessons, Workplace({}), "before"))
    answers = tuple(replace(answer, say=f"{FORMULA} {answer.key}", feedback=FORMULA) for answer in made[0].answers)
    return [*made, QuizItem("formula", FORMULA, FORMULA, answers)]


def texts(node, tag):
    return ["".join(part.data for part in found.childNodes) for found in node.getElementsByTagName(tag)]


def as_asked(items):
    """Question, its answers and their remarks, and which is right."""
    return [
        (item.ask, {a.say: a.feedback for a in item.answers}, [a.say for a in item.answers if a.right])
        for item in items
    ]


def test_each_item_has_the_one_answer_that_is_true(items):
    for lesson, item in zip(
        (each for each in shipped_lessons() if each.name in {i.name for i in items}), items, strict=False
    ):
        truth = compute_truth(Workplace({}), lesson.test.truth, lesson.test.arguments)
        assert [answer.key for answer in item.answers if answer.right] == [truth.right]
        assert not any("{" in answer.feedback for answer in item.answers)
    assert len(items) > 4


def test_moodles_questions_are_those_of_the_lessons(items):
    first, *questions = minidom.parseString(moodle_xml(items)).getElementsByTagName("question")
    assert first.getAttribute("type") == "category"
    read = []
    for question in questions:
        assert question.getAttribute("type") == "multichoice"
        answers = question.getElementsByTagName("answer")
        shown = dict(texts(answer, "text") for answer in answers)
        right = [texts(answer, "text")[0] for answer in answers if answer.getAttribute("fraction") == "100"]
        read.append((texts(question.getElementsByTagName("questiontext")[0], "text")[0], shown, right))
    assert read == as_asked(items)
    formats = {
        node.getAttribute("format") for node in minidom.parseString(moodle_xml(items)).getElementsByTagName("answer")
    }
    assert formats == {"plain_text"}


def test_the_package_holds_the_same_and_scores_the_right_answer_alone(items):
    content = qti_package(items)
    assert content == qti_package(items)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        manifest = minidom.parseString(package.read("imsmanifest.xml"))
        (named,) = manifest.getElementsByTagName("file")
        quiz = minidom.parseString(package.read(named.getAttribute("href")))
    read = []
    for item in quiz.getElementsByTagName("item"):
        labels = {
            label.getAttribute("ident"): texts(label, "mattext")[0]
            for label in item.getElementsByTagName("response_label")
        }
        remarks = {
            remark.getAttribute("ident"): texts(remark, "mattext")[0]
            for remark in item.getElementsByTagName("itemfeedback")
        }
        shown, right = {}, []
        for rule in item.getElementsByTagName("respcondition"):
            (key,), (score,) = texts(rule, "varequal"), texts(rule, "setvar")
            (link,) = rule.getElementsByTagName("displayfeedback")
            shown[labels[key]] = remarks[link.getAttribute("linkrefid")]
            right += [labels[key]] if score == "100" else []
        read.append((texts(item.getElementsByTagName("presentation")[0], "mattext")[0], shown, right))
    assert read == as_asked(items)


def test_the_table_has_a_row_for_each_question(items):
    head, *rows = csv.reader(io.StringIO(quiz_table(items).decode("utf-8-sig"), newline=""))
    assert head[1:3] == ["question", "right answer"]
    for row, (ask, shown, right) in zip(rows, as_asked(items), strict=True):
        assert row[1:3] == [ask, *right]
        assert set(row[2:]) == set(shown)


def test_another_ending_is_refused(tmp_path, capsys):
    assert main(["quiz", str(tmp_path / "quiz.gift")]) != 0
    assert "must end in .xml, .zip, .csv" in capsys.readouterr().err
