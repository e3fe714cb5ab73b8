#!/usr/bin/env bash
# Expected: a reader that finds a QR code finds its negative too: three corner squares are all that it looks for.
# Seen: white on black is read by zxing-cpp and jsQR and by neither of OpenCV's two; without a margin OpenCV fails too.
# Matters: a terminal with dark ground shows a code in its negative: half the phones in the room would read nothing.
# Source: opencv-python-headless 5.0.0.93, zxing-cpp 3.1.1, jsQR 1.4.0 on codes by segno 1.6.6; ISO/IEC 18004 margin.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check segno==1.6.6 opencv-python-headless==5.0.0.93 \
    zxing-cpp==3.1.1 numpy==2.4.6
cd "$place"
command -v node npm >/dev/null
npm install --silent --no-audit --no-fund jsqr@1.4.0
cat >read.cjs <<'END'
const [side, bytes] = [Number(process.argv[2]), require("fs").readFileSync(process.argv[3])];
const pixels = new Uint8ClampedArray(4 * side * side).map((_, i) => (i % 4 === 3 ? 255 : bytes[i >> 2]));
const found = require("jsqr")(pixels, side, side);
process.stdout.write(found ? found.data : "");
END
"$place/venv/bin/python" - <<'END'
import importlib.metadata
import pathlib
import subprocess

import cv2
import numpy as np
import segno
import zxingcpp

ADDRESS = "http://192.168.1.20:7860/"


def readers(levels):
    pathlib.Path("levels.bin").write_bytes(levels.tobytes())
    command = ["node", "read.cjs", str(len(levels)), "levels.bin"]
    return {
        "zxing-cpp": [found.text for found in zxingcpp.read_barcodes(levels)] == [ADDRESS],
        "jsQR": subprocess.run(command, capture_output=True, text=True, check=True).stdout == ADDRESS,
        "OpenCV": cv2.QRCodeDetector().detectAndDecode(levels)[0] == ADDRESS,
        "OpenCV, Aruco": cv2.QRCodeDetectorAruco().detectAndDecode(levels)[0] == ADDRESS,
    }


print(*(f"{name} {importlib.metadata.version(name)}" for name in ("opencv-python-headless", "zxing-cpp", "segno")), "jsQR 1.4.0")
seen = {}
for name, margin, white_on_black in (("black on white", 4, False), ("no margin", 0, False), ("white on black", 4, True)):
    modules = np.array(list(segno.make(ADDRESS, micro=False).matrix_iter(border=margin)), np.uint8)
    levels = (255 * (modules if white_on_black else 1 - modules)).astype(np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    seen[name] = readers(np.ascontiguousarray(levels))
    print(f"{name}: {seen[name]}")
assert all(seen["black on white"].values())
assert list(seen["no margin"].values()) == [True, True, False, False]
assert list(seen["white on black"].values()) == [True, True, False, False]
END
