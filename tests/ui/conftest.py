"""What runs the page's JavaScript modules without a page."""

import json
import os
import re
import shutil
import subprocess

import pytest

from ddpm_demo.ui.parts.bridge import STATIC

OLDEST = 18  # before it there is no DecompressionStream
# JSON has no NaN and no typed arrays
REPLY = "process.stdout.write(JSON.stringify(reply, (_, v) => ArrayBuffer.isView(v) ? Array.from(v) : v));"


@pytest.fixture(scope="session")
def node(tmp_path_factory):
    """Return a function that runs statements under node, with `given`, and returns what they leave in `reply`."""
    program = shutil.which("node")
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
    (folder / "package.json").write_text('{"type": "module"}')

    def run(statements, **given):
        script = f"const given = {json.dumps(given)};\nlet reply = null;\n{statements}\n{REPLY}"
        (folder / "script.js").write_text(script)
        command = [program, *flags, "script.js"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
