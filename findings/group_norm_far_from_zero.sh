#!/usr/bin/env bash
# Expected: GroupNorm of numbers near 1000 has a standard deviation of 1, in every library and memory layout.
# Seen: torch contiguous 1.00, torch channels_last above 10, flax's nnx above 100, onnxruntime 1.23: the same input.
# Matters: a raw timestep added to features brings them there; a faster layout or an export then changes the network.
# Source: torch 2.13.0 (and 2.14.1) group_norm_kernel.cpp, flax 0.12.8 use_fast_variance: E[x^2] - E[x]^2 in float32.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    torch==2.13.0 jax==0.10.2 jaxlib==0.10.2 flax==0.12.8 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$place"
JAX_PLATFORMS=cpu "$place/venv/bin/python" - <<'END'
import flax
import jax
import numpy as np
import onnx
import onnxruntime
import torch
from flax import nnx
from onnx import TensorProto, helper

print(f"torch {torch.__version__}, jax {jax.__version__}, flax {flax.__version__}, onnxruntime {onnxruntime.__version__}")
x = (np.random.default_rng(0).standard_normal((4, 64, 28, 28)) + 1000).astype(np.float32)
shape = list(x.shape)
layer = torch.nn.GroupNorm(8, 64)
last = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
node = helper.make_node("GroupNormalization", ["x", "scale", "bias"], ["y"], num_groups=8, epsilon=1e-5)
graph = helper.make_graph(
    [node],
    "norm",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    [helper.make_tensor(name, TensorProto.FLOAT, [64], np.full(64, value)) for name, value in (("scale", 1), ("bias", 0))],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
with torch.no_grad():
    seen = {
        "torch": layer(torch.from_numpy(x)).std(),
        "torch channels_last": layer(torch.from_numpy(x).to(memory_format=torch.channels_last)).std(),
        "flax": np.std(nnx.GroupNorm(64, num_groups=8, rngs=nnx.Rngs(0))(last)),
        "flax, use_fast_variance=False": np.std(nnx.GroupNorm(64, num_groups=8, use_fast_variance=False, rngs=nnx.Rngs(0))(last)),
        "onnxruntime": onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0].std(),
    }
for name, std in seen.items():
    print(f"{name:30} {float(std):.3f}")
assert abs(seen["torch"] - 1) < 1e-3
assert seen["torch channels_last"] > 10
assert seen["flax"] > 100
assert abs(seen["flax, use_fast_variance=False"] - 1) < 1e-3
assert abs(seen["onnxruntime"] - 1) > 0.02
END
