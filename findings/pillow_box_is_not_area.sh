#!/usr/bin/env bash
# Expected: to shrink by averaging areas is one thing: Pillow's BOX and OpenCV's INTER_AREA give one picture.
# Seen: of a stroke one pixel wide, 27 pixels shrunk to 20, BOX keeps an ink of 0.5 or 1.0 by its column; area .741.
# Matters: the ink of a small digit that is shrunk to 20 x 20 depends on the columns it lies in, by a factor of two.
# Source: Pillow 12.3.0 resize(BOX): each pixel belongs to one pixel of the result; opencv-python-headless 5.0.0.93.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check pillow==12.3.0 \
    opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$place"
"$place/venv/bin/python" - <<'END'
import cv2
import numpy as np
import PIL
from PIL import Image

box, area = set(), set()
for column in range(27):
    stroke = np.zeros((27, 27), np.float32)
    stroke[:, column] = 1
    box.add(round(float(np.asarray(Image.fromarray(stroke).resize((20, 20), Image.Resampling.BOX))[0].sum()), 3))
    area.add(round(float(cv2.resize(stroke, (20, 20), interpolation=cv2.INTER_AREA)[0].sum()), 3))
print(f"Pillow {PIL.__version__} BOX: ink of a row {sorted(box)}; OpenCV {cv2.__version__} INTER_AREA: {sorted(area)}")
assert box == {0.5, 1.0}
assert area == {0.741}
END
