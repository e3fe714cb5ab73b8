"""Parts of the page that stand in node: what students press and draw, and what happens when something fails."""

import zlib
from base64 import b64encode

from ddpm_demo.core.samplers import SAMPLERS


def levels(*values):
    """Pictures of 28x28 of one grey level each, deflated as Python sends them."""
    return b64encode(zlib.compress(b"".join(bytes([value]) * 784 for value in values))).decode()


def race_message(k, x_t):
    lanes = [{"name": "DDIM", "calls": 3, "contrast": None}]
    return {"n": 1, "size": 28, "lanes": lanes, "lane": 0, "first": k, "t": [9 - k], "x_t": x_t} | {
        "calls": k + 1,
        "seconds": 1.0,
        "done": (k + 1) / 3,
    }


def test_a_race_goes_on_after_a_message_that_cannot_be_read(page):
    reply = page(
        """
        globalThis.BroadcastChannel = undefined; // there is no other page
        const { mount } = await import("./static/film/race.js");
        const element = component(), { props, watch, tell } = fromPython(null);
        mount(element, props, watch);
        tell({ run: "a" });
        await until(() => streams.length);
        given.messages.forEach((message, k) => streams[0].say("message", message, String(k)));
        await until(() => element.querySelector("progress").value === 1);
        const canvas = element.querySelector("canvas"), slider = element.querySelector("input");
        const pixel = () => canvas.getContext().painted.data[0];
        const last = { t: canvas.dataset.t, pixel: pixel(), note: element.querySelector(".ddpm-note").textContent };
        slider.value = "0";
        slider.dispatchEvent(new Event("input"));
        reply = { last, first: { t: canvas.dataset.t, pixel: pixel() }, max: slider.max,
            done: element.querySelector("progress").value, open: streams[0].readyState, address: streams[0].address };
        streams[0].say("refused", { error: "there is no more of it" });
        streams[0].say("over", {});
        await until(() => element.querySelector(".ddpm-note").textContent.startsWith("There is no more of it."));
        tell({ run: "a" }); // another press
        await until(() => streams.length === 2);
        streams[1].say("message", given.messages[0], "0");
        await until(() => element.querySelector("progress").value < 1);
        tell({ stop: 1 });
        reply.stopped = streams[1].readyState;
        """,
        messages=[race_message(0, levels(10)), race_message(1, "bm8="), race_message(2, levels(30))],
    )
    assert reply["last"]["t"] == "7"
    assert reply["last"]["pixel"] == 30
    assert "could not be read" in reply["last"]["note"]
    assert reply["first"] == {"t": "9", "pixel": 10}
    assert (reply["max"], reply["done"]) == ("1", 1)
    assert (reply["open"], reply["stopped"]) == (1, 2)
    assert reply["address"] == "/ddpm/run?run=a"


def film_message(k, x_t):
    step = {"t": 9 - k, "alpha_bar": 0.5, "sigma": 0.1}
    return {"run": "a", "seed": 1, "n": 1, "size": 28, "frames": 3, "bits": 8, "first": k, "steps": [step]} | {
        "x_t": x_t,
        "x0_hat": "",
        "eps_hat": "",
        "progress": {"made": k, "steps": 2, "seconds": 0.5, "left": 1.5},
        "done": (k + 1) / 3,
    }


def test_a_film_goes_on_after_a_message_that_cannot_be_read(page):
    reply = page(
        """
        import { allReceived, digitBytes, film, onFilm, receiveMessage } from "./static/film/film_state.js";
        let told = 0;
        onFilm(() => { throw new Error("a part of the page that fails"); });
        onFilm(() => { told += 1; });
        given.messages.forEach((message) => receiveMessage(message));
        await allReceived();
        reply = { told, done: film.done, fault: film.fault, frames: Object.keys(film.frames),
            last: digitBytes(2, "x_t", 0)[0] };
        """,
        messages=[film_message(0, levels(10)), film_message(1, "bm8="), film_message(2, levels(30))],
    )
    assert reply["frames"] == ["0", "2"]
    assert (reply["done"], reply["last"]) == (1, 30)
    assert "could not be read" in reply["fault"]
    assert reply["told"] == 3  # two messages and the fault, though another listener fails each time


def walk_message(k, **more):
    return {"checkpoint": "tiny", "jumps": 1, "calls": 3, "seconds": 1.0, "difference": 0} | {
        "x_t": levels(*[10 * k] * 4),
        "first": k,
        "t": 1 - k,
        "done": (k + 1) / 3,
        **more,
    }


def test_a_completion_ends_though_a_message_of_it_cannot_be_read(page):
    reply = page(
        """
        globalThis.BroadcastChannel = undefined; // there is no other page
        const { state } = await import("./static/state.js");
        state.digit = { x0: new Float32Array(784), name: "a digit", link: [] };
        const { mount } = await import("./static/film/completion.js");
        const element = component(), { props, watch, tell } = fromPython(given.value);
        const sent = [];
        const complete_digit = async (question) => { sent.push(question.checkpoint); return { run: "a" }; };
        mount(element, props, watch, { complete_digit });
        const go = find(element, "go"), stop = find(element, "stop");
        go.click();
        await until(() => streams.length);
        given.messages.forEach((message, k) => streams[0].say("message", message, String(k)));
        streams[0].say("over", {});
        await until(() => !go.disabled);
        const words = element.querySelector(".ddpm-completion").children.map((child) => child.textContent).join(" ");
        reply = { sent, canStop: !stop.disabled, words };
        tell({ checkpoint: "full" });
        go.click();
        await until(() => streams.length === 2);
        stop.click();
        reply.stopped = streams[1].readyState;
        """,
        value={
            "checkpoint": "tiny",
            "masks": {"lower half": b64encode(bytes(784)).decode()},
            "n": 4,
            "most": 4,
            "jumps": 1,
        },
        messages=[
            walk_message(0),
            walk_message(1, x_t="bm8="),
            walk_message(2),
            {"classes": [3, 3, 3, 8], "of_x0": 3, "accuracy": 0.99},
        ],
    )
    assert reply["sent"] == ["tiny", "full"]
    assert reply["stopped"] == 2
    assert not reply["canStop"]
    assert "three of the four as a 3" in reply["words"]
    assert "could not be read" in reply["words"]


