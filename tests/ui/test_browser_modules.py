"""The page's JavaScript that needs no page, run under node: Python must agree, number by number."""

import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample, start_noise, to_uint8
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.explaining.flow import film_flow
from ddpm_demo.networks.loaded_networks import LoadedNetwork
from ddpm_demo.store import pictures
from ddpm_demo.ui.film.film_settings import FilmSettings
from ddpm_demo.ui.film.films import Films
from ddpm_demo.ui.link import read_link
from ddpm_demo.ui.parts.bridge import STATIC, base64_of
from ddpm_demo.ui.parts.digits import draw_noise, gallery_digit, noise_of, own_digit
from ddpm_demo.ui.parts.frames import grey_levels, packed
from ddpm_demo.ui.parts.schedules import custom_config, schedule_tables
from ddpm_demo.ui.tabs.noise import first_noise_value
from tests.ui.film_messages import film_messages


def test_numbers_travel_both_ways_bit_by_bit(node):
    awkward = np.array([0.0, -0.0, 1 / 3, -1e-42, 3e38, np.nan, np.inf, -np.inf])
    reply = node(
        """
        import { decodeBytes, decodeFloat32, decodeFloat64, encodeFloat32 } from "./static/bytes.js";
        const single = decodeFloat32(given.single);
        reply = {
            bytes: decodeBytes(given.bytes),
            single: new Uint32Array(single.buffer),
            double: Array.from(new BigUint64Array(decodeFloat64(given.double).buffer), String),
            back: encodeFloat32(single),
        };
        """,
        bytes=base64_of(np.arange(256, dtype=np.uint8)),
        single=base64_of(awkward.astype(np.float32)),
        double=base64_of(awkward),
    )
    assert reply["bytes"] == list(range(256))
    assert reply["single"] == awkward.astype("<f4").view("<u4").tolist()
    assert [int(each) for each in reply["double"]] == awkward.astype("<f8").view("<u8").tolist()
    assert reply["back"] == base64_of(awkward.astype(np.float32))


@pytest.mark.parametrize("bits", [8, 4])
def test_levels_are_inflated_to_what_python_deflated(node, generator, bits):
    pictures = torch.randn(3, 1, 28, 28, generator=generator)
    statements = (
        'import { inflateLevels } from "./static/bytes.js"; reply = await inflateLevels(given.text, given.bits);'
    )
    shown = node(statements, text=packed([pictures], bits), bits=bits)
    levels = np.frombuffer(grey_levels(pictures[:, 0], reach=1.0, bits=bits), np.uint8)
    if bits == 4:
        levels = np.stack([levels >> 4, levels & 15], axis=-1).ravel() * 17
    assert shown == levels.tolist()
    assert node(statements, text="", bits=bits) == []


def mulberry32(a):
    """The generator as its author, Tommy Ettinger, published it, in Python's integers."""
    word = 2**32 - 1
    while True:
        a = (a + 0x6D2B79F5) & word
        z = ((a ^ (a >> 15)) * (a | 1)) & word
        z ^= (z + (z ^ (z >> 7)) * (z | 61)) & word
        yield (z ^ (z >> 14)) / 2**32


def box_muller(seed):
    uniform = mulberry32(seed)
    while True:
        radius, angle = math.sqrt(-2 * math.log(1 - next(uniform))), 2 * math.pi * next(uniform)
        yield from (radius * math.cos(angle), radius * math.sin(angle))


def test_the_chains_random_numbers_are_normal_and_those_of_the_seed(node):
    reply = node(
        """
        import { normals } from "./static/tabs/chain.js";
        const first = normals(4294967290), many = normals(7);
        reply = { first: Array.from({ length: 9 }, first), many: Array.from({ length: 200000 }, many) };
        """
    )
    expected = box_muller(4294967290)
    assert reply["first"] == pytest.approx([next(expected) for _ in range(9)], rel=1e-12)
    values = np.array(reply["many"])
    assert abs(values.mean()) < 0.01
    assert abs(values.std() - 1) < 0.01
    assert abs((values**4).mean() - 3) < 0.1
    assert abs((values[:-1] * values[1:]).mean()) < 0.01


