"""The rules of the house: what may import what, what the core may know, and that every name has one home."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

import ddpm_demo
from ddpm_demo.ui.words.language import languages

PACKAGE = Path(ddpm_demo.__file__).parent
STATIC = PACKAGE / "ui" / "static"
# imports point down: a room knows its own floor's number and smaller ones, never a larger one
FLOORS = {
    "words": 0,
    "core": 0,
    "machine": 1,
    "store": 2,
    "drawings": 3,
    "networks": 3,
    "explaining": 4,
    "measuring": 4,
    "films": 4,
    "training": 5,
    "ui": 6,
    "bench": 7,
    "commands": 8,
}
CORE_LINES = 1100
# inside the page: what tabs and films share stands in parts, so that neither knows the other
APART = {"film": ("tabs", "lessons"), "tabs": ("film", "lessons"), "parts": ("tabs", "film", "lessons")}
OF_EVERY_COMMAND = {"SUMMARY", "add_arguments"}  # what the parser asks each file of `commands` for


def sources(room=None):
    return sorted((PACKAGE / room if room else PACKAGE).rglob("*.py"))


def is_module(name):
    place = PACKAGE.parent / name.replace(".", "/")
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def imports(path):
    """Every module that a file imports, anywhere in it, also for its types alone, or by a text that names it.

    `from a import b` counts as a.b where that is a module of ours; `importlib.import_module(f"a.b.{c}")` counts as a.b.
    """
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively: name the room"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in inner if is_module(name)}
            found |= modules | ({node.module} if len(modules) < len(inner) else set())
        elif isinstance(node, ast.Call) and name_of(node.func) in ("import_module", "__import__"):
            found.add(begin_of_text(path, node.args[0]))
    return found


def name_of(function):
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", None)


def begin_of_text(path, node):
    """What stands in a text, up to its first `{...}`, without the dot at its end."""
    first = node.values[0] if isinstance(node, ast.JoinedStr) else node
    assert isinstance(first, ast.Constant), f"{path} imports what nobody can read: name the module or its room"
    return first.value.rstrip(".")


def own(path):
    return {name for name in imports(path) if name.split(".")[0] == "ddpm_demo"}


def room_of(name):
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FLOORS else None


def test_no_way_of_importing_is_overlooked(tmp_path):
    path = tmp_path / "every_way.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "import importlib\n"
        "if TYPE_CHECKING:\n    import gradio as gr\n"
        "def late(name):\n"
        "    from ddpm_demo.core import model, DemoError\n"
        "    from ddpm_demo import ui\n"
        "    importlib.import_module('ddpm_demo.training.run')\n"
        "    importlib.import_module(f'ddpm_demo.commands.{name}')\n"
        "    return __import__('torch')\n"
    )
    found = {
        "typing", "importlib", "gradio", "ddpm_demo.core", "ddpm_demo.core.model", "ddpm_demo.ui",
        "ddpm_demo.training.run", "ddpm_demo.commands", "torch",
    }  # fmt: skip
    assert imports(path) == found
    for unreadable in ("import importlib; importlib.import_module(name)", "__import__(f'{room}.run')"):
        path.write_text(unreadable)
        with pytest.raises(AssertionError, match="nobody can read"):
            imports(path)
    path.write_text("from . import model")
    with pytest.raises(AssertionError, match="imports relatively"):
        imports(path)


def test_every_room_has_a_floor_and_every_file_a_room():
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms == set(FLOORS)
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py"}


@pytest.mark.parametrize("room", sorted(FLOORS))
def test_imports_point_down(room):
    for path in sources(room):
        for name in own(path):
            other = room_of(name)
            if other in (None, room):
                continue
            assert FLOORS[other] < FLOORS[room], f"{path.relative_to(PACKAGE)} imports {name}, which is not below it"


@pytest.mark.parametrize("part", sorted(APART))
def test_the_parts_of_the_page_do_not_know_each_other(part):
    for path in sources(f"ui/{part}"):
        others = {name for name in own(path) for other in APART[part] if name.startswith(f"ddpm_demo.ui.{other}")}
        assert not others, f"{path.relative_to(PACKAGE)} imports {', '.join(others)}: what they share goes to ui/parts"


def test_no_circle_of_imports():
    graph = {f"ddpm_demo.{'.'.join(p.relative_to(PACKAGE).with_suffix('').parts)}": own(p) for p in sources()}
    assert_no_circle(graph)


def assert_no_circle(graph):
    done, way = set(), []

    def visit(name):
        assert name not in way, " -> ".join([*way[way.index(name) :], name])
        if name in done or name not in graph:
            return
        way.append(name)
        for other in sorted(graph[name]):
            visit(other)
        way.pop()
        done.add(name)

    for name in sorted(graph):
        visit(name)


def test_no_circle_of_rooms():
    """Held by the floors, too; also if two rooms on one floor, or a room that has none yet, come to know each other."""
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert_no_circle(
        {room: {room_of(name) for path in sources(room) for name in own(path)} - {room, None} for room in rooms}
    )


def test_a_circle_would_be_found():
    with pytest.raises(AssertionError, match="a -> b -> a"):
        assert_no_circle({"a": {"b"}, "b": {"a"}})


def test_the_core_is_pytorch_and_the_standard_library():
    for path in sources("core"):
        foreign = {name.split(".")[0] for name in imports(path)} - set(sys.stdlib_module_names)
        assert foreign <= {"torch", "ddpm_demo", "_typeshed"}, path


def test_the_core_can_be_read_in_an_evening():
    assert sum(len(path.read_text().splitlines()) for path in sources("core")) <= CORE_LINES


def test_the_network_knows_no_schedule():
    assert own(PACKAGE / "core" / "model.py") == {"ddpm_demo.core.config"}


def test_gradio_lives_in_the_page_and_its_bench():
    users = {
        path.relative_to(PACKAGE).parts[0] for path in sources() if any(n.startswith("gradio") for n in imports(path))
    }
    assert users <= {"ui", "bench"}


def test_ray_lives_in_one_file():
    users = {str(path.relative_to(PACKAGE)) for path in sources() if any(n.startswith("ray") for n in imports(path))}
    assert users == {"films/cluster/ray_pool.py"}


def test_nobody_touches_the_global_generator():
    for path in sources():
        assert not re.search(r"torch\.(random\.)?(manual_seed|seed)\(|fork_rng", path.read_text()), path


@pytest.mark.parametrize("room", sorted(FLOORS))
def test_no_public_name_twice_in_a_room(room):
    homes = defaultdict(list)
    for path in sources(room):
        for node in ast.parse(path.read_text()).body:
            names = []
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names = [node.name]
            elif isinstance(node, ast.Assign):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names = [node.target.id]
            for name in names:
                if not name.startswith("_") and not (room == "commands" and name in OF_EVERY_COMMAND):
                    homes[name].append(str(path.relative_to(PACKAGE)))
    assert {name: paths for name, paths in homes.items() if len(paths) > 1} == {}


def test_importing_the_package_is_light():
    """The parser has every command's arguments, and `ddpm-demo --help` must not wait for PyTorch."""
    heavy = ("gradio", "matplotlib", "torchvision", "torch", "numpy", "PIL", "tqdm")
    code = (
        "import sys; from ddpm_demo.commands.parser import build_parser; build_parser(); "
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_nothing_but_the_page_loads_gradio():
    modules = [
        f"ddpm_demo.{'.'.join(p.relative_to(PACKAGE).with_suffix('').parts)}"
        for room in FLOORS
        if room not in ("ui", "bench")
        for p in sources(room)
        if p.stem != "__init__"
    ]
    code = f"import sys, importlib; [importlib.import_module(m) for m in {modules}]; print('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_page_is_built_without_pytorchs_compiler():
    """Its import takes seconds, and some operation on the meta device is enough to start it."""
    code = """
import sys, torch
from ddpm_demo.ui.app import build_app
build_app()
late = {"torch._dynamo", "sympy"}
if torch.__version__.startswith("2.5."):
    late.remove("sympy")  # it brings that itself
print(sorted(late & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_no_circle_among_the_browser_modules():
    graph = {}
    for path in STATIC.rglob("*.js"):
        named = re.findall(r'(?:from|import\()\s*"(\.[^"]+)"', path.read_text())
        others = {(path.parent / name).resolve() for name in named}
        assert all(other.is_file() for other in others), path
        graph[str(path)] = {str(other) for other in others}
    assert_no_circle(graph)


SPELLED_OTHERWISE = re.compile(r"\blearnt\b|(?<![\w/.])x_t\b(?![\[(.=])|\d%")  # learned, xₜ, 39.4 %
BESIDE = re.compile(r"`[^`]*`|\$?\{[^{}]*\}|\d+px.*")  # code, places of numbers, and a shadow's measures


def sentences(path):
    """The texts of a file that a visitor may read: strings with a space in Python and JavaScript, all else in full."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        tree = ast.parse(text)
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        first = [node.body[0] for node in ast.walk(tree) if isinstance(node, documented) and node.body]
        docstrings = {id(each.value) for each in first if isinstance(each, ast.Expr)}
        strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        return [each.value for each in strings if " " in each.value and id(each) not in docstrings]
    if path.suffix == ".js":
        code = "\n".join(line for line in text.splitlines() if not line.strip().startswith(("//", "*", "/*")))
        return [
            BESIDE.sub("", each)
            for each in re.findall(r'"[^"\n]*"', code) + re.findall(r"`([^`]*)`", code)
            if " " in each
        ]
    return [line for line in text.splitlines() if not re.match(r"\s*(x_t =|forms =|lesson =)", line)]


def test_one_spelling_everywhere():
    page = PACKAGE / "ui"
    files = [path for kind in ("py", "js", "toml") for path in page.rglob(f"*.{kind}")]
    files = [path for path in files if path not in languages().values()]  # which are not English
    told = [*PACKAGE.parent.glob("docs/*.md"), *PACKAGE.parent.glob("*.md")]
    faults = [
        f"{path.name}: {text[:80]}"
        for path in files
        for text in sentences(path)
        if SPELLED_OTHERWISE.search(BESIDE.sub("", text))
    ]
    for path in told:  # which write x_t as code has it
        text = BESIDE.sub("", path.read_text(encoding="utf-8"))
        faults += [f"{path.name}: {found}" for found in re.findall(r"\blearnt\b|\d%", text)]
    assert faults == []
    assert SPELLED_OTHERWISE.findall("learnt 3% of x_t") == ["learnt", "3%", "x_t"]
