"""Bundles for ONNX Runtime.

`int8` is ONNX Runtime's dynamic quantization with per-channel weights, embeddings too.
`int8-static` is NNCF's; ONNX Runtime's own `quantize_static` keeps too few labels (docs/LOG.md).
`int8-weights` and `int4-weights` are its `MatMulNBits`, a scale per group of weights, products in
int8, and dynamic quantization of the embeddings alone: what NNCF writes for ONNX decodes the whole
table at every run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from compress.export.example_script import GraphScript
from compress.export.exporter import (
    ANY_RANK,
    TABLE_FORMS,
    GraphExporter,
    Precision,
    Quantizing,
)
from compress.export.runtimes import _nncf

if TYPE_CHECKING:
    import numpy as np

    from compress.export.bundle import BundleCard

_OPENING = """\
cpu = Path("/proc/cpuinfo")
options = onnxruntime.SessionOptions()
if not (cpu.exists() and "vnni" in cpu.read_text()):  # sums of int8 would overflow
    options.add_session_config_entry("session.x64quantprecision", "1")
session = onnxruntime.InferenceSession(card["file"], options, ["CPUExecutionProvider"])
"""
_DYNAMIC = (
    "\nActivations are quantized with one scale per batch, so the other sentences of a batch can "
    "change a sentence's\nlogits a little. One sentence at a time gives exactly what `lingopress "
    "predict --alone` gives.\n"
)
_WEIGHT_INPUT = {"MatMul": 1, "Gemm": 1, "Gather": 0}  # operator -> place of its weights


class OnnxRuntimeExporter(GraphExporter):
    """ONNX graphs for ONNX Runtime."""

    runtime = "onnxruntime"
    file = "model.onnx"
    extra = "openvino"  # NNCF is in it
    precisions: ClassVar[Mapping[str, Precision]] = {
        "fp32": Precision("Weights and activations in fp32.", embeddings=TABLE_FORMS, speed=2.0),
        "int8": Precision(
            "Weights and activations in int8, with activation scales taken from each batch.",
            embeddings=TABLE_FORMS,
            excludes=True,
            bytes_of_weights=1.0,
            bytes_of_words=1.0,
            speed=4.0,
        ),
        "int8-static": Precision(
            "Weights and activations in int8, with scales from calibration text.",
            packages=("openvino", "nncf"),
            calibrated=True,
            embeddings=TABLE_FORMS,
        ),
        "int8-weights": Precision(
            "Weights stored in int8, with a scale per group; products are computed in int8.",
            embeddings=TABLE_FORMS,
            groups=True,
        ),
        "int4-weights": Precision(
            "Weights stored in int4, with a scale per group; products are computed in int8.",
            embeddings=("int8", "int4", ANY_RANK),
            tensor_scales=True,
            groups=True,
        ),
    }

    def prepare(self, precision: str) -> None:
        """Where NNCF quantizes, import OpenVINO, which transformers would import otherwise."""
        from evalsuite.runtimes import openvino

        if packages := self.precisions[precision].packages:
            openvino.load(*packages)

    def tracer(self, precision: str, shapes: Mapping[str, Any]) -> tuple[Any, Any]:
        """The ONNX exporter of transformers."""
        from transformers import exporters

        return exporters.OnnxExporter(), exporters.OnnxConfig(
            dynamic=True, dynamic_shapes=dict(shapes)
        )

    def drop_output(self, program: Any, name: str) -> None:
        """Remove an output, in place."""
        (output,) = [value for value in program.graph.outputs if value.name == name]
        program.graph.outputs.remove(output)

    def quantize(self, program: Any, sample: dict[str, Any], how: Quantizing) -> Any:
        """An `onnx_ir.Model` in a precision."""
        if how.precision == "fp32":
            return program
        if how.precision == "int8":
            return _dynamic(program, sample, None, how)
        if how.precision == "int8-static":
            return _static(program, sample, how)
        if how.weights.scales == "tensor":
            return _one_scale_per_tensor(program)
        program = _dynamic(program, sample, ["Gather"], how)
        return _groups(program, 8 if how.precision == "int8-weights" else 4, how.weights.group)

    def tidy(self, program: Any) -> None:
        """Remove the traces that the exporter writes on every node: half a megabyte, and local
        paths."""
        for graph in program.graphs():
            for node in graph:
                node.metadata_props.clear()
                node.doc_string = None
            for value in (*graph.inputs, *graph.outputs, *graph.initializers.values()):
                value.metadata_props.clear()

    def store_embeddings(
        self, path: Path, table: np.ndarray, name: str, weights: np.ndarray | None
    ) -> int:
        """Rewrite the lookup of the word embeddings (`compress.export.embedding_storage`)."""
        from compress.export.embedding_storage import Form, rewrite

        return rewrite(path, table, Form(name, weights))

    def requirements(self, precision: str) -> str:
        """No torch."""
        return "`onnxruntime`, `tokenizers` and `numpy` alone"

    def example(self, card: BundleCard) -> str:
        """Opens a session on the CPU."""
        return GraphScript("onnxruntime", _OPENING, _run).text(card)

    def note(self, precision: str) -> str:
        """Of int8: logits depend a little on the batch."""
        return _DYNAMIC if precision == "int8" else ""


def _run(outputs: Sequence[str], variables: Sequence[str]) -> str:
    names = ", ".join(f'"{name}"' for name in outputs)
    first = "[0]" if len(outputs) == 1 else ""
    return f"{', '.join(variables)} = session.run([{names}], feeds){first}\n"


def _dynamic(
    program: Any, sample: dict[str, Any], operators: list[str] | None, how: Quantizing
) -> Any:
    """Dynamic quantization of some operators; None: of all that ONNX Runtime can quantize."""
    from transformers.exporters import OnnxRuntimeDynamicConfig, OnnxRuntimeQuantizer
    from transformers.exporters.configs import ExportFormat

    config = OnnxRuntimeDynamicConfig(
        per_channel=True,
        op_types_to_quantize=operators,
        nodes_to_quantize=None if how.only is None else list(how.only),
        nodes_to_exclude=list(how.exclude) or None,
    )
    return OnnxRuntimeQuantizer(config).quantize(program, sample, ExportFormat.ONNX)


def _static(program: Any, sample: dict[str, Any], how: Quantizing) -> Any:
    """NNCF's quantization, calibrated on the samples."""
    config = _nncf.config(how)
    from transformers import exporters
    from transformers.exporters.configs import ExportFormat

    quantizer = exporters.NNCFOnnxQuantizer(config, how.samples or None)
    return quantizer.quantize(program, sample, ExportFormat.ONNX)


