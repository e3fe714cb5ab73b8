"""How a film comes to the page: by a stream, or by short questions where something holds streams back."""

import json

import pytest

# A clock that is moved by hand, a server that answers as it is told, and how the page is asked.
WORLD = """
const realSoon = setImmediate;
let now = 0, timers = [], ids = 0;
globalThis.setTimeout = (run, wait = 0) => { timers.push({ id: ++ids, at: now + wait, run }); return ids; };
globalThis.clearTimeout = (id) => { timers = timers.filter((timer) => timer.id !== id); };
const settle = async () => { for (let k = 0; k < 20; k++) await new Promise((resolve) => realSoon(resolve)); };
async function pass(milliseconds) {
    const end = now + milliseconds;
    await settle();
    for (;;) {
        const due = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
        if (!due) break;
        timers = timers.filter((timer) => timer !== due);
        now = due.at;
        due.run();
        await settle();
    }
    now = end;
}
const asked = [];
let answer = () => { throw new TypeError("no server"); };
globalThis.fetch = async (address, options = {}) => {
    const url = new URL(address, "http://page");
    asked.push({ at: now, method: options.method ?? "GET", accept: options.headers?.Accept ?? null,
        ...Object.fromEntries(url.searchParams) });
    return answer(url.searchParams.get("after"));
};
const Channel = BroadcastChannel;
globalThis.BroadcastChannel = class extends Channel { constructor(name) { super(name); this.unref(); } };
const text = (...events) => new Response(events.join(""));
const event = (name, data, id) =>
    `${id ? `id: ${id}\\n` : ""}${name === "message" ? "" : `event: ${name}\\n`}data: ${JSON.stringify(data)}\\n\\n`;
const { film } = await import("./static/film/film_state.js");
const { closeServerFilm: closeFilm, openServerFilm: openFilm } = await import("./static/film/film_stream.js");
const said = [];
let ended = 0;
const generate = async () => {
    openFilm(["tiny"], { say: (words) => said.push(words), ended: () => { ended += 1; } });
    await pass(100); // the other pages have been asked
};
const wire = () => streams.at(-1);
"""


def message(k):
    step = {"t": 9 - k, "alpha_bar": 0.5, "sigma": 0.1}
    return {"run": "a", "seed": 1, "n": 1, "size": 28, "frames": 3, "bits": 8, "first": k, "steps": [step]} | {
        "x_t": "",
        "x0_hat": "",
        "eps_hat": "",
        "progress": {"made": k, "steps": 2, "seconds": 0.5, "left": 1.5},
        "done": (k + 1) / 3,
    }


@pytest.fixture
def told(page):
    """Return a function that runs statements in such a world."""
    messages = json.dumps([message(k) for k in range(3)])
    return lambda statements: page(f"{WORLD}\nconst messages = {messages};\n{statements}")


def test_a_stream_that_speaks_is_left_alone(told):
    reply = told(
        """
        await generate();
        wire().say("here", {});
        await pass(2900);
        messages.forEach((data, k) => wire().say("message", data, `m-${k}`));
        await pass(11000);
        wire().say("over", {});
        await pass(0);
        reply = { asked, ended, said, streams: streams.length, frames: film.frames.length, done: film.done };
        """
    )
    assert reply == {"asked": [], "ended": 1, "said": [], "streams": 1, "frames": 3, "done": 1}


def test_a_stream_that_is_held_back_for_three_seconds_becomes_short_questions(told):
    reply = told(
        """
        await generate();
        const queue = [
            text(event("here", {}), event("message", messages[0], "m-0")),
            text(event("here", {}), event("place", { before: 0, films: 1, seconds: null, trouble: "" })),
            text(event("here", {}), event("message", messages[1], "m-1"), event("message", messages[2], "m-2")),
            text(event("here", {}), event("over", {})),
        ];
        answer = () => queue.shift();
        await pass(2800);
        const early = asked.length;
        await pass(200);
        const first = { asked: asked.length, frames: film.frames.length, stream: wire().readyState };
        await pass(5000);
        const second = streams.length;
        queue.push(text(event("here", {}), event("message", messages[0], "n-0"), event("over", {})));
        await generate();
        reply = { early, first, ended, said, accepts: asked.map((each) => each.accept), done: film.done,
            after: asked.map((each) => each.after ?? null), polls: asked.map((each) => each.poll),
            gaps: asked.slice(1, 4).map((each, k) => each.at - asked[k].at), more: streams.length - second };
        """
    )
    assert reply["early"] == 0
    assert reply["first"] == {"asked": 1, "frames": 1, "stream": 2}
    assert reply["after"] == [None, "m-0", "m-0", "m-2", None]
    assert reply["polls"] == ["1"] * 5
    assert reply["accepts"] == ["text/event-stream"] * 5
    assert max(reply["gaps"]) <= 1000
    assert reply["ended"] == 2
    assert reply["said"] == []
    assert reply["more"] == 0  # what held one stream back is not tried again


def test_a_stream_that_falls_silent_is_gone_on_from_where_it_was(told):
    reply = told(
        """
        await generate();
        wire().say("message", messages[0], "m-0");
        const rest = [event("message", messages[1], "m-1"), event("message", messages[2], "m-2"), event("over", {})];
        answer = () => text(...rest);
        await pass(11000);
        const early = asked.length;
        await pass(5000);
        reply = { early, asked: asked.map((each) => each.after), ended, frames: film.frames.length, said };
        """
    )
    assert reply == {"early": 0, "asked": ["m-0"], "ended": 1, "frames": 3, "said": []}


