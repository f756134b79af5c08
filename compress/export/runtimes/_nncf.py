"""NNCF's quantization of a graph: weights and activations, or weights alone.

`nncf` is in the extra `openvino`. It would report its use; it is imported so that it does not
(`evalsuite.runtimes._openvino`).
"""

from __future__ import annotations

import logging
from typing import Any

from compress.export.exporter import Quantizing


def config(how: Quantizing) -> Any:
    """The configuration of transformers' NNCF quantizers.

    Raises:
        MissingExtraError: NNCF is not installed.
    """
    from evalsuite.runtimes import openvino

    openvino.load("nncf")  # before nncf is imported, which would report its use
    import nncf
    from transformers import exporters
    from transformers.exporters.quantizers import NNCFWeightCompressionConfig

    logging.getLogger("nncf").setLevel(logging.ERROR)
    if how.precision == "int8-weights":
        return NNCFWeightCompressionConfig(mode=nncf.CompressWeightsMode.INT8_SYM)
    if how.precision == "int4-weights":
        return NNCFWeightCompressionConfig(
            mode=nncf.CompressWeightsMode.INT4_ASYM,
            group_size=how.weights.group,
            all_layers=how.weights.embeddings == 4,
            gptq=how.weights.rounding == "gptq",
            scale_estimation=how.weights.rounding == "scale-estimation",
            subset_size=max(1, len(how.samples)),
        )
    return exporters.NNCFQuantizationConfig(subset_size=max(1, len(how.samples)))