def test_plotlys_script_is_asked_for_again_when_it_could_not_be_had(page):
    reply = page(
        """
        const { makeChart } = await import("./static/chart.js");
        let observed;
        globalThis.IntersectionObserver = class {
            constructor(run) { observed = run; }
            observe() { observed([{ isIntersecting: true }]); }
        };
        globalThis.MutationObserver = class { observe() {} };
        globalThis.Plotly = { react: async (place) => { place.layout = {}; } };
        const asked = [];
        document.head.append = (script) => {
            asked.push(script.attributes.src);
            setTimeout(() => script.dispatchEvent(new Event(asked.length === 1 ? "error" : "load")), 0);
        };
        const chart = makeChart();
        const drawing = { figure: { data: [], layout: {} }, plotly: "/plotly.js", label: "a chart" };
        const first = await chart.draw(drawing).then(() => "drawn", () => "failed");
        reply = [first, await chart.draw(drawing).then(() => "drawn", () => "failed"), asked];
        """
    )
    assert reply == ["failed", "drawn", ["/plotly.js", "/plotly.js"]]


def test_a_formula_is_set_as_mathematics_and_read_as_it_is_written(page):
    """Brackets: `[...]` is a root's content, `<above|below>` a fraction; what is out of sight is left out."""
    texts = [rule.formula for rule in SAMPLERS.values()] + [
        "x̂₀ = (x_t − √(1 − ᾱ_t) ε̂) / √ᾱ_t, clipped to [−1, 1]",
        "x = xₜ / (√ᾱₜ + √(1 − ᾱₜ)), after 12 / 16 of the digit's way",
        "never closed: √(1 − (x, and never opened: x) / 2",
        "ε̂′ at s √",
    ]
    reply = page(
        """
        const { formula } = await import("./static/maths.js");
        const { h } = await import("./static/dom.js");
        const seen = (node) => {
            if (typeof node === "string") return node;
            if (node.tagName === "svg" || node.classes.has("ddpm-unseen")) return "";
            const parts = node.children.map(seen), inside = parts.join("");
            if (node.classes.has("ddpm-root")) return `√[${inside}]`;
            return node.classes.has("ddpm-fraction") ? `<${parts[0]}|${parts[2]}>` : inside;
        };
        const of = (node) =>
            node.dataset?.of ? [[node.textContent, node.dataset.of]] : (node.children ?? []).flatMap(of);
        reply = given.texts.map((text) => {
            const all = h("p", {}, ...formula(text));
            return { written: all.textContent, seen: seen(all), meanings: of(all) };
        });
        """,
        texts=texts,
    )
    assert [each["written"] for each in reply] == texts
    clean, flow, broken, bare = reply[-4:]
    assert clean["seen"] == "x̂₀ = <xt − √[1 − ᾱt] ε̂|√[ᾱt]>, clipped to [−1, 1]"
    assert clean["meanings"] == [["x̂₀", "guess"], ["ε̂", "guess"]]
    assert flow["seen"] == "x = <xₜ|√[ᾱₜ] + √[1 − ᾱₜ]>, after <12|16> of the digit's way"
    assert broken["seen"] == "never closed: √[(1 − <x, and never opened: x|2>]"
    assert bare["seen"] == "ε̂′ at s √"
    ddpm = dict(zip(texts, reply, strict=False))[SAMPLERS["ddpm"].formula]
    assert ddpm["seen"] == "xs = <xt − <β|√[1 − ᾱt]> ε̂|√[1 − β]> + σ z"
    assert ddpm["meanings"] == [["ε̂", "guess"], ["z", "noise"]]


def test_a_zip_is_read_message_by_message_and_what_was_left_out_is_named(page):
    reply = page(
        """
        globalThis.BroadcastChannel = undefined; // there is no other page
        globalThis.FileReader = class {
            readAsDataURL() { this.result = "data:;base64,AAAA"; setTimeout(() => this.onload()); } };
        const { makePictureFiles } = await import("./static/tabs/picture_files.js");
        const asked = [], added = [], said = [];
        const server = { read_zip: async (question) => { asked.push(question); return { run: "a" }; } };
        const files = makePictureFiles({ mostBytes: 9, mostZip: 9, server, tell: (text) => said.push(text),
            add: (text) => added.push(text), most: 100, count: () => added.length, changed() {} });
        files.input.files = [{ name: "signs.zip", size: 5 }];
        files.input.dispatchEvent(new Event("change"));
        await until(() => streams.length);
        streams[0].say("message", { pixels: "one", n: 1, faults: [["b.png", "no picture"]], done: 2, total: 4 }, "0");
        const half = files.bar.value;
        streams[0].say("refused", { error: "the rest is spoilt" });
        streams[0].say("over", {});
        await until(() => files.bar.hidden);
        reply = { asked, added, half, said, faults: files.faults.children.map((child) => child.textContent) };
        """,
    )
    assert reply["asked"] == [{"file": "AAAA"}]
    assert (reply["added"], reply["half"]) == (["one"], 0.5)
    assert reply["faults"] == ["b.png: no picture", "signs.zip: the rest is spoilt"]
    assert reply["said"][-1].startswith("1 picture was added")
