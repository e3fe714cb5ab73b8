"""What a stranger gets: the requirements, the assets, the folder as a Space."""

import importlib.metadata
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.build import build_wheel

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


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "assets/mnist/README.md",
        "assets/checkpoints/README.md",
        "assets/classifiers/README.md",
    ],
)
def test_every_file_that_a_text_names_is_there(page):
    text = (ROOT / page).read_text()
    for name in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (ROOT / page).parent.joinpath(name).exists(), name
