"""What a stranger gets: the requirements, the assets, the folder as a Space."""

import gzip
import importlib.metadata
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from hatchling.build import build_wheel

from ddpm_demo.commands.jupyter import server_process
from ddpm_demo.commands.parser import build_parser
from ddpm_demo.ui.parts.bridge import static_url
from ddpm_demo.ui.ready_files import ASK_AGAIN

try:
    import tomllib
except ImportError:  # Python 3.10: pytest brings the same by its old name
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent


def normal(requirement):
    name, bounds = re.fullmatch(r"([\w-]+)(.*)", requirement.replace(" ", "")).groups()
    return name, frozenset(bounds.split(","))


def test_requirements_txt_is_the_projects_own_list():
    listed = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert {normal(r) for r in listed} == {normal(r) for r in declared}


def test_app_py_has_a_demo_that_a_space_can_launch():
    code = "import app, gradio; assert isinstance(app.demo, gradio.Blocks); print('ok')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "ok"


@pytest.mark.parametrize(
    ("variables", "status", "sentence"),
    [
        ({"DDPM_DEMO_CACHE": "~nobody-here/x"}, 2, "names the home directory of an unknown user"),
        ({"DDPM_DEMO_CACHE": os.devnull}, 1, "cannot write to the cache"),
        ({"GRADIO_SERVER_PORT": "http"}, 2, "the environment variable GRADIO_SERVER_PORT must be a whole number"),
    ],
)
def test_app_py_says_in_one_sentence_what_is_wrong(variables, status, sentence):
    environment = {**os.environ, **variables}
    command = [sys.executable, "app.py", "--quiet"] if status == 1 else [sys.executable, "-c", "import app"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1), done.stderr
    assert sentence in done.stderr


@pytest.fixture
def space(tmp_path):
    """The folder as a Space's container has it: code that nobody may write, in a folder with any name."""
    folder = tmp_path / "Übung #3, 50 % (a&b)?"
    wanted = ["ddpm_demo", "assets/mnist", "assets/checkpoints", "assets/classifiers"]
    for name in wanted:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", folder)
    for path in [*folder.rglob("*"), folder]:
        path.chmod(path.stat().st_mode & ~0o222)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)


