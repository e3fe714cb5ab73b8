#!/usr/bin/env bash
# Expected: babel finds every call of gettext in a JavaScript file, also one that makes an argument of another, as in Python.
# Seen: in JavaScript the inner sentence is not extracted, and nothing says so; in a Python file of the same call it is.
# Matters: such a sentence stays English in every language though its catalogue is complete; a test here looks for them.
# Source: Babel 2.19.0, babel.messages.extract: extract_javascript and extract_python.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check babel==2.19.0
cd "$place"
cat >both.py <<'END'
import io

import babel
from babel.messages.extract import extract

SOURCES = {
    "python": 'say("after {time}", say("one hour"))',
    "javascript": 'say("after {time}", say("one hour"));',
    "javascript, the inner one in a variable": 'const time = say("one hour"); say("after {time}", time);',
}
print(f"Babel {babel.__version__}")
found = {}
for kind, source in SOURCES.items():
    sentences = extract(kind.split(",")[0], io.BytesIO(source.encode()), {"say": None})
    found[kind] = sorted(text if isinstance(text, str) else text[0] for _, text, _, _ in sentences)
    print(f"{kind}: {source}\n    finds {found[kind]}")
both = ["after {time}", "one hour"]
assert found == {"python": both, "javascript": both[:1], "javascript, the inner one in a variable": both}, found
END
"$place/venv/bin/python" both.py
