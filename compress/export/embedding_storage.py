"""Store the word embeddings of an ONNX graph in fewer bytes, and decode rows at lookup.

>>> rewrite(Path("bundle/model.onnx"), table, Form("int4"))

Only standard operators are used, so any runtime that ran the graph runs it afterwards: codes and
scales are gathered and multiplied, 4-bit codes are unpacked by a mask and a shift, factors are
multiplied. Columns that were evened out before rounding get their spread and mean back.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.errors import EmbeddingsError
from compress.export import low_rank
from compress.export.exporter import rank_problem
from evalsuite.registry import FAMILIES
from transfer.precision import row_codes

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

_TABLE = "word_embeddings.weight"  # as it is called where it is stored anew
_Parts = tuple[dict[str, np.ndarray], list["NodeProto"]]


@dataclass(frozen=True, slots=True)
class Form:
    """How a table is stored.

    Attributes:
        name: `fp32`, `int8` or `int4` (rows with a scale each), `rank-N` (two factors), or
            `rank-N-int8` or `rank-N-int4` (the factor with a row per piece is stored so).
        weights: `[pieces]`, how often each occurs, for a rank; None: all alike.

    >>> Form("rank-192-int4").rank, Form("rank-192-int4").bits, Form("int8").bits
    (192, 4, 8)
    """

    name: str
    weights: np.ndarray | None = None

    @property
    def rank(self) -> int | None:
        """Numbers per piece in the first factor; None: the table is not factored."""
        parts = self.name.split("-")
        return int(parts[1]) if parts[0] == "rank" else None

    @property
    def bits(self) -> int | None:
        """Bits per value of what is stored per piece; None: fp32."""
        last = self.name.split("-")[-1]
        return int(last.removeprefix("int")) if last.startswith("int") else None


def rewrite(path: Path, table: np.ndarray, form: Form) -> int:
    """Replace the lookup of the word embeddings in a graph, in place, its data file too.

    Args:
        path: of a graph whose table is in fp32, or is quantized and dequantized at lookup.
        table: float32 `[pieces, width]`, the embeddings of the checkpoint.

    Returns:
        number of parameters of the table as it is stored now.

    Raises:
        EmbeddingsError: the graph has no lookup of such a table, or the form does not fit it.
    """
    import onnx

    model = onnx.load(path)
    graph = model.graph
    lookup, *others = _lookup(graph, table.shape, path)
    ids, output = lookup.input[1], _output(lookup, others)
    made = (
        _rows(table, form.bits, ids, output)
        if form.rank is None
        else _factors(table, form, ids, output)
    )
    _replace(graph, [lookup, *others], *made)
    _save(model, path)
    return table.size if form.rank is None else form.rank * sum(table.shape)


def _lookup(graph: GraphProto, shape: tuple[int, ...], path: Path) -> list[NodeProto]:
    """The node that gathers rows, first, and the one that dequantizes them or the whole table."""
    import onnx

    ends = (_TABLE, *(FAMILIES.get(name).vocabulary[0] for name in FAMILIES.names()))
    for tensor in graph.initializer:
        if tuple(tensor.dims) != shape or not any(end in tensor.name for end in ends):
            continue
        readers = _readers(graph, tensor.name)
        kinds = [node.op_type for node in readers]
        after = _readers(graph, readers[0].output[0]) if len(readers) == 1 else []
        then = [node.op_type for node in after]
        if kinds == ["Gather"] and tensor.data_type == onnx.TensorProto.FLOAT:
            return readers
        if kinds == ["Gather"] and then == ["DequantizeLinear"]:
            return [*readers, *after]
        if kinds == ["DequantizeLinear"] and then == ["Gather"]:  # as NNCF writes it
            return [*after, *readers]
        break
    raise EmbeddingsError(
        f"{path.name} has no lookup of a {_TABLE} of {shape[0]:,} x {shape[1]} in fp32 or int8; "
        "leave embeddings out"
    )


def _readers(graph: GraphProto, name: str) -> list[NodeProto]:
    return [node for node in graph.node if name in node.input]


def _output(lookup: NodeProto, others: Sequence[NodeProto]) -> str:
    """The rows in fp32: of the node that dequantizes them, else of the lookup."""
    after = [node for node in others if lookup.output[0] in node.input]
    return str((after or [lookup])[0].output[0])


def _node(kind: str, inputs: list[str], output: str, **attributes: Any) -> NodeProto:
    from onnx.helper import make_node

    return make_node(kind, inputs, [output], name=f"embeddings_{output}", **attributes)


def _factors(table: np.ndarray, form: Form, ids: str, output: str) -> _Parts:
    """Tensors to store, and the nodes that compute the rows of `ids` from them."""
    rank = form.rank or 0
    if problem := rank_problem(form.name, table.shape[1]):
        raise EmbeddingsError(problem)
    even = np.ones(len(table)) if form.weights is None else form.weights
    left, right = low_rank.factorize(table, rank, even)
    tensors, nodes = _rows(left, form.bits, ids, f"{_TABLE}_left_rows")
    product = _node("MatMul", [f"{_TABLE}_left_rows", f"{_TABLE}_right"], output)
    return tensors | {f"{_TABLE}_right": right}, [*nodes, product]


def _rows(table: np.ndarray, bits: int | None, ids: str, output: str) -> _Parts:
    """The same for rows: in fp32, or codes and scales."""
    from onnx import TensorProto

    if bits is None:
        return {_TABLE: table}, [_node("Gather", [_TABLE, ids], output)]
    names = ("codes", "scales", "read", "scale", "values", "low", "high", "both", "raised")
    codes, scales, read, scale, values, low, high, both, raised = (
        f"{_TABLE}_{name}" for name in names
    )
    mask, shift, middle = (f"{_TABLE}_{name}" for name in ("mask", "shift", "middle"))
    columns = row_codes.even_columns(table, bits)
    made = row_codes.quantize_rows(table, bits, columns)
    tensors = dict(zip((codes, scales), made, strict=True))
    nodes = [_node("Gather", [codes, ids], read), _node("Gather", [scales, ids], scale)]
    if bits == 8:
        nodes.append(_node("Cast", [read], values, to=TensorProto.FLOAT))
    else:
        if table.shape[1] % 2:
            raise EmbeddingsError(
                f"embeddings: int4 packs two values per byte, and rows have {table.shape[1]}"
            )
        tensors[codes] = row_codes.pack(tensors[codes])
        tensors |= {mask: np.array(15, np.uint8), shift: np.array(4, np.uint8)}
        tensors[middle] = np.array(8, np.float32)
        nodes += [
            _node("BitwiseAnd", [read, mask], low),
            _node("BitShift", [read, shift], high, direction="RIGHT"),
            _node("Concat", [low, high], both, axis=-1),
            _node("Cast", [both], raised, to=TensorProto.FLOAT),
            _node("Sub", [raised, middle], values),
        ]
    if columns is None:
        return tensors, [*nodes, _node("Mul", [values, scale], output)]
    scaled, spread_out, mean, spread = (
        f"{_TABLE}_{name}" for name in ("scaled", "spread_out", "mean", "spread")
    )
    return tensors | {mean: columns.mean, spread: columns.spread}, [
        *nodes,
        _node("Mul", [values, scale], scaled),
        _node("Mul", [scaled, spread], spread_out),
        _node("Add", [spread_out, mean], output),
    ]


def _replace(
    graph: GraphProto,
    old: list[NodeProto],
    tensors: dict[str, np.ndarray],
    nodes: list[NodeProto],
) -> None:
    """Replace nodes by others and add their tensors; remove what no node reads any more."""
    from onnx.numpy_helper import from_array

    order = list(graph.node)
    place = order.index(old[0])
    place -= sum(order.index(node) < place for node in old)
    for node in old:
        graph.node.remove(node)
    for offset, node in enumerate(nodes):
        graph.node.insert(place + offset, node)
    read = {name for node in graph.node for name in node.input}
    made = {name for node in graph.node for name in node.output}
    for unused in [tensor for tensor in graph.initializer if tensor.name not in read]:
        graph.initializer.remove(unused)
    kept = {tensor.name for tensor in graph.initializer}
    for name, tensor in tensors.items():
        if name not in kept:
            graph.initializer.append(from_array(np.ascontiguousarray(tensor), name))
    there = made | {tensor.name for tensor in graph.initializer}
    for stale in [value for value in graph.value_info if value.name not in there]:
        graph.value_info.remove(stale)


def _save(model: Any, path: Path) -> None:
    """Replace the graph's files, its data too."""
    import onnx

    data = f"{path.name}.data"
    with TemporaryDirectory(dir=path.parent) as folder:
        onnx.save(model, Path(folder) / path.name, save_as_external_data=True, location=data)
        for name in (data, path.name):
            (path.parent / name).unlink(missing_ok=True)
            if (Path(folder) / name).is_file():
                shutil.move(Path(folder) / name, path.parent / name)
