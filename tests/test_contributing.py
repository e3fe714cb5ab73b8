"""CONTRIBUTING's recipes, followed to the letter in a copy of the package and used on the page and the command line."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ddpm_demo

PACKAGE = Path(ddpm_demo.__file__).parent
GUIDE = PACKAGE.parent / "CONTRIBUTING.md"
# what may stand before a block of code, and so says where it goes
WHERE = re.compile(
    r"New\sfile\s`(?P<new>[^`]+)`"
    r"|Above\s`(?P<above>[^`]+)`\sin\s`(?P<path>[^`]+)`"
    r"|A\srow\sat\sthe\send\sof\s`(?P<table>\w+)`\sin\s`(?P<file>[^`]+)`"
)
USED = """
import contextlib, io, json, sys
from ddpm_demo.commands.parser import main

def said(*arguments):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(arguments) == 0, arguments
    return out.getvalue()

found = {"schedule": json.loads(said("schedule", "--kind", "quadratic", "--json"))["beta"][::111]}
found["command"] = json.loads(said("halves", "--json"))
said("sample", "--checkpoint", "tiny", "--n", "1", "--steps", "3", "--sampler", "renoise", "--out", sys.argv[1])

from ddpm_demo.ui.words.language import in_language, language
from ddpm_demo.ui.words.page import TITLE
from ddpm_demo.words.sentence import say
found["language"] = in_language([TITLE, say("How many steps, from 10 to {most}.", most=99)], language("eo"))

from ddpm_demo.ui.app import build_app
page = build_app()
found["page"] = page.get_config_file()["components"]
print(json.dumps(found))
"""


def recipes():
    """Return each block of code of the recipes, with the words before it that say where it goes."""
    text = GUIDE.read_text(encoding="utf-8")
    text = text[text.index("## Recipes") : text.index("### Smaller things")]
    found, end = [], 0
    for block in re.finditer(r"```\w+\n(.*?)```\n", text, re.DOTALL):
        places = list(WHERE.finditer(text[end : block.start()]))
        assert places, f"nothing says where this goes: {block[1][:80]}"
        found.append((places[-1].groupdict(), block[1]))
        end = block.end()
    return found


def follow(root, where, code):
    """Do what the guide says with one block of code."""
    if where["new"]:
        path = root / where["new"]
        assert not path.exists()
        path.write_text(code, encoding="utf-8")
        return
    path = root / (where["path"] or where["file"])
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if where["above"]:
        (at,) = [k for k, line in enumerate(lines) if line.startswith(where["above"])]
        gap = "\n\n" if code.startswith("def ") else ""
        lines.insert(at, code + gap)
    else:
        tables = [
            node
            for node in ast.parse("".join(lines)).body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            and getattr(node.targets[0] if isinstance(node, ast.Assign) else node.target, "id", "") == where["table"]
        ]
        lines.insert(tables[0].end_lineno - 1, code)
    path.write_text("".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package that has what every recipe adds."""
    root = tmp_path_factory.mktemp("contributed")
    shutil.copytree(PACKAGE, root / "ddpm_demo", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "assets").symlink_to(PACKAGE.parent / "assets", target_is_directory=True)
    for where, code in recipes():
        follow(root, where, code)
    return root


def test_every_recipe_is_there():
    text = GUIDE.read_text(encoding="utf-8")
    titles = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert titles == ["A sampler", "A schedule", "A tab", "A lesson", "A command", "A language", "Smaller things"]
    assert len(recipes()) == 12


def test_what_the_recipes_add_works_on_the_page_and_on_the_command_line(copy):
    out = copy / "digit.npz"
    command = [sys.executable, "-c", USED, str(out)]
    done = subprocess.run(command, cwd=copy, env={**os.environ, "PYTHONPATH": str(copy)}, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found = json.loads(done.stdout.decode().splitlines()[-1])

    roots = [1e-4**0.5 + (0.02**0.5 - 1e-4**0.5) * t / 999 for t in range(0, 1000, 111)]
    assert found["schedule"] == pytest.approx([root**2 for root in roots])
    assert set(found["command"]) == {"linear", "cosine", "quadratic"}
    assert found["command"]["linear"] == 259
    assert found["language"] == ["Kiel difuzo desegnas ciferon", "Kiom da paŝoj, de 10 ĝis 99."]
    assert out.exists()

    parts = {part["props"].get("elem_id"): part["props"] for part in found["page"]}
    assert parts["tab-halves"]["label"] == "Halves"
    assert parts["halves-view"]["value"] == {"t": found["command"]}
    for name in ("Renoise", "quadratic"):
        assert any(name in str(part["props"].get("choices")) for part in found["page"])
    assert "quadratic" in parts["noise-view"]["value"]["tables"]
    lessons = parts["lessons"]["value"]
    assert lessons["lessons"][-1]["title"] == "When is a tenth left?"
    assert lessons["test"]["before"][-1]["ask"] == "And when is a fifth left?"
    assert lessons["test"]["after"][-1]["ask"] == "And when is a twentieth left?"


def test_the_copy_still_follows_the_rules(copy):
    """What ruff says of the package it says of the recipes, too."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--config", str(PACKAGE.parent / "pyproject.toml"), "ddpm_demo"],
        cwd=copy,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_the_guide_names_every_package_and_the_house_keeps_its_levels():
    from tests.test_house import FLOORS

    rows = re.findall(r"^\| (\d) \| (?:`app.py`, )?`(\w+)/` \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)

    assert {name: int(level) for level, name in rows} == FLOORS