def _groups(program: Any, bits: int, size: int) -> Any:
    """Weights of products in groups of a size, with a scale each.

    Not the rows of tables: their scales would take more bytes than they save (docs/LOG.md).
    """
    import onnx_ir
    from onnxruntime.quantization.matmul_nbits_quantizer import (
        DefaultWeightOnlyQuantConfig,
        MatMulNBitsQuantizer,
    )

    config = DefaultWeightOnlyQuantConfig(
        block_size=size, accuracy_level=4, bits=bits, op_types_to_quantize=("MatMul",)
    )
    quantizer = MatMulNBitsQuantizer(onnx_ir.serde.serialize_model(program), algo_config=config)
    quantizer.process()
    return onnx_ir.serde.deserialize_model(quantizer.model.model)


def _one_scale_per_tensor(program: Any) -> Any:
    """Every weight and table in int4 with one scale: as small and as coarse as possible."""
    import numpy as np
    import onnx_ir

    model = onnx_ir.serde.deserialize_model(onnx_ir.serde.serialize_model(program))
    model.graph.opset_imports[""] = max(21, model.graph.opset_imports[""])  # int4 came with 21
    decoded: dict[str, Any] = {}
    for node in list(model.graph):
        place = _WEIGHT_INPUT.get(node.op_type)
        value = None if place is None else node.inputs[place]
        if place is None or value is None or not value.is_initializer() or value.name is None:
            continue
        weight = value.const_value.numpy()
        if weight.ndim != 2 or weight.dtype != np.float32:
            continue
        if value.name not in decoded:
            decode = _decode_int4(model.graph, value.name, weight)
            model.graph.insert_before(node, decode)
            decoded[value.name] = decode.outputs[0]
        node.replace_input_with(place, decoded[value.name])
    for name in decoded:
        del model.graph.initializers[name]
    return model


def _decode_int4(graph: Any, name: str, weight: np.ndarray) -> Any:
    """Add a weight to the graph in int4; returns the node that decodes it to fp32."""
    import numpy as np
    import onnx_ir
    from ml_dtypes import int4

    scale = np.float32(max(float(np.abs(weight).max()), 1e-12) / 7)
    codes = np.clip(np.round(weight / scale), -8, 7).astype(int4)
    inputs = []
    for constant, array in ((f"{name}.int4", codes), (f"{name}.scale", np.array(scale))):
        tensor = onnx_ir.Tensor(array, name=constant)
        kind = onnx_ir.TensorType(tensor.dtype)
        inputs.append(
            onnx_ir.Value(name=constant, shape=tensor.shape, type=kind, const_value=tensor)
        )
        graph.initializers.add(inputs[-1])
    return onnx_ir.node("DequantizeLinear", inputs, name=f"{name}.decode")


EXPORTER = OnnxRuntimeExporter()
