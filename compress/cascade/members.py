"""The members of a cascade: their names, what they must have in common, what they say of rows."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from compress.errors import CascadeError
from evalsuite.inference.checkpoint_config import head_of, model_config
from evalsuite.inference.label_order import few, places, same_names
from evalsuite.inference.open_model import is_pickle, open_model
from evalsuite.inference.session import Session
from evalsuite.machine.model_size import GRAPHS
from evalsuite.opening.tokenizer import tokenizer_digest
from evalsuite.results.run import MANIFEST

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.task import PairExample


@dataclass(frozen=True, slots=True)
class Source:
    """A model that becomes a member: its name, and where it is."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a member says of rows, and what it is.

    Attributes:
        logits: of each set of rows, `[rows, labels]`, in the order of the cascade's labels.
        tokenizer: digest of its tokenizer.
        pad_id: what it pads with.
    """

    logits: list[np.ndarray]
    max_length: int
    tokenizer: str
    pad_id: int
    architecture: str
    precision: str
    parameters: int
    embedding_parameters: int
    digest: str


def ask(source: Source, labels: Sequence[str], rows: Sequence[Sequence[PairExample]]) -> Outputs:
    """Run a model over sets of rows.

    Raises:
        CascadeError: it does not give one of these labels per row.
        ModelError: it does not open.
    """
    import numpy as np

    predictor = open_model(source.path)
    head = head_of(model_config(source.path))
    if head != "pair" or predictor.answers != "label":
        raise CascadeError(
            f"{source.name} does not give one label per row, as the members of a cascade must"
        )
    if not same_names(predictor.labels, labels):
        raise CascadeError(
            f"{source.name} predicts {few(predictor.labels)}; the cascade needs {few(labels)}"
        )
    session, order = Session(predictor), places(labels, predictor.labels)
    logits = [
        np.stack(session.run(session.encode("pair", some), "logits"))[:, order] for some in rows
    ]
    info = predictor.describe(source.name)
    return Outputs(
        logits,
        predictor.max_length,
        tokenizer_digest(session.tokenizer.to_str()),
        session.pad_id,
        info.architecture,
        predictor.precision,
        info.parameters,
        info.embedding_parameters,
        info.digest,
    )


def copy(source: Path, out: Path) -> None:
    """Copy the files of a model, without a stage's manifest and hidden ones; links become files."""
    for folder in (Path(), *map(Path, GRAPHS)):
        for path in sorted((source / folder).glob("[!.]*")):
            if path.is_file() and path.name != MANIFEST and not is_pickle(path):
                (out / folder).mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, out / folder / path.name)
