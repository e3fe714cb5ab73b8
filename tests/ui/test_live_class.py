"""A class that guesses together: who counts, what counts, and forty who answer while the host looks."""

import asyncio
import json
from collections import Counter

import pytest
from starlette.applications import Starlette

from ddpm_demo.core.config import ConfigError, DemoError
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.ui.lessons import live as live_module
from ddpm_demo.ui.lessons.class_routes import CLASS_PATH, NOT_THE_TEACHER, POST_BYTES, class_routes
from ddpm_demo.ui.lessons.classroom import DONT_KNOW, Classroom
from ddpm_demo.ui.lessons.entry import shipped_lessons
from ddpm_demo.ui.lessons.lesson import Choice, PredictionTask, Question
from ddpm_demo.ui.lessons.live import CLASS_ENDED, NO_CLASS, TOO_MANY_TRIES, TRIES, TRY_SECONDS, LiveClass
from ddpm_demo.ui.lessons.tally import TallyRow, tally
from ddpm_demo.ui.parts.host import Host
from tests.event_loop import wait_for

CHOICES = (Choice("a", "A thing"), Choice("b", "B thing"), Choice("c", "C thing"))


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def classroom():
    return Classroom(shipped_lessons(), shipped_checkpoints())


@pytest.fixture
def live(classroom):
    live = LiveClass(classroom, "I don't know", Clock())
    live.open()
    return live


def post(routes, path, body, *, kind="application/json", client="10.0.0.1"):
    """Send a post to routes, as a browser at an address sends it, and return the JSON that comes back."""
    return wait_for(apost(Starlette(routes=routes), path, body, kind=kind, client=client))


async def apost(app, path, body, *, kind="application/json", client="10.0.0.1"):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http"}
    scope |= {"path": f"{CLASS_PATH}/{path}", "raw_path": b"", "query_string": b"", "root_path": ""}
    scope |= {"headers": [(b"content-type", kind.encode())], "client": (client, 1), "server": ("here", 80)}
    sent = []

    async def receive():
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    assert sent[0]["status"] == 200
    return json.loads(b"".join(message.get("body", b"") for message in sent))


# what is counted


def test_choices_are_counted_and_the_truth_is_marked_only_when_it_is_laid_over():
    asked = Question("?", "", {}, CHOICES)
    rows = tally(asked, ["b", "b", "a", DONT_KNOW], also=[(DONT_KNOW, "no idea")])
    assert rows == [
        TallyRow("A thing", 0.25, "1"),
        TallyRow("B thing", 0.5, "2"),
        TallyRow("C thing", 0.0, "0"),
        TallyRow("no idea", 0.25, "1"),
    ]
    assert [row.truth for row in tally(asked, ["b"], "c")] == [False, False, True]
    assert [row.share for row in tally(asked, [])] == [0, 0, 0]


def test_marks_fall_into_tenths_of_the_scale_both_ends_included():
    asked = PredictionTask("?", "", {}, kind="mark", low=0, high=999)
    values = [0, 99.8, 99.95, 500, 999]
    rows = tally(asked, values, 999.0)
    assert [row.reading for row in rows] == ["2", "1", "0", "0", "0", "1", "0", "0", "0", "1"]
    assert [k for k, row in enumerate(rows) if row.truth] == [9]
    assert sum(row.share for row in rows) == pytest.approx(1)
    assert [k for k, row in enumerate(tally(asked, [], 2000.0)) if row.truth] == [9]


def test_of_an_order_the_first_place_is_counted():
    asked = PredictionTask("?", "", {}, CHOICES, kind="rank")
    rows = tally(asked, [["a", "b", "c"], ["a", "c", "b"], ["c", "a", "b"]], ["c", "b", "a"])
    assert [(row.reading, row.truth) for row in rows] == [("2", False), ("0", False), ("1", True)]


def test_of_curves_the_mean_shape_is_shown():
    asked = PredictionTask("?", "", {}, kind="curve")
    rows = tally(asked, [[0.0] * 9 + [50.0], [100.0] * 10], [1.0] * 5 + [2.0] * 5)
    assert [row.share for row in rows] == [0.5] * 9 + [1]
    assert [row.truth for row in rows] == [0.5] * 5 + [1] * 5
    assert [row.share for row in tally(asked, [[0.0] * 10])] == [0] * 10


# who counts


def test_the_last_answer_of_a_member_counts_and_nobody_elses(live):
    ada, ben = live.join(live.code, "x"), live.join(f" {live.code.lower()} ", "y")
    live.take(ada, "predict 5-step", 50)
    live.take(ada, "predict 5-step", 3.5)
    live.take(ben, "predict 5-step", 99)
    assert [row["reading"] for row in live.rows("predict 5-step")] == ["1", *["0"] * 8, "1"]
    assert live.standing() == {"code": live.code, "members": 2, "answers": {"predict 5-step": 2}}
    for stranger in ("", None, [ada], "x" * 16):
        with pytest.raises(DemoError, match=CLASS_ENDED):
            live.take(stranger, "predict 5-step", 1)
    live.take(ada, "before 0", DONT_KNOW)
    assert live.rows("before 0")[-1] == {"label": "I don't know", "share": 1.0, "reading": "1", "truth": False}


