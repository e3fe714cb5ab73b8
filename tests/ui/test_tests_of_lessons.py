"""The page's three tests without a browser: what is kept, checked and said of them, and the link to the third."""

import random

import pytest

from ddpm_demo.ui.lessons.entry import page_words
from ddpm_demo.ui.lessons.lesson import WHEN

DAY = 86_400_000
ITEMS = 12
TAKEN = """
    const store = { value: JSON.stringify(given.kept ?? null) };
    globalThis.localStorage = { getItem: () => store.value, setItem: (_, text) => { store.value = text; } };
    globalThis.sessionStorage = { getItem: () => null };
    globalThis.navigator ??= {};
    globalThis.location = { href: "http://a.example/b/?lesson=3#c", pathname: "/b/" };
    const memory = await import("./static/lessons/memory.js");
    const { makeTest } = await import("./static/lessons/test.js");
    const { scoreWords } = await import("./static/lessons/sheet.js");
    memory.recall();
    const { words } = given, asked = [];
    const all = (element, tag) => (element.children ?? []).flatMap(
        (child) => [...(child.tagName === tag ? [child] : []), ...all(child, tag)]);
    const server = { check_test: async ({ when, item, answer }) => {
        asked.push(when);
        return { correct: answer === "right", right: "right", words: "" };
    } };
    const choices = ["right", "one", "two"].map((key) => ({ key, say: key }));
    const items = Array.from({ length: given.items }, (_, k) => ({ ask: `${k}?`, choices }));
    const tests = Object.fromEntries(memory.TESTS.map((when) => [when, items]));
    async function take(when, right) {
        const test = makeTest({ tests, dontKnow: "?", when, words, server, onScore() {} });
        right.forEach((answer, item) => {
            const place = all(test.element, "div").find((each) => each.dataset.item === String(item));
            const radio = all(place, "input").find((each) => each.value === answer);
            radio.dispatchEvent(new Event("change"));
        });
        const count = asked.length;
        find(test.element, "submit").click();
        await until(() => asked.length >= count && (memory.scoreOf(when) !== undefined || when === "before"));
        return test.element;
    }
"""


@pytest.fixture(scope="module")
def taken(page):
    """Return a function that runs statements where tests can be taken, with what this browser has kept."""
    words = page_words()
    return lambda statements, **given: page(TAKEN + statements, words=words, items=ITEMS, **given)


def record(score, lessons, days):
    return {
        "answers": {},
        "kept": True,
        "score": score,
        "total": ITEMS,
        "chance": 4,
        "lessons": lessons,
        "at": days * DAY,
    }


def said_of(taken, *cases):
    """Return what is said of each case: the records of the three tests, None for one that this browser has not."""
    kept = [
        {"lessons": {}, "test": {when: each for when, each in zip(WHEN, case, strict=True) if each}} for case in cases
    ]
    return taken(
        """
        reply = given.cases.map((kept) => {
            store.value = JSON.stringify(kept);
            memory.recall();
            return scoreWords(words);
        });
        """,
        cases=kept,
    )


def test_what_stayed_is_said_with_the_days_since_and_only_where_it_is_known(taken):
    first, second = record(4, 0, 0), record(10, 5, 1)
    untimed = {name: value for name, value in second.items() if name != "at"}  # by a page of earlier days
    said, all_of_it, nothing, no_lesson, one_more, no_better, elsewhere, old = said_of(
        taken,
        (first, second, record(8, 5, 11.5)),
        (first, second, record(12, 5, 9)),
        (first, second, record(2, 5, 9)),
        (record(4, 5, 0), second, record(8, 5, 9)),
        (first, second, record(11, 6, 9)),
        (first, record(4, 5, 1), record(3, 5, 9)),
        (None, None, record(8, 0, 9)),
        (first, untimed, record(8, 5, 9)),
    )
    assert said == [
        "Before the lessons: 4 of 12 right.",
        "After the lessons: 10 of 12 right.",
        "In the third test: 8 of 12 right.",
        "Whoever guesses at random gets about 4 of 12.",
        "Days between the second test and the third: 10.",
        "Of what was left to learn, you have learned 75 % (normalised gain 0.75, Hake 1998).",
        "Right answers added by the lessons: 6. Of these, 4 have stayed until the third test.",
    ]
    assert "Of these, 6 have stayed" in all_of_it[-1]
    assert "Of these, 0 have stayed" in nothing[-1]
    assert any("finished no lesson" in sentence for sentence in no_lesson)
    assert any("finished another lesson" in sentence for sentence in one_more)
    assert not any("have stayed" in sentence for sentence in (*no_lesson, *one_more, *no_better))
    assert elsewhere == ["In the third test: 8 of 12 right.", "Whoever guesses at random gets about 4 of 12."]
    assert not any("Days" in sentence for sentence in old)
    assert "Of these, 4 have stayed" in old[-1]


def test_random_answers_to_all_three_show_no_gain(taken):
    draw = random.Random(0)
    runs = [[[draw.choice(("right", "one", "two", "?")) for _ in range(ITEMS)] for _ in WHEN] for _ in range(20)]
    said = taken(
        """
        reply = [];
        for (const run of given.runs) {
            memory.forgetAll();
            for (const [k, when] of memory.TESTS.entries()) await take(when, run[k]);
            reply.push(scoreWords(words).join(" "));
        }
        """,
        runs=runs,
    )
    for text, run in zip(said, runs, strict=True):
        for score in (answers.count("right") for answers in run):
            assert f"{score} of {ITEMS} right" in text
        assert "finished no lesson" in text
        assert "normalised gain" not in text
        assert "have stayed" not in text


def test_the_second_offers_a_link_to_the_third_which_checks_itself_alone(taken):
    reply = taken(
        """
        const right = Array(given.items).fill("right"), none = Array(given.items).fill("?");
        const before = await take("before", none);
        const asked_before = [...asked];
        const after = await take("after", right);
        const link = find(after, "later-offer") && all(find(after, "later-offer"), "input")[0].value;
        const asked_after = [...new Set(asked)];
        asked.length = 0;
        const later = await take("later", right);
        const fresh = () => makeTest({ tests, dontKnow: "?", when: "later", words, server, onScore() {} }).element;
        const here = fresh().textContent.includes(words.later_elsewhere);
        const said = later.textContent.includes(scoreWords(words).join(" "));
        memory.forgetAll();
        const elsewhere = fresh().textContent.includes(words.later_elsewhere);
        reply = { offered: Boolean(find(before, "later-offer")), link, asked_before, asked_after,
                  asked_later: [...new Set(asked)], here, elsewhere, again: Boolean(find(later, "later-offer")),
                  said };
        """
    )
    assert reply == {
        "offered": False,
        "link": "http://a.example/b/?test=later",
        "asked_before": [],
        "asked_after": ["before", "after"],
        "asked_later": ["later"],
        "here": False,
        "elsewhere": True,
        "again": False,
        "said": True,
    }
