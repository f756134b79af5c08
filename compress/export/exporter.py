"""What the exporter of a runtime provides.

>>> exporter = EXPORTERS.get("openvino")
>>> exporter.file, exporter.precisions["int8"].calibrated
('openvino_model.xml', True)

```
Exporter                  precisions, packages, the model file, the README's example
├── GraphExporter         traces the checkpoint to a graph, and quantizes the graph
└── CheckpointExporter    writes the files itself: a checkpoint of plain transformers, say
```

Recipes are checked against exporters before anything runs. So importing an exporter imports
nothing heavy; its methods import what they need.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from compress.errors import EmbeddingsError
from evalsuite.runtimes._extras import require

if TYPE_CHECKING:
    import numpy as np

    from compress.export.bundle import BundleCard

Scales = Literal["group", "tensor"]
Rounding = Literal["nearest", "gptq", "scale-estimation"]
GROUP = 32  # weights that share a scale, unless another size is asked for
ANY_RANK = "rank-N"
TABLE_FORMS = ("fp32", "int8", "int4", ANY_RANK)


@dataclass(frozen=True, slots=True)
class Precision:
    """One precision of a runtime's bundles.

    Attributes:
        summary: what is stored and computed in which type, one sentence.
        packages: packages of the runtime's extra that quantize to it.
        calibrated: whether scales of activations come from calibration text.
        embeddings: values the key `embeddings` takes; `rank-N` means any rank, alone or with
            `-int8` or `-int4` after it.
        quantizes_tables: whether quantizing the weights also stores the embeddings in that form
            (`Weights.embeddings`).
        excludes: whether parts of the model can stay in fp32.
        tensor_scales: whether weights can share one scale per tensor.
        groups: whether weights share a scale in groups whose size can be chosen.
        rounds: whether weights can be rounded so that outputs on calibration text change least.
        bytes_of_weights, bytes_of_words: of a weight of the linear layers, of the word embeddings.
        speed: how many times as fast as torch in fp32 it runs, measured on one processor with
            AVX512-VNNI (docs/LOG.md), for `plan` alone; None: not measured.
    """

    summary: str
    packages: tuple[str, ...] = ()
    calibrated: bool = False
    embeddings: tuple[str, ...] = ()
    quantizes_tables: bool = False
    excludes: bool = False
    tensor_scales: bool = False
    groups: bool = False
    rounds: bool = False
    bytes_of_weights: float = 4.0
    bytes_of_words: float = 4.0
    speed: float | None = None

    def stores_embeddings_as(self, name: str) -> bool:
        """Whether word embeddings can be stored in this form.

        >>> Precision("", embeddings=("int8", "rank-N")).stores_embeddings_as("rank-64-int4")
        True
        """
        return (ANY_RANK if name.startswith("rank-") else name) in self.embeddings


@dataclass(frozen=True, slots=True)
class Weights:
    """How weight-only precisions are made.

    Attributes:
        scales: one per group of weights, or one per tensor (ONNX Runtime, int4).
        embeddings: bits of the embedding tables.
        group: weights that share a scale, where scales are per group.
        rounding: to the nearest value, or by calibration text: `gptq` (Frantar et al. 2023,
            arXiv:2210.17323) or NNCF's `scale-estimation`.
    """

    scales: Scales = "group"
    embeddings: int = 8
    group: int = GROUP
    rounding: Rounding = "nearest"


@dataclass(frozen=True, slots=True)
class Quantizing:
    """What a traced graph is quantized to, and with what.

    Attributes:
        samples: calibration inputs, torch tensors by name; used where the precision is
            `calibrated`, or rounded by text.
        only: names of the nodes to quantize; None: all.
        exclude: names of nodes that stay in fp32.
    """

    precision: str
    samples: Sequence[dict[str, Any]] = ()
    weights: Weights = field(default_factory=Weights)
    only: Sequence[str] | None = None
    exclude: Sequence[str] = ()


class Exporter(ABC):
    """How bundles for one runtime are made.

    Attributes:
        runtime: its name, as in `evalsuite.runtimes`.
        file: the file of a bundle that the runtime opens.
        precisions: by name, the default order of listings.
        extra: the extra of lingopress that installs `packages`.
        packages: optional packages that this runtime always needs.
        families: model types that it writes; none: all.
        every_layer: whether its bundles give the hidden states of every layer; else those of the
            last layer alone, and none where there is a head.
        remedy: what to do where too few labels stay equal.
    """

    runtime: ClassVar[str]
    file: ClassVar[str]
    precisions: ClassVar[Mapping[str, Precision]]
    extra: ClassVar[str] = ""
    packages: ClassVar[tuple[str, ...]] = ()
    families: ClassVar[tuple[str, ...]] = ()
    every_layer: ClassVar[bool] = True
    remedy: ClassVar[str] = "export with precision: fp32"

    def require(self, precision: str) -> None:
        """Look for the optional packages that this precision needs; imports nothing.

        Raises:
            MissingExtraError: one is not installed.
        """
        require(self.extra, *self.packages, *self.precisions[precision].packages)

    def prepare(self, precision: str) -> None:
        """Import what must be imported before transformers.

        Raises:
            MissingExtraError: an optional package is not installed.
        """
        self.require(precision)

    @abstractmethod
    def requirements(self, precision: str) -> str:
        """The packages that run a bundle, in Markdown, for its README."""

    @abstractmethod
    def example(self, card: BundleCard) -> str:
        """A Python script for the bundle's README that runs the bundle from its directory."""

    def note(self, precision: str) -> str:
        """A paragraph below the example, or nothing."""
        return ""


