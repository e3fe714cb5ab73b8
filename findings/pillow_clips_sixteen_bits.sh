#!/usr/bin/env bash
# Expected: convert("L") of a 16-bit grey picture scales to 8 bits: grey 1000 of 65535 is nearly black.
# Seen: it clips: everything above 255 of 65535 is white, so that a scanned digit becomes an all white sheet.
# Matters: scanners and cameras write such PNG; a page that reads uploads by convert("L") sees no ink. Ours scales.
# Source: Pillow 12.3.0, Image.convert from mode I;16 to L, read from a PNG file and from an array alike.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check pillow==12.3.0 numpy==2.4.6
cd "$place"
"$place/venv/bin/python" - <<'END'
import numpy as np
import PIL
from PIL import Image

grey = np.array([[0, 100, 255, 1000, 30000, 65535]], np.uint16)
Image.fromarray(grey).save("grey.png")
picture = Image.open("grey.png")
assert np.array_equal(np.asarray(picture), grey)  # the file has all sixteen bits
levels = np.asarray(picture.convert("L"))[0].tolist()
print(f"Pillow {PIL.__version__}, mode {picture.mode}: {grey[0].tolist()} -> {levels}")
assert levels == [0, 100, 255, 255, 255, 255]
END