def test_the_chain_walks_by_equation_2(node, linear):
    x0 = [-1.0, 0.25, 1.0]
    reply = node(
        """
        import { walk } from "./static/tabs/chain.js";
        reply = [walk(given.x0, given.beta, 3, 5), walk(given.x0, [0, 0], 1, 5)];
        """,
        x0=x0,
        beta=linear.beta.tolist(),
    )
    noise, x = box_muller(5), list(x0)
    for beta in linear.beta[:4].tolist():
        x = [math.sqrt(1 - beta) * value + math.sqrt(beta) * next(noise) for value in x]
    assert reply == [pytest.approx(x, rel=1e-12), x0]


def test_the_histogram_is_a_density_and_its_ends_take_what_lies_beyond(node, generator):
    values = [*(2 * torch.randn(5000, generator=generator)).tolist(), 4.0, -4.0, 100.0, -100.0]
    bins = node('import { density } from "./static/tabs/histogram.js"; reply = density(given.values);', values=values)
    inside = np.clip(values, -4, np.nextafter(4, 0))
    expected, _ = np.histogram(inside, bins=40, range=(-4, 4), density=True)
    assert bins == pytest.approx(expected.tolist(), rel=1e-9)
    assert sum(bins) * 8 / 40 == pytest.approx(1)


def test_a_value_is_as_grey_as_python_paints_it(node):
    values = [*np.linspace(-1.2, 1.2, 997).astype(np.float32).tolist(), -1.0, 0.0, 1.0]
    statements = 'import { grey } from "./static/paint.js"; reply = given.values.map((v) => grey(v));'
    difference = np.array(node(statements, values=values)) - to_uint8(torch.tensor(values)).numpy().astype(int)
    assert np.abs(difference).max() <= 1  # float32 here, float64 there: a value between two levels may fall to either
    assert (difference != 0).mean() < 0.02


def test_grids_are_nearly_square(node):
    statements = 'import { gridOf } from "./static/paint.js"; reply = [1, 5, 16].map((n) => gridOf(n, 28));'
    one, five, sixteen = (SimpleNamespace(**grid) for grid in node(statements))
    assert (one.columns, one.rows, one.width, one.height) == (1, 1, 28, 28)
    assert (five.columns, five.rows, five.width, five.height) == (3, 2, 88, 58)
    assert (sixteen.columns, sixteen.width) == (4, 118)


def test_numbers_and_durations_read_as_people_write_them(node):
    reply = node(
        """
        import { duration, number } from "./static/dom.js";
        reply = [number(-1.23456), number(0.5, 1), duration(89), duration(90), duration(5400)];
        """
    )
    assert reply == ["−1.235", "0.5", "89 s", "1.5 minutes", "1.5 hours"]


STATE = 'import { mixture, readValue, state, update } from "./static/state.js";'


def test_the_pages_mixture_is_pythons_x_t(node, linear):
    value = {"digit": gallery_digit(7, 5), "noise": noise_of(3), "tables": schedule_tables(), "t": 420}
    shown = node(f"{STATE} update(readValue(given.value)); reply = mixture();", value=value)
    x0 = torch.from_numpy(np.array(node(f"{STATE} reply = readValue(given.value).digit.x0;", value=value)))
    expected = linear.add_noise(x0.float().view(1, 1, 28, 28), 420, draw_noise(3)).flatten()
    torch.testing.assert_close(torch.tensor(shown), expected, rtol=1e-6, atol=1e-6)


def test_t_stays_inside_the_chosen_schedule(node):
    reply = node(
        f"""{STATE}
        update(readValue({{ tables: given.tables, t: 900 }}));
        const seen = [[state.schedule, state.t]];
        update({{ schedule: "custom" }});
        seen.push([state.schedule, state.t]);
        update({{ schedule: "nonsense" }});
        seen.push([state.schedule, state.t]);
        reply = seen;
        """,
        tables=schedule_tables(custom_config(0.001, 0.05, 200)),
    )
    assert reply == [["linear", 900], ["custom", 199], ["linear", 199]]


