"""Which precisions a bundle is made in, by runtime; read before anything heavy is imported."""

from __future__ import annotations

from typing import Literal

Runtime = Literal["onnxruntime", "openvino"]
Precision = Literal["fp32", "bf16", "int8"]
PRECISIONS: dict[Runtime, tuple[Precision, ...]] = {
    "onnxruntime": ("fp32", "int8"),
    "openvino": ("fp32", "bf16"),
}
