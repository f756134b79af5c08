"""Quantize a traced graph.

>>> program = quantize(traced, "int8", samples=samples)

ONNX Runtime: `int8` is its dynamic quantization with per-channel weights, embeddings too.
`int8-static` is NNCF's; ONNX Runtime's own `quantize_static` keeps too little (docs/LOG.md).
`int8-weights` and `int4-weights` are its `MatMulNBits`, a scale for 32 weights, products in int8,
and dynamic quantization of the embeddings alone: what NNCF writes for ONNX decodes the whole table
at every run.

OpenVINO: NNCF, `quantize` or `compress_weights`; both store embeddings in int8.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from compress.export.precisions import Precision, Scales, by_nncf
from compress.export.trace import Traced, quiet

GROUP = 32  # weights that share a scale


@dataclass(frozen=True, slots=True)
class Weights:
    """How weight-only precisions are made.

    Attributes:
        scales: one for 32 weights, or one for a whole tensor (ONNX Runtime, int4).
        embeddings: bits of the embedding tables.
    """

    scales: Scales = "group"
    embeddings: int = 8


def quantize(
    traced: Traced,
    precision: Precision,
    *,
    samples: Sequence[dict[str, Any]] = (),
    weights: Weights | None = None,
    only: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
) -> Any:
    """The graph in a precision; the traced one where there is nothing to quantize.

    Args:
        samples: calibration inputs, torch tensors by name; read where `calibrated`.
        only, exclude: names of nodes, of ONNX Runtime's int8.

    Raises:
        MissingExtraError: NNCF is not installed.
    """
    if precision in ("fp32", "bf16"):
        return traced.program
    weights = weights or Weights()
    with quiet():
        if by_nncf(traced.runtime, precision):
            return _nncf(traced, precision, samples, weights)
        if precision == "int8":
            return _dynamic(traced, None, only, exclude)
        bits = 8 if precision == "int8-weights" else 4
        if weights.scales == "tensor":
            return _by_tensor(traced.program)
        if weights.embeddings == 4:
            return _blocks(traced.program, bits, ("MatMul", "Gather"))
        return _blocks(_dynamic(traced, ["Gather"]), bits, ("MatMul",))


def _dynamic(
    traced: Traced,
    operators: list[str] | None,
    only: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
) -> Any:
    """ONNX Runtime's dynamic quantization; None: of all operators it knows."""
    from transformers.exporters import OnnxRuntimeDynamicConfig, OnnxRuntimeQuantizer
    from transformers.exporters.configs import ExportFormat

    config = OnnxRuntimeDynamicConfig(
        per_channel=True,
        op_types_to_quantize=operators,
        nodes_to_quantize=None if only is None else list(only),
        nodes_to_exclude=list(exclude) or None,
    )
    return OnnxRuntimeQuantizer(config).quantize(traced.program, traced.sample, ExportFormat.ONNX)


def _blocks(program: Any, bits: int, operators: tuple[str, ...]) -> Any:
    """Weights in blocks of `GROUP`, a scale each."""
    import onnx_ir
    from onnxruntime.quantization.matmul_nbits_quantizer import (
        DefaultWeightOnlyQuantConfig,
        MatMulNBitsQuantizer,
    )

    config = DefaultWeightOnlyQuantConfig(
        block_size=GROUP, accuracy_level=4, bits=bits, op_types_to_quantize=operators
    )
    quantizer = MatMulNBitsQuantizer(onnx_ir.serde.serialize_model(program), algo_config=config)
    quantizer.process()
    return onnx_ir.serde.deserialize_model(quantizer.model.model)


def _by_tensor(program: Any) -> Any:
    """Every weight and table in int4 with one scale: as small and as coarse as it gets."""
    import numpy as np
    import onnx_ir
    from ml_dtypes import int4

    model = onnx_ir.serde.deserialize_model(onnx_ir.serde.serialize_model(program))
    model.graph.opset_imports[""] = max(21, model.graph.opset_imports[""])  # int4 came with 21
    decoded: dict[str, Any] = {}
    for node in list(model.graph):
        place = {"MatMul": 1, "Gemm": 1, "Gather": 0}.get(node.op_type)
        value = None if place is None else node.inputs[place]
        if place is None or value is None or not value.is_initializer() or value.name is None:
            continue
        weight = value.const_value.numpy()
        if weight.ndim != 2 or weight.dtype != np.float32:
            continue
        if value.name not in decoded:
            scale = np.float32(max(float(np.abs(weight).max()), 1e-12) / 7)
            stored = np.clip(np.round(weight / scale), -8, 7).astype(int4)
            constants = {f"{value.name}.int4": stored, f"{value.name}.scale": np.array(scale)}
            inputs = []
            for name, array in constants.items():
                tensor = onnx_ir.Tensor(array, name=name)
                kind = onnx_ir.TensorType(tensor.dtype)
                inputs.append(
                    onnx_ir.Value(name=name, shape=tensor.shape, type=kind, const_value=tensor)
                )
                model.graph.initializers.add(inputs[-1])
            decode = onnx_ir.node("DequantizeLinear", inputs, name=f"{value.name}.decode")
            model.graph.insert_before(node, decode)
            decoded[value.name] = decode.outputs[0]
        node.replace_input_with(place, decoded[value.name])
    for name in decoded:
        del model.graph.initializers[name]
    return model


def _nncf(
    traced: Traced, precision: Precision, samples: Sequence[dict[str, Any]], weights: Weights
) -> Any:
    """NNCF's quantization, or its compression of weights."""
    from evalsuite.runtimes import openvino

    openvino.load("nncf")  # ahead of nncf, which would report its use
    import nncf
    from transformers import exporters
    from transformers.exporters.configs import ExportFormat
    from transformers.exporters.quantizers import NNCFWeightCompressionConfig

    logging.getLogger("nncf").setLevel(logging.ERROR)
    if precision in ("int8", "int8-static", "int8-bf16"):
        config: Any = exporters.NNCFQuantizationConfig(subset_size=max(1, len(samples)))
    elif precision == "int8-weights":
        config = NNCFWeightCompressionConfig(mode=nncf.CompressWeightsMode.INT8_SYM)
    else:
        config = NNCFWeightCompressionConfig(
            mode=nncf.CompressWeightsMode.INT4_ASYM,
            group_size=GROUP,
            all_layers=weights.embeddings == 4,
        )
    if traced.runtime == "openvino":
        quantizer = exporters.NNCFOpenVINOQuantizer(config, samples or None)
        return quantizer.quantize(traced.program.clone(), traced.sample, ExportFormat.OPENVINO)
    quantizer = exporters.NNCFOnnxQuantizer(config, samples or None)
    return quantizer.quantize(traced.program, traced.sample, ExportFormat.ONNX)
