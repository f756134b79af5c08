"""A graph of ONNX with its weights in one file, and with the outputs that a program reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from compress.errors import ExportError
from compress.export.bundle import BundleCard
from evalsuite.runtimes._bundle import default_outputs

LAST = "last_hidden_state"  # of an encoder, as transformers names it
_LONGEST = 2**31 - 1  # bytes of a file of ONNX


def read_outputs(card: BundleCard) -> tuple[str, ...]:
    """The outputs of the head; of an encoder its last hidden states, under both of their names."""
    usual = default_outputs(card.as_json())
    return usual if card.labels else (LAST, *usual)


def write_one_file(
    source: Path,
    target: Path,
    card: BundleCard,
    layout: str,
    shapes: Mapping[str, Sequence[int]] | None = None,
) -> None:
    """Write the graph of a bundle to another place, and remove the files that it was in.

    Args:
        layout: its name, for the message.
        shapes: of outputs without the first axis, the batch; -1: any size. Written into the graph.

    Raises:
        ExportError: it does not fit into one file.
    """
    import onnx_ir
    from onnx_ir.passes import common

    outputs = read_outputs(card)
    model = onnx_ir.load(source)
    kept = [value for value in model.graph.outputs if value.name in outputs]
    model.graph.outputs.clear()
    model.graph.outputs.extend(kept)
    for value in kept:
        if shapes is not None and value.name in shapes:
            sizes = (None if size == -1 else size for size in shapes[value.name])
            value.shape = onnx_ir.Shape(("batch", *sizes))
    common.RemoveUnusedNodesPass()(model)
    bytes_ = sum(value.const_value.nbytes for value in model.graph.initializers.values())
    if bytes_ > _LONGEST:
        raise ExportError(
            f"layout: {layout} wants the graph in one file, and this one has {bytes_:,} bytes of "
            f"weights; a file of ONNX has {_LONGEST:,} at most; export in another precision, or "
            "trim the vocabulary"
        )
    target.parent.mkdir(exist_ok=True)
    onnx_ir.save(onnx_ir.external_data.load_to_model(model), target)
    for path in source.parent.glob(f"{source.name}*"):
        if path != target:  # one layout's place may be another's
            path.unlink()
    forget_export(source.parent)


def forget_export(folder: Path) -> None:
    """Remove the exporter's list of files, which names one that is gone."""
    (folder / "export.json").unlink(missing_ok=True)
