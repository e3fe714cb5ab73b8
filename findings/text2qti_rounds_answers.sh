#!/usr/bin/env bash
# Expected: a numerical answer keeps its digits on the way from a text2qti file into a QTI quiz.
# Seen: 0.12345678 +- 0.00001 becomes 0.1234 to 0.1235, five times as wide; beta_1, 0.0001 +- 0.00001, is refused.
# Matters: the numbers of a noise schedule, 0.0001 and 0.00004, cannot be asked that way: a teacher's export must scale.
# Source: text2qti 0.8.0, quiz.py and export: four decimals, "must have a magnitude >= 0.0001", the tolerance's end too.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check text2qti==0.8.0
cd "$place"
"$place/venv/bin/python" - <<'END'
import importlib.metadata
import pathlib
import re
import subprocess
import sys
import zipfile


def converted(answer):
    """What the quiz file says of the answer, or the sentence that refuses it."""
    pathlib.Path("quiz.txt").write_text(f"Quiz title: T\nQuiz description: D\n\n1.  How much?\n=   {answer}\n")
    program = str(pathlib.Path(sys.executable).with_name("text2qti"))
    done = subprocess.run([program, "quiz.txt"], capture_output=True, text=True)
    if done.returncode:
        return (done.stdout + done.stderr).strip().splitlines()[-1]
    with zipfile.ZipFile("quiz.zip") as quiz:
        text = "".join(quiz.read(name).decode() for name in quiz.namelist() if name.endswith(".xml"))
    return dict(re.findall(r"<(varequal|vargte|varlte)[^>]*>([^<]*)<", text))


print("text2qti", importlib.metadata.version("text2qti"))
seen = {answer: converted(answer) for answer in ("0.12345678 +- 0.00001", "0.0001 +- 0.00001", "0.00004 +- 10%")}
for answer, result in seen.items():
    print(f"{answer:22} -> {result}")
long, *small = seen.values()
assert long == {"varequal": "0.1235", "vargte": "0.1234", "varlte": "0.1235"}
assert all("magnitude >= 0.0001" in result for result in small)
END
