"""Build the browser's network: net.c as WebAssembly, without and with relaxed SIMD.

    python assets/build_wasm.py

The compiler is Zig's C compiler from PyPI, of the version that pyproject.toml pins, so that everybody gets the same
bytes; a test compares them.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "ddpm_demo" / "ui" / "static" / "net" / "net.c"
BUILDS = {"net.wasm": "simd128+bulk_memory", "net_relaxed.wasm": "simd128+bulk_memory+relaxed_simd"}
# no library, and no calls into one; a stack that holds the lists of pixels; no names of functions in the result
OPTIONS = ["-O3", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-builtin", "-fno-math-errno", "-nostdlib"]
LINKER = ["-Wl,--no-entry", "-Wl,-z,stack-size=65536", "-Wl,--strip-all"]


def build(folder: Path) -> None:
    """Write every build of BUILDS into a folder; raises CalledProcessError with the compiler's words on stderr."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
        for name, features in BUILDS.items():
            target = ["-target", "wasm32-freestanding", f"-mcpu=generic+{features}"]
            command = [sys.executable, "-m", "ziglang", "cc", *target, *OPTIONS, *LINKER]
            subprocess.run(
                [*command, SOURCE.name, "-o", str(folder / name)], cwd=SOURCE.parent, env=environment, check=True
            )
            (folder / name).chmod(0o644)


if __name__ == "__main__":
    build(SOURCE.parent)