def test_a_server_that_dies_is_missed_by_those_who_once_stood_in_line_as_by_all_others(told):
    """Those were excused for good: the page said nothing and Generate stayed off."""
    reply = told(
        """
        await generate();
        wire().say("full", { place: 1, note: "Your place in line is 1." });
        wire().cut(0); // its answer ends, and the browser asks again by itself
        const inLine = [...said];
        wire().say("here", {});
        wire().say("message", messages[0], "m-0");
        wire().cut(0);
        const missed = [...said];
        answer = () => new Response("", { status: 404 });
        wire().cut(2);
        await pass(0);
        reply = { inLine, missed, said, ended };
        """
    )
    assert reply["inLine"] == ["Your place in line is 1."]
    assert reply["missed"][1:] == ["The server does not answer; this page keeps asking."]
    assert reply["said"][2:] == ["The server did not give this film: reload the page."]
    assert reply["ended"] == 1


@pytest.mark.parametrize(("state", "ended"), [(0, 0), (2, 1)])
def test_a_server_that_dies_is_missed_by_those_who_still_stand_in_line(told, state, ended):
    reply = told(
        f"""
        await generate();
        wire().say("full", {{ place: 1, note: "Your place in line is 1." }});
        wire().cut(0);
        answer = () => new Response("", {{ status: 404 }});
        wire().cut({state});
        await pass(0);
        reply = {{ said: said.length, ended }};
        """
    )
    assert reply == {"said": 2, "ended": ended}


def test_a_stream_whose_type_a_proxy_has_taken_off_becomes_short_questions(told):
    reply = told(
        """
        await generate();
        answer = () => text(event("here", {}), ...messages.map((data, k) => event("message", data, `m-${k}`)),
            event("over", {}));
        wire().cut(2); // a browser reads no stream of another type
        await pass(0);
        reply = { asked: asked.map((each) => each.poll), ended, said, frames: film.frames.length, done: film.done };
        """
    )
    assert reply == {"asked": ["1"], "ended": 1, "said": [], "frames": 3, "done": 1}


def test_a_login_page_in_the_place_of_events_is_no_film(told):
    reply = told(
        """
        await generate();
        answer = () => new Response("<html>Log in</html>", { headers: { "Content-Type": "text/html" } });
        wire().cut(2);
        await pass(60000);
        reply = { asked: asked.filter((each) => each.poll).length, ended, said };
        """
    )
    assert reply == {"asked": 1, "ended": 1, "said": ["The server did not give this film: reload the page."]}


def test_in_line_by_short_questions_the_page_comes_back_when_it_was_told_to(told):
    reply = told(
        """
        await generate();
        answer = () => text("retry: 5000\\n\\n", event("full", { place: 1, note: "wait" }));
        await pass(12900);
        const times = asked.map((each) => each.at);
        answer = () => { throw new TypeError("no server"); };
        await pass(1000);
        const dead = [...said];
        answer = () => new Response("", { status: 404 });
        await pass(5000);
        reply = { gaps: times.slice(1).map((at, k) => at - times[k]), dead, last: said.at(-1), ended };
        """
    )
    assert reply["gaps"] == [5000]
    assert reply["dead"] == ["wait", "wait", "The server does not answer; this page keeps asking."]
    assert reply["last"] == "The server did not give this film: reload the page."
    assert reply["ended"] == 1


def test_one_event_that_makes_no_sense_costs_none_of_the_next(told):
    reply = told(
        """
        await generate();
        wire().say("place", null);
        const broken = new Event("message");
        Object.assign(broken, { data: "{", lastEventId: "m-0" });
        wire().dispatchEvent(broken);
        wire().say("message", messages[1], "m-1");
        wire().say("over", {});
        await pass(0);
        reply = { frames: Object.keys(film.frames), ended };
        """
    )
    assert reply == {"frames": ["1"], "ended": 1}


def test_a_closed_film_asks_no_more_and_lets_the_server_know(told):
    reply = told(
        """
        answer = () => text(event("here", {}));
        await generate();
        await pass(4000);
        const before = asked.length;
        closeFilm();
        await pass(60000);
        reply = { before, after: asked.slice(before).map((each) => each.method), ended };
        """
    )
    assert reply["before"] > 0
    assert reply["after"] == ["DELETE"]
    assert reply["ended"] == 0


def test_three_pages_of_a_browser_have_a_stream_and_the_next_gets_one_when_one_is_given_back(page):
    """Seven pages of one browser: six streams would be all of its connections, and the seventh would stay white."""
    reply = page(
        """
        const Channel = BroadcastChannel;
        globalThis.BroadcastChannel = class extends Channel { constructor(name) { super(name); this.unref(); } };
        const pages = [];
        for (let k = 0; k < 7; k++) pages.push(await import(`./static/streams.js?page=${k}`));
        const taken = [];
        for (const one of pages) taken.push(await one.takeStream());
        pages[1].giveStream();
        reply = { taken, next: [await pages[5].takeStream(), await pages[6].takeStream()] };
        """
    )
    assert reply == {"taken": [True] * 3 + [False] * 4, "next": [True, False]}
