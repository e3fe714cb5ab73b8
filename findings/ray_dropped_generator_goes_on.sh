#!/usr/bin/env bash
# Expected: when nobody holds the generator of a streaming task any more, Ray stops making what nobody can read.
# Seen: the task makes all 200 values, though the generator was dropped after the third; a cancel stops it at once.
# Matters: a visitor who closes the page would cost a worker the whole film: every stream that ends must be cancelled.
# Source: ray 2.60.0, ObjectRefGenerator and ray.cancel; the documentation of streaming generators says nothing of it.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check ray==2.60.0
cd "$place"
export RAY_USAGE_STATS_ENABLED=0
"$place/venv/bin/python" - "$place" <<'END'
import pathlib
import sys
import time

import ray

VALUES = 200
place = pathlib.Path(sys.argv[1])
ray.init(num_cpus=1, include_dashboard=False, object_store_memory=100_000_000, _temp_dir=str(place / "ray"), log_to_driver=False)


@ray.remote
def stream(path):
    for value in range(VALUES):
        with open(path, "a") as file:
            file.write(".")
        time.sleep(0.02)
        yield value


def made(end):
    """How many values the task made, once nothing has been added for three seconds."""
    path = place / end
    values = stream.remote(str(path))
    for _ in range(3):
        ray.get(next(values))
    if end == "cancelled":
        ray.cancel(values)
    del values
    before, now = -1, 0
    while now != before:
        time.sleep(3)
        before, now = now, path.stat().st_size
    return now


seen = {end: made(end) for end in ("dropped", "cancelled")}
print(f"ray {ray.__version__}: of {VALUES} values, three of them read, were made:", seen)
ray.shutdown()
assert seen["dropped"] == VALUES
assert seen["cancelled"] < VALUES / 4
END
