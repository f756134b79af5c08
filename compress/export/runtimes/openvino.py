"""Bundles for OpenVINO.

NNCF quantizes them (`quantize` or `compress_weights`); both store embeddings in int8. A bf16 bundle
computes in bf16 and stores its weights in fp16, which has more digits than bf16 down to 6e-5 and
takes half the bytes of fp32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from compress.export.example_script import GraphScript
from compress.export.exporter import GraphExporter, Precision, Quantizing
from compress.export.runtimes import _nncf
from evalsuite.runtimes import openvino

if TYPE_CHECKING:
    from compress.export.bundle import BundleCard

_NNCF = ("nncf",)


class OpenVinoExporter(GraphExporter):
    """Graphs for OpenVINO."""

    runtime = "openvino"
    file = "openvino_model.xml"
    extra = "openvino"
    packages = ("openvino",)
    precisions: ClassVar[Mapping[str, Precision]] = {
        "fp32": Precision("Weights and activations in fp32.", speed=1.7),
        "bf16": Precision(
            "Computes in bf16; weights are stored in fp16.",
            bytes_of_weights=2.0,
            bytes_of_words=2.0,
            speed=3.3,
        ),
        "int8": Precision(
            "Weights and activations in int8, with scales from calibration text.",
            packages=_NNCF,
            calibrated=True,
        ),
        "int8-bf16": Precision(
            "As int8; what lies between products (softmax, layer norms, sums) is in bf16.",
            packages=_NNCF,
            calibrated=True,
        ),
        "int8-weights": Precision(
            "Weights stored in int8; products are computed in fp32.", packages=_NNCF
        ),
        "int4-weights": Precision(
            "Weights stored in int4, with a scale per group; products are computed in fp32.",
            packages=_NNCF,
            embeddings=("int8", "int4"),
            quantizes_tables=True,
            groups=True,
            rounds=True,
        ),
    }

    def prepare(self, precision: str) -> None:
        """Import OpenVINO, which transformers would import otherwise, with its reports."""
        openvino.load(*self.precisions[precision].packages)

    def tracer(self, precision: str, shapes: Mapping[str, Any]) -> tuple[Any, Any]:
        """OpenVINO's exporter of transformers; bf16 stores weights in fp16."""
        from transformers import exporters

        return exporters.OpenVINOExporter(), exporters.OpenVINOConfig(
            dynamic=True, dynamic_shapes=dict(shapes), compress_to_fp16=precision == "bf16"
        )

    def drop_output(self, program: Any, name: str) -> None:
        """Remove an output, in place."""
        program.remove_result(program.output(name).node)

    def quantize(self, program: Any, sample: dict[str, Any], how: Quantizing) -> Any:
        """An `openvino.Model` in a precision."""
        if how.precision in ("fp32", "bf16"):
            return program
        config = _nncf.config(how)
        from transformers import exporters
        from transformers.exporters.configs import ExportFormat

        quantizer = exporters.NNCFOpenVINOQuantizer(config, how.samples or None)
        return quantizer.quantize(program.clone(), sample, ExportFormat.OPENVINO)

    def requirements(self, precision: str) -> str:
        """No torch."""
        return "`openvino`, `tokenizers` and `numpy` alone"

    def example(self, card: BundleCard) -> str:
        """Compiles the model for the CPU in the bundle's precision."""
        opening = (
            f'options = {{"INFERENCE_PRECISION_HINT": "{openvino.HINTS[card.precision]}"}}\n'
            'model = openvino.Core().compile_model(card["file"], "CPU", options)\n'
        )
        return GraphScript("openvino", opening, _run).text(card)


def _run(outputs: Sequence[str], variables: Sequence[str]) -> str:
    if len(outputs) == 1:
        return f'{variables[0]} = model(feeds)["{outputs[0]}"]\n'
    values = ", ".join(f'outputs["{name}"]' for name in outputs)
    return f"outputs = model(feeds)\n{', '.join(variables)} = {values}\n"


EXPORTER = OpenVinoExporter()
