#!/usr/bin/env bash
# Expected: five pictures saved as an animation are five frames of the time asked for, as in a list of pictures.
# Seen: GIF, PNG and WebP hold three where two repeat the one before, the GIF at 70 ms for 78; AVIF holds all five.
# Matters: "frame 20 is step 20" is wrong for a film whose last steps are equal: a count belongs beside such a film.
# Source: Pillow 12.3.0, save(save_all=True) of each format; GIF89a counts in hundredths of a second.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check pillow==12.3.0 numpy==2.4.6
cd "$place"
"$place/venv/bin/python" - <<'END'
import io

import PIL
from PIL import Image, ImageSequence

pictures = [Image.new("L", (16, 16), grey) for grey in (0, 50, 50, 50, 200)]
seen = {}
for kind in ("GIF", "PNG", "WEBP", "AVIF"):
    file = io.BytesIO()
    pictures[0].save(file, kind, save_all=True, append_images=pictures[1:], duration=78)
    times = [round(frame.info["duration"]) for frame in ImageSequence.Iterator(Image.open(file)) if frame.load() or True]
    seen[kind] = times
    print(f"Pillow {PIL.__version__} {kind}: {len(times)} frames of {times} ms")
assert seen == {"GIF": [70, 230, 70], "PNG": [78, 234, 78], "WEBP": [78, 234, 78], "AVIF": [78] * 5}
END