class CheckpointExporter(Exporter):
    """An exporter that writes all files of a model itself, such as a checkpoint's."""

    @abstractmethod
    def write(self, directory: Path, out: Path, precision: str) -> None:
        """Write the checkpoint in `directory` to `out`, in the precision, with a `config.json`."""


class GraphExporter(Exporter):
    """An exporter whose bundles are graphs."""

    @abstractmethod
    def tracer(self, precision: str, shapes: Mapping[str, Any]) -> tuple[Any, Any]:
        """The exporter of `transformers.exporters` for this runtime, and its configuration.

        Args:
            shapes: dynamic axes of each input.
        """

    @abstractmethod
    def drop_output(self, program: Any, name: str) -> None:
        """Remove an output from a traced graph, in place."""

    @abstractmethod
    def quantize(self, program: Any, sample: dict[str, Any], how: Quantizing) -> Any:
        """A traced graph in a precision; the graph itself where there is nothing to quantize.

        Args:
            sample: the inputs it was traced with.
        """

    def tidy(self, program: Any) -> None:
        """Remove, in place, what a graph does not need in a bundle."""

    def store_embeddings(
        self, path: Path, table: np.ndarray, name: str, weights: np.ndarray | None
    ) -> int:
        """Store the word embeddings of a written graph in another form.

        Args:
            path: the graph's file.
            table: float32 `[pieces, width]`.
            name: `fp32`, `int8`, `int4`, `rank-N`, `rank-N-int8` or `rank-N-int4`.
            weights: `[pieces]`, how often each piece occurs; used for a rank.

        Returns:
            number of parameters of the table as it is stored.

        Raises:
            EmbeddingsError: the runtime stores them only as the precision implies.
        """
        raise EmbeddingsError(
            f"embeddings: a bundle for {self.runtime} stores them as its precision implies; "
            "leave embeddings out"
        )


def rank_problem(embeddings: str | None, width: int) -> str | None:
    """What is wrong with the rank that word embeddings are stored in; None where nothing is.

    >>> rank_problem("rank-192-int4", 128)
    'embeddings: rank-192-int4: the table is 128 wide; ask for a lower rank'

    Args:
        width: of the table.
    """
    parts = (embeddings or "").split("-")
    if parts[0] != "rank" or int(parts[1]) < width:
        return None
    return f"embeddings: {embeddings}: the table is {width} wide; ask for a lower rank"