LINK = (
    STATE
    + """
    import { beginLink, mount, writeLink } from "./static/link.js";
    globalThis.location = { href: "http://127.0.0.1:7860/?__theme=dark&t=1&pixel=0-0&film=x" };
    globalThis.dispatchEvent = () => true;
    globalThis.history = { state: null, replaceState(_, title, url) { reply = Object.fromEntries(url.searchParams); } };
    const props = { value: null };
    let told = null;
    mount({ querySelector: () => ({ replaceChildren() {} }) }, props, (_, run) => { told = run; });
    update(readValue({ ...given.first, tables: given.tables }));
    beginLink();
    if (given.value) update(readValue(given.value)); // by a link, or by a hand that is quicker than Python
    writeLink();
    if (reply !== null) throw new Error("a link was written before Python had read the address");
    props.value = { read: true };
    told();
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (given.then) { update(readValue(given.then)); writeLink(); }
    """
)


def ordinary():
    return {"digit": gallery_digit(3, 17), "noise": noise_of(42), "t": 150, "schedule": "linear"}


def test_a_screen_that_is_as_it_was_needs_no_words(node):
    assert node(LINK, first=first_noise_value(), tables=schedule_tables()) is None


def test_what_was_changed_before_python_had_read_the_address_is_written_after(node):
    query = node(LINK, value={"t": 160}, first=first_noise_value(), tables=schedule_tables())
    assert query["t"] == "160"
    query = node(LINK, value={"t": 160}, then={"t": 161}, first=first_noise_value(), tables=schedule_tables())
    assert query["t"] == "161"


def test_a_link_says_what_is_not_as_it_was_at_first(node):
    query = node(LINK, value=ordinary(), first=first_noise_value(), tables=schedule_tables())
    assert query == {
        "__theme": "dark",
        "film": "x",
        "digit": "3-17",
        "seed": "42",
        "t": "150",
        "schedule": "linear",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": "custom"},
        {"pixel": {"row": 3, "col": 20}, "stage": "time", "dilations": [1, 2, 81]},
        {"digit": own_digit(np.arange(784, dtype=np.uint16).reshape(28, 28).astype(np.uint8))},
    ],
)
def test_python_reads_what_the_page_writes(node, changes):
    value, custom = {**ordinary(), **changes}, custom_config(0.001, 0.05, 200)
    query = node(LINK, value=value, first=first_noise_value(), tables=schedule_tables(custom))
    link = read_link(query)
    assert link.note == ""
    assert link.view == value
    assert link.seed == 42
    if "custom" in query:
        assert link.custom == custom


def test_the_films_messages_become_its_frames(node, tiny, linear):
    from ddpm_demo.machine.device import answering_placement

    small = LoadedNetwork(tiny, linear, answering_placement(), None)
    wanted = FilmSettings("lite", sampler="ddim", clip="none", steps=6, n=3, seed=5)
    messages = list(film_messages(small, wanted, Films()))
    reply = node(
        """
        import { digitBytes, film, onFilm, receiveMessage } from "./static/film/film_state.js";
        let fresh = 0;
        onFilm((changes) => { fresh += changes.fresh; });
        given.messages.forEach((message) => receiveMessage(message)); // as they come: nobody waits for the one before
        await receiveMessage(given.messages.at(-1));
        const { note } = film, words = [];
        for (const [made, steps, seconds, left] of [[0, 10, 0, 0], [3, 10, 0.6, 7], [10, 10, 2, 0], [1, 1, 0.5, 0]]) {
            await receiveMessage({ ...given.messages.at(-1), progress: { made, steps, seconds, left } });
            words.push(film.note);
        }
        reply = { fresh, done: film.done, t: film.steps.map((step) => step.t), note, words,
            frames: film.frames.map((frame, k) => [0, 1, 2].map((digit) => digitBytes(k, "x_t", digit))) };
        """,
        messages=messages,
    )
    generator = torch.Generator().manual_seed(5)
    x_T = start_noise(3, 1, 28, generator)
    steps = list(sample(small.model, linear, SamplerConfig(kind="ddim", steps=6), x_T, generator=generator))
    pictures = [*(step.x_t for step in steps), steps[-1].x_s]
    assert (reply["fresh"], reply["done"]) == (1, 1)
    assert re.fullmatch(r"6 steps in [\d.]+ s of computing, \d+ ms a step, [\d.]+ images/s", reply["note"])
    assert reply["words"] == [
        "the network is at its first step",
        "step 3 of 10, 200 ms a step, 1.50 images/s, about 7 s left",
        "10 steps in 2.0 s of computing, 200 ms a step, 1.50 images/s",
        "1 step in 0.5 s of computing, 500 ms a step, 6.00 images/s",
    ]
    assert reply["t"] == [*(step.t for step in steps), -1]
    expected = np.stack([to_uint8(picture[:, 0]).numpy() for picture in pictures])
    np.testing.assert_array_equal(np.reshape(reply["frames"], (7, 3, 28, 28)), expected)


