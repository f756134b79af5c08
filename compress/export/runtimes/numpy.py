"""Bundles for numpy: the table of a static model in 8 or 4 bits, and its head."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from compress.errors import ExportError
from compress.export.exporter import CheckpointExporter, Precision
from evalsuite.static.kind import MODEL_TYPE, is_static

if TYPE_CHECKING:
    import numpy as np

    from compress.export.bundle import BundleCard

_TABLE = """\
import json

import numpy as np
from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file("tokenizer.json")
arrays = dict(np.load("model.npz"))  # read once


def vectors(ids):
    if "rows" in arrays:
        return arrays["rows"][ids]
    if "packed" in arrays:
        packed = arrays["packed"][ids]
        codes = np.concatenate([packed & 15, packed >> 4], -1).astype(np.float32) - 8
    else:
        codes = arrays["codes"][ids].astype(np.float32)
    return codes * arrays["scales"][ids]


"""
_ENCODER = """\
def embed(text):
    mean = vectors(np.array(tokenizer.encode(text).ids)).mean(0)
    return mean / np.linalg.norm(mean)


print(embed("A man is reading.") @ embed("Ein Mann liest."))
"""
_HEAD = """\
def answer(*texts):
    ids = np.array(tokenizer.encode(*texts).ids)
    ends = ids == arrays["separator"] if "separator" in arrays else np.zeros(len(ids), bool)
    second = ends.cumsum() - ends > 0
    one, other = (
        vectors(ids[part]).sum(0) / max(part.sum(), 1) for part in (~second, second)
    )
    features = np.concatenate([one, other, np.abs(one - other), one * other])
    return arrays["weight"] @ features + arrays["bias"]


with open("bundle.json", encoding="utf-8") as file:
    labels = json.load(file)["labels"]
print(dict(zip(labels, answer("A man is reading.").tolist())))
"""


class NumpyExporter(CheckpointExporter):
    """Arrays for numpy."""

    runtime = "numpy"
    file = "model.npz"
    families: ClassVar[tuple[str, ...]] = (MODEL_TYPE,)
    precisions: ClassVar[Mapping[str, Precision]] = {
        "int8": Precision("Rows of the table in int8 with a scale each; the head in fp32."),
        "int4": Precision("Rows of the table in int4 with a scale each; the head in fp32."),
        "fp32": Precision("Table and head in fp32."),
    }
    remedy = "export in another precision"

    def write(self, directory: Path, out: Path, precision: str) -> None:
        """Quantize the rows.

        Raises:
            ExportError: the model is not static, or its rows do not halve for int4.
        """
        import numpy as np

        from compress.export.bundle import write_config
        from evalsuite.inference.checkpoint_config import model_config
        from evalsuite.runtimes.torch import load_checkpoint

        config = model_config(directory)
        if not is_static(config):
            raise ExportError(
                f"{directory.name} is not a static model, and numpy runs no other; set runtime: "
                "onnxruntime"
            )
        model = load_checkpoint(directory).float()
        table = model.get_input_embeddings().weight.detach().numpy()
        arrays = _rows(table, precision) | _head(model)
        if not np.isfinite(table).all():
            raise ExportError(f"{directory.name} has vectors that are not finite")
        out.mkdir(parents=True, exist_ok=True)
        np.savez(out / self.file, **arrays)  # type: ignore[arg-type]
        write_config(config, out)

    def requirements(self, precision: str) -> str:
        """Neither torch nor ONNX Runtime."""
        return "`tokenizers` and `numpy` alone"

    def example(self, card: BundleCard) -> str:
        """Answers, or vectors of two sentences."""
        prefix = card.vectors.prefix
        text = f"{json.dumps(prefix, ensure_ascii=False)} + text" if prefix else "text"
        return _TABLE + (
            _HEAD if card.labels else _ENCODER.replace("encode(text)", f"encode({text})")
        )


def _rows(table: np.ndarray, precision: str) -> dict[str, np.ndarray]:
    from evalsuite.runtimes import numpy as runtime
    from transfer.precision import row_codes

    if precision == "fp32":
        return {runtime.ROWS: table}
    if precision == "int4" and table.shape[1] % 2:
        raise ExportError(
            f"int4 packs two numbers per byte, and vectors have {table.shape[1]}; set precision: "
            "int8"
        )
    codes, scales = row_codes.quantize_rows(table, int(precision[3:]))
    if precision == "int4":
        return {runtime.PACKED: row_codes.pack(codes), runtime.SCALES: scales}
    return {runtime.CODES: codes, runtime.SCALES: scales}


def _head(model: Any) -> dict[str, np.ndarray]:
    import numpy as np

    from evalsuite.runtimes import numpy as runtime

    if not hasattr(model, "classifier"):
        return {}
    found = {
        runtime.WEIGHT: model.classifier.weight.detach().numpy(),
        runtime.BIAS: model.classifier.bias.detach().numpy(),
    }
    if model.config.sep_token_id is not None:
        found[runtime.SEPARATOR] = np.array(model.config.sep_token_id)
    return found


EXPORTER = NumpyExporter()
