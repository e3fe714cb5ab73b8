"""`ddpm-demo lab`: one file, which asks nobody for anything. What it does in a browser: tests/browser/test_lab.py."""

import base64
import datetime
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from ddpm_demo.commands.parser import main
from ddpm_demo.core.config import ModelConfig
from ddpm_demo.core.model import seeded_denoiser
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.films.film_job import FilmJob
from ddpm_demo.films.plan import film_plan
from ddpm_demo.store import checkpoint
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.ui.lab import bundle
from ddpm_demo.ui.lab.bundle import lab_style, one_script
from ddpm_demo.ui.lab.page import MOST_BYTES, lab_page

DATE = datetime.date(2026, 3, 1)


@pytest.fixture(scope="module")
def page():
    return lab_page("lite", DATE).decode()


class Elements(HTMLParser):
    """The elements of a page: (tag, attributes, text)."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes), ""))

    def handle_endtag(self, tag):
        self.found.append(("", {}, ""))  # what comes is not its text

    def handle_data(self, data):
        if self.found:
            tag, attributes, text = self.found[-1]
            self.found[-1] = (tag, attributes, text + data)

    def of(self, tag):
        return [(attributes, text) for name, attributes, text in self.found if name == tag]

    def text(self, id):
        return next(text for _, attributes, text in self.found if attributes.get("id") == id)


def test_it_fits_a_mail_and_asks_nobody(page):
    assert len(page.encode()) <= MOST_BYTES
    elements = Elements(page)
    assert not [each for each in elements.found if {"src", "href", "action", "srcset"} & set(each[1])]
    assert not [tag for tag, _, _ in elements.found if tag in ("link", "iframe", "object", "img", "base", "form")]
    (style,) = [text for _, text in elements.of("style")]
    assert "url(" not in style
    assert "@import" not in style
    addresses = set(re.findall(r"\b(?:https?|wss?):[^\"'`\s)]*", page))
    assert addresses <= {"http://www.w3.org/2000/svg"}, "no address but the name of SVG"


def test_its_policy_lets_in_its_own_script_alone(page):
    elements = Elements(page)
    (policy,) = [a["content"] for a, _ in elements.of("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "connect-src" not in rules  # so that it is the default's
    runs = [text for attributes, text in elements.of("script") if "type" not in attributes]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in runs]
    assert rules["script-src"] == f"'sha256-{digests[0]}' 'wasm-unsafe-eval'"
    assert len(digests) == 1


def test_it_is_the_same_but_for_its_date(page):
    again = lab_page("lite", datetime.date(2027, 12, 24)).decode()
    assert "Written on 1 March 2026" in page
    assert again.replace("24 December 2027", "1 March 2026") == page


def test_the_files_in_it_are_the_checkpoints(page):
    elements = Elements(page)
    for name in ("lite", "tiny"):
        content = shipped_checkpoints()[name].read_bytes()
        assert base64.b64decode(elements.text(f"file-{hashlib.sha256(content).hexdigest()}")) == content
    assert base64.b64decode(elements.text("file-net.wasm")).startswith(b"\0asm")


def unpacked(column, length, others):
    """Python's own reading of a column, beside the page's in static/lab/plans.js."""
    if isinstance(column, str):
        return others.get(column) or np.frombuffer(base64.b64decode(column), "<f8").tolist()
    return [column] * length


@pytest.mark.parametrize(
    ("title", "eta", "steps"),
    [
        ("DDPM, the spec's rule (σ² = β)", 0, 1000),
        ("DDPM, posterior variance", 0, 50),
        ("DDIM", 0.5, 20),
        ("DPM-Solver++(2M)", 0, 10),
        ("Heun (asks twice a step)", 0, 5),
    ],
)
def test_the_plans_in_it_are_those_of_the_table_of_samplers(page, title, eta, steps):
    facts = json.loads(Elements(page).text("lab-facts"))
    number = [row["title"] for row in facts["samplers"]].index(title)
    packed, t = facts["plans"][f"{number}/{eta:g}/{steps}"], facts["timesteps"][str(steps)]
    s = [*t[1:], -1]
    alpha_bar = np.frombuffer(base64.b64decode(facts["network"]["alpha_bar"]), "<f8")
    std = unpacked(packed["std"], steps, {})
    made = [{"t": t[k], "s": s[k], "std": std[k], "calls": []} for k in range(steps)]
    for call in packed["calls"]:
        columns = {name: unpacked(each, call["steps"], {"t": t, "s": s}) for name, each in call["columns"].items()}
        for k in range(call["steps"]):
            made[k]["calls"].append({name: values[k] for name, values in columns.items()})
    known = facts["samplers"][number]["settings"]
    kind = known["sampler"]
    config = SamplerConfig(kind, steps, known["variance"], known["final_noise"], "none", eta)
    expected = film_plan(FilmJob("", config, 1, 0), Schedule.from_config(ScheduleConfig()))["steps"]
    for step in expected:
        for call in step["calls"]:
            assert call.pop("alpha_bar") == alpha_bar[call["t"]]
            call.pop("std")
    assert made == expected


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lab.htm"], "must be a file name that ends in .html"),
        (["nowhere/lab.html"], "there is no directory"),
        (["lab.html", "--checkpoint", "none-such"], "no checkpoint 'none-such'"),
        (["lab.html", "--checkpoint", "full"], "more than the 2.5 MB"),
        (["lab.html", "--checkpoint", "ideal"], "an ideal is none"),
        (["nowhere/lab"], "there is no directory"),
        (["lab", "--no-lessons", "--lessons", "own.toml"], "give one of them"),
        (["lab.html", "--language", "xx"], "there is no catalogue of 'xx'"),
    ],
)
def test_what_cannot_be_written_gets_a_sentence(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["lab", *arguments]) in (1, 2)
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_network_of_ones_own(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    model = seeded_denoiser(ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16), seed=0)
    network = checkpoint.Checkpoint(model, ScheduleConfig(timesteps=100), Provenance())
    checkpoint.save(tmp_path / "mine.safetensors", network)
    assert main(["lab", "lab.html", "--checkpoint", "mine.safetensors", "--no-lessons"]) == 0
    assert capsys.readouterr().out.startswith("lab.html: ")
    facts = json.loads(Elements((tmp_path / "lab.html").read_text(encoding="utf-8")).text("lab-facts"))
    assert facts["network"]["checkpoint"] == "mine"
    assert facts["steps"] == [5, 10, 20, 50, 100]
    assert facts["guide"] is None


def test_a_folder_holds_what_the_file_does_and_any_network(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):  # an older one is written over
        assert main(["lab", "course", "--checkpoint", "full", "--no-lessons", "--language", "TR"]) == 0
        assert capsys.readouterr().out.endswith("MB in 11 files\n")
    content = shipped_checkpoints()["full"].read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert (tmp_path / "course" / f"{digest}.safetensors").read_bytes() == content
    page = Elements((tmp_path / "course" / "index.html").read_text(encoding="utf-8"))
    addresses = json.loads(page.text("lab-facts"))["files"].values()
    named = [*addresses, *(a.get("src") or a.get("href") for tag in ("script", "link") for a, _ in page.of(tag))]
    kept = json.loads(
        json.loads(re.search(r"JSON\.parse\((.*)\);", (tmp_path / "course" / "service_worker.js").read_text())[1])
    )
    for address in filter(None, named):
        name, version = address.split("?")
        assert hashlib.sha256((tmp_path / "course" / name).read_bytes()).hexdigest().startswith(version)
        assert address in kept["files"]
    assert '<html lang="tr" dir="ltr">' in (tmp_path / "course" / "index.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "course" / "manifest.webmanifest").read_text())["lang"] == "tr"
    assert 'globalThis.ddpmWords = {"code":"tr"' in (tmp_path / "course" / "lab.js").read_text(encoding="utf-8")
    (tmp_path / "lab").write_text("a file")
    assert main(["lab", "lab", "--no-lessons"]) == 1
    assert "it is a file" in capsys.readouterr().err


def test_modules_that_are_written_otherwise_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "STATIC", tmp_path)

    def scripts(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.js").write_text(text)
        return one_script("a.js")

    joined = scripts(a='import { one as two } from "./b.js";\nuse(two);\n', b="export const one = 1;\n")
    assert "const { one: two } = modules['b.js'];" in joined
    assert joined.index("const one = 1;") < joined.index("use(two);")
    with pytest.raises(AssertionError, match="circle"):
        scripts(b='import { x } from "./a.js";\nexport const one = 1;\n')
    with pytest.raises(AssertionError, match="exports are not read"):
        scripts(b="export const other = 0,\n  one = 1;\n")
    for unread in ('import * as all from "./c.js";', "export default 1;", "use(import.meta.url);"):
        with pytest.raises(AssertionError, match="not understood"):
            scripts(b=f"export const one = 1;\n{unread}\n")


def test_its_style_is_the_pages(page):
    style = lab_style()
    assert "--color-accent:#2563eb;" in style.split(".dark{")[0]
    names = set(re.findall(r"var\(--([a-z0-9-]+)\)", style))
    given = set(re.findall(r"--([a-z0-9-]+):", style)) | {"column", "columns", "place"}  # scripts set these
    assert names <= given