def test_a_schedule_of_ones_own_has_the_same_alpha_bar_on_both_sides(node):
    statements = f"{STATE} reply = readValue({{ tables: given.tables }}).tables.cosine.alphaBar;"
    cosine = Schedule.from_config(ScheduleConfig(kind="cosine"))
    assert node(statements, tables=schedule_tables()) == cosine.alpha_bar.tolist()


@pytest.mark.parametrize("clip", ["none", "x0"])
def test_a_film_of_the_devices_flows_as_python_says(node, tiny, linear, clip):
    generator = torch.Generator().manual_seed(5)
    x_T = start_noise(2, 1, 28, generator)
    config = SamplerConfig("ddim", steps=6, eta=0.5, clip=clip)
    steps = list(sample(tiny, linear, config, x_T, generator=generator))
    reply = node(
        """
        import { filmFlow } from "./static/flow.js";
        const steps = given.steps.map((step) => ({ ...step, x_t: Float32Array.from(step.x_t),
            x0_hat: Float32Array.from(step.x0_hat), x_s: Float32Array.from(step.x_s) }));
        reply = filmFlow(steps, 2);
        """,
        steps=[
            {"alpha_bar_t": linear.alpha_bar_at(step.t), "alpha_bar_s": linear.alpha_bar_at(step.s)}
            | {name: getattr(step, name).flatten().tolist() for name in ("x_t", "x0_hat", "x_s")}
            for step in steps
        ],
    )
    flow = film_flow(linear, steps)
    for name in ("times", "turn", "detour", "flow_detour"):
        assert reply[name] == pytest.approx(getattr(flow, name).tolist(), rel=1e-9), name
    assert reply["off_euler"] == pytest.approx(flow.off_euler, rel=1e-6)


@pytest.mark.parametrize("sheet", sorted(STATIC.rglob("*.css")), ids=lambda sheet: sheet.name)
def test_what_safari_knows_only_by_its_prefix_stands_with_it(sheet):
    text = sheet.read_text(encoding="utf-8")
    for name in ("user-select", "backdrop-filter"):
        for found in re.finditer(rf"(?<!-){name}: ([^;}}]+)", text):
            assert text[: found.start()].rstrip().endswith(f"-webkit-{name}: {found[1]};"), found[0]


def test_the_page_has_one_palette():
    """Python's, JavaScript's and the style sheets' are the same, and no other file has a colour of it of its own."""
    names = {name: getattr(pictures, name) for name in ("BLUE", "ORANGE", "GREEN", "GREY")}
    script, sheet = ((STATIC / name).read_text(encoding="utf-8") for name in ("palette.js", "palette.css"))
    assert dict(re.findall(r'export const (\w+) = "(#\w+)";', script)) == names
    drawn, meant = sheet.split("/* one colour for one thing", 1)
    assert {name.upper(): value for name, value in re.findall(r"--ddpm-(\w+): (#\w+);", drawn)} == names
    others = [path for path in STATIC.rglob("*.[cj]s*") if path.stem != "palette"]
    assert len(others) > 60
    for path in others:
        code = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        assert not [value for value in names.values() if value.lower() in code.lower()], path.name
    for block, ground in zip(re.findall(r"\{(.*)\}", meant), ("#ffffff", "#1f2937"), strict=True):
        shades = dict(re.findall(r"--ddpm-(\w+): (#\w+);", block))
        assert set(shades) == {"picture", "noise", "guess", "mine"}
        for name, shade in shades.items():
            assert contrast(shade, ground) >= 4.5, (name, ground)


def contrast(colour, ground):
    """The contrast of two colours such as #0072B2 (WCAG 2.2, relative luminance)."""

    def luminance(text):
        parts = [int(text[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(colour), luminance(ground)))
    return (high + 0.05) / (low + 0.05)