def test_only_answers_to_the_lessons_questions_are_taken(live):
    member = live.join(live.code, "x")
    wrong = [("predict 5-step", value) for value in (-1, 101, "50", None, True, [50], {"a": 1}, float("nan"))]
    wrong += [("question 5-step", value) for value in ("", "most", 1, ["more"], DONT_KNOW, "x" * 10_000)]
    wrong += [("before 99", "more"), (None, 1), (["predict 5-step"], 1)]
    for name, value in wrong:
        with pytest.raises(ConfigError):
            live.take(member, name, value)
    for name, each in live.questions.items():  # and to each of them one is
        asked, keys = each.asked, [choice.key for choice in each.asked.choices]
        kind = asked.kind if isinstance(asked, PredictionTask) else "choice"
        of = asked.low if kind == "mark" else [1] * 10
        live.take(member, name, {"choice": keys[:1], "rank": [keys]}.get(kind, [of])[0])
        assert sum(row["reading"] == "1" for row in live.rows(name)) == (kind != "curve")
    assert len(live.standing()["answers"]) == len(live.questions)


def test_a_code_is_found_only_by_trying_and_that_is_limited(live):
    for _ in range(TRIES):
        with pytest.raises(DemoError, match=NO_CLASS):
            live.join("WRONG", "stranger")
    with pytest.raises(DemoError, match=TOO_MANY_TRIES):
        live.join(live.code, "stranger")
    live.join(live.code, "another address")
    live._tries._clock.now = TRY_SECONDS
    live.join(live.code, "stranger")
    for code in ("", None, 7, [live.code], "É" * 6, "\ud800"):
        with pytest.raises(DemoError, match=NO_CLASS):
            live.join(code, f"{code!r}")


def test_a_class_that_ends_forgets_and_another_has_another_code(live, monkeypatch):
    code, member = live.code, live.join(live.code, "x")
    live.take(member, "before 0", DONT_KNOW)
    live.close()
    assert live.standing() == {"code": "", "members": 0, "answers": {}}
    for given in (code, ""):
        with pytest.raises(DemoError, match=NO_CLASS):
            live.join(given, "x")
    live.open()
    assert live.code != code
    with pytest.raises(DemoError, match=CLASS_ENDED):
        live.take(member, "before 0", DONT_KNOW)
    monkeypatch.setattr(live_module, "MOST_MEMBERS", 2)
    live.join(live.code, "x")
    live.join(live.code, "x")
    with pytest.raises(DemoError, match="full"):
        live.join(live.code, "x")


# the routes


def test_nobody_but_the_host_sees_or_opens_a_class(classroom):
    live, host = LiveClass(classroom), Host(alone=False)
    routes = class_routes(live, host)
    for action in ("open", "close", "look"):
        assert post(routes, "host", {"action": action, "keys": ["x"]}) == {"error": NOT_THE_TEACHER}
    assert live.code == ""
    asked = {"keys": [host.key], "questions": True}
    opened = post(routes, "host", {**asked, "action": "open"})
    assert opened["code"] == live.code
    assert {each["name"] for each in opened["questions"]} == set(live.questions)
    assert "error" in post(routes, "host", {**asked, "action": "dance"})
    assert "rows" not in post(routes, "host", {**asked, "action": "look", "question": "before 0"})
    member = post(routes, "join", {"code": live.code})["member"]
    assert post(routes, "answer", {"member": member, "question": "before 0", "value": DONT_KNOW}) == {}


def test_what_is_no_short_json_is_refused_in_a_sentence(classroom):
    routes = class_routes(LiveClass(classroom), Host())
    assert post(routes, "join", {"code": "X"}, kind="text/plain")["error"] == "a question to a class is JSON"
    for body in (b"", b"{", b"[" * 5000, b"\xff"):
        assert post(routes, "join", body)["error"] == "a question to a class is JSON"
    assert "at most" in post(routes, "join", b" " * (POST_BYTES + 1))["error"]
    assert post(routes, "join", [1])["error"] == "a question needs names for its values"


def test_forty_students_answer_while_the_host_looks_at_one_histogram(classroom):
    """Each changes the mind once; in between the host looks, first without the truth."""
    live, host = LiveClass(classroom), Host(alone=False)
    app, name, keys = Starlette(routes=class_routes(live, host)), "predict 1-vanish", [host.key]
    look = {"keys": keys, "action": "look", "question": name, "guesses": True}
    guesses = [(37 * k) % 1000 for k in range(40)]

    async def student(k, code):
        member = (await apost(app, "join", {"code": code}, client=f"10.0.0.{k}"))["member"]
        for value in (999 - guesses[k], guesses[k]):
            await asyncio.sleep(0)
            assert await apost(app, "answer", {"member": member, "question": name, "value": value}) == {}

    async def lesson():
        code = (await apost(app, "host", {"keys": keys, "action": "open"}))["code"]
        students = [asyncio.create_task(student(k, code)) for k in range(40)]
        counts = []
        while not all(task.done() for task in students):
            seen = await apost(app, "host", look)
            assert not any(row["truth"] for row in seen["rows"])
            counts.append(sum(int(row["reading"]) for row in seen["rows"]))
            await asyncio.sleep(0)
        await asyncio.gather(*students)
        return counts, await apost(app, "host", {**look, "truth": True})

    counts, revealed = wait_for(lesson())
    assert counts == sorted(counts)  # a mind that is changed is no second student
    assert (revealed["members"], revealed["answers"]) == (40, {name: 40})
    expected = Counter(min(9, int(10 * value / 999)) for value in guesses)
    assert [int(row["reading"]) for row in revealed["rows"]] == [expected[k] for k in range(10)]
    assert [row["truth"] for row in revealed["rows"]].index(True) == int(10 * revealed["right"] / 999)