@pytest.mark.skipif(os.name != "posix", reason="a Space is a Linux container")
def test_app_py_runs_as_a_space(space, tmp_path):
    """No home, nothing to write to but the cache, and the host and port that the container's variables name."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GRADIO", "HF_", "XDG"))}
    kept.pop("PYTHONPATH", None)
    environment = {
        **kept,
        "HOME": os.devnull + "/none",
        "SYSTEM": "spaces",
        "SPACE_ID": "ada/diffusion",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_NUM_PORTS": "1",
        "GRADIO_ANALYTICS_ENABLED": "True",
        "GRADIO_ALLOW_FLAGGING": "never",
        "PORT": "1",
        "PYTHONUNBUFFERED": "1",
        "DDPM_DEMO_CACHE": str(tmp_path / "cache"),
    }

    def files():
        return {path for path in space.rglob("*") if "__pycache__" not in path.parts}

    before = files()
    command = [sys.executable, "app.py", "--no-training"]
    with (tmp_path / "errors").open("w+") as errors:
        server = subprocess.Popen(
            command, cwd=space, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, encoding="utf-8"
        )
        try:
            line = server.stdout.readline()
            assert f"open http://localhost:{port}/" in line, (tmp_path / "errors").read_text()
            # Gradio's hot reloading on Spaces wants the page as `demo` in the program itself
            assert "not found in __main__" not in line
            page = f"http://127.0.0.1:{port}/"
            module = static_url(space / "ddpm_demo/ui/static/tabs/noise.js")
            assert module[1:].encode() in urllib.request.urlopen(page).read()
            assert b"export function mount" in urllib.request.urlopen(page + module[1:]).read()
            zipped = urllib.request.Request(page + module[1:], headers={"Accept-Encoding": "gzip"})
            with urllib.request.urlopen(zipped) as answer:
                assert b"export function mount" in gzip.decompress(answer.read())
                assert answer.headers["cache-control"] == ASK_AGAIN
            settings = quote(json.dumps({"checkpoint": "lite", "sampler": "ddim", "steps": 5, "n": 1}))
            film = urllib.request.urlopen(f"{page}ddpm/film?settings={settings}").read().decode()
            assert film.count("\nid: ") >= 2, film
            assert "event: over" in film
            assert "event: refused" not in film
        finally:
            server.terminate()
            server.communicate(timeout=60)
    assert files() == before


def test_git_never_takes_a_binary_file_for_text():
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("this is no git checkout")
    names = [name for name in tracked.stdout.split("\0") if name and (ROOT / name).is_file()]
    command = ["git", "check-attr", "-z", "--stdin", "binary"]
    asked = subprocess.run(command, cwd=ROOT, input="\0".join(names), capture_output=True, text=True, check=True)
    parts = asked.stdout.split("\0")
    marked = {name for name, value in zip(parts[::3], parts[2::3], strict=False) if value == "set"}
    assert marked == {name for name in names if b"\0" in (ROOT / name).read_bytes()[:8000]}


def test_the_readmes_header_is_a_spaces_header():
    header = (ROOT / "README.md").read_text().split("---")[1]
    fields = dict(line.split(": ", 1) for line in header.strip().splitlines())
    assert fields["sdk"] == "gradio"
    assert (ROOT / fields["app_file"]).is_file()
    assert fields["sdk_version"].split(".")[0] == importlib.metadata.version("gradio").split(".")[0]


def test_the_wheel_carries_assets_and_browser_modules(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)  # as pip calls it, by PEP 517
    built = tmp_path / build_wheel(str(tmp_path))
    with zipfile.ZipFile(built) as archive:
        names = set(archive.namelist())
    for path in [*(ROOT / "assets/mnist").glob("*.gz"), *(ROOT / "assets").glob("c*/*.safetensors")]:
        assert f"ddpm_demo/{path.relative_to(ROOT).as_posix()}" in names
    for path in (ROOT / "ddpm_demo/ui/static").rglob("*.*"):
        assert path.relative_to(ROOT).as_posix() in names


def test_jupyter_finds_the_page_and_how_to_start_it():
    """What jupyter-server-proxy does with the entry point: it loads, calls, fills in the port, and starts that."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [normal(r)[0] for r in project["optional-dependencies"]["jupyter"]] == ["jupyter-server-proxy"]
    ((name, value),) = project["entry-points"]["jupyter_serverproxy_servers"].items()
    entry = importlib.metadata.EntryPoint(name, value, "jupyter_serverproxy_servers")
    process = entry.load()()
    assert set(process) == {"command", "environment", "timeout", "launcher_entry"}  # all of them in 4.1.2 and 4.6.0
    program, _, package, *rest = [part.format(port=50321) for part in process["command"]]
    assert (program, package) == (sys.executable, "ddpm_demo")
    arguments = build_parser().parse_args(rest)
    assert (arguments.command, arguments.port, arguments.host) == ("app", 50321, None)
    icon = ElementTree.parse(process["launcher_entry"]["icon_path"]).getroot()
    assert icon.tag == "{http://www.w3.org/2000/svg}svg"
    assert process["timeout"] >= 60


def test_jupyters_page_is_not_started_with_the_files_of_a_notebooks_folder(tmp_path):
    (tmp_path / "argparse.py").write_text("raise SystemExit('shadowed')")
    process = server_process()
    environment = {**os.environ, **process["environment"], "PYTHONPATH": str(ROOT)}
    command = [*process["command"][:3], "--version"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    if sys.version_info >= (3, 11):  # older ones do not know PYTHONSAFEPATH
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "docs/measurements.md",
        "docs/serving.md",
        "assets/mnist/README.md",
        "assets/checkpoints/README.md",
        "assets/classifiers/README.md",
    ],
)
def test_every_file_that_a_text_names_is_there(page):
    text = (ROOT / page).read_text()
    for name in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (ROOT / page).parent.joinpath(name).exists(), name
