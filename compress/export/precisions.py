"""Which precisions a bundle is made in, by runtime; read before anything heavy is imported.

`int8` is weights and activations: in ONNX Runtime activations get their scale as they come, in
OpenVINO (and in `int8-static`) from calibration text. `int8-bf16` is the same, with what lies
between products (softmax, layer norms, sums) in bf16. `int8-weights` and `int4-weights` store
weights so and leave activations to the runtime. Word embeddings are int8 in all of these.

For torch, `int8` and `nf4` are bitsandbytes' and hold linear layers; all else is bf16.
"""

from __future__ import annotations

from typing import Literal

Runtime = Literal["onnxruntime", "openvino", "torch"]
Precision = Literal[
    "fp32", "bf16", "int8", "int8-static", "int8-bf16", "int8-weights", "int4-weights", "nf4"
]  # fmt: skip
Scales = Literal["group", "tensor"]
PRECISIONS: dict[Runtime, tuple[Precision, ...]] = {
    "onnxruntime": ("fp32", "int8", "int8-static", "int8-weights", "int4-weights"),
    "openvino": ("fp32", "bf16", "int8", "int8-bf16", "int8-weights", "int4-weights"),
    "torch": ("bf16", "int8", "nf4"),
}


def by_nncf(runtime: Runtime, precision: Precision) -> bool:
    """Whether NNCF quantizes it, which is in the extra `openvino`."""
    if runtime == "openvino":
        return precision not in ("fp32", "bf16")
    return precision == "int8-static"


def calibrated(runtime: Runtime, precision: Precision) -> bool:
    """Whether scales of activations come from calibration text."""
    scaled = precision in ("int8", "int8-bf16")
    return precision == "int8-static" or (runtime == "openvino" and scaled)
