#!/usr/bin/env bash
# Expected: AVIF at quality 100 is the best lossy picture there is: a little wrong everywhere, in grey and in colour.
# Seen: grey noise comes back to the last level, in every frame of an animation; colour noise is off by more than 200.
# Matters: a film of grey digits can leave as AVIF and be computed with; the same call ruins a picture in colours.
# Source: Pillow 12.3.0 with its libavif: colours are stored at half resolution, 4:2:0; subsampling="4:4:4" is off by 3.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check pillow==12.3.0 numpy==2.4.6
cd "$place"
"$place/venv/bin/python" - <<'END'
import io

import numpy as np
import PIL
from PIL import Image, ImageSequence, features


def off_by(pictures, **options):
    """The largest difference of any level of any frame, after a file."""
    file = io.BytesIO()
    first, *more = (Image.fromarray(picture) for picture in pictures)
    first.save(file, "AVIF", quality=100, save_all=True, append_images=more, **options)
    back = [np.asarray(frame.convert(first.mode)).astype(int) for frame in ImageSequence.Iterator(Image.open(file))]
    return max(int(np.abs(a - b).max()) for a, b in zip(back, pictures, strict=True))


noise = np.random.default_rng(1).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
seen = {"grey": off_by(noise[..., 0]), "colour": off_by(noise), "colour, 4:4:4": off_by(noise, subsampling="4:4:4")}
print(f"Pillow {PIL.__version__}, libavif {features.version('avif')}: levels off by at most {seen}")
assert seen["grey"] == 0
assert seen["colour"] > 150
assert 0 < seen["colour, 4:4:4"] <= 8
END
