"""Open a checkpoint or a bundle in the runtime it is made for.

>>> predictor = open_model(Path("student-int8"), threads=2)
>>> predictor(ids, mask, ("logits",))["logits"].shape
(8, 3)

A runtime is one file with `opens(directory) -> bool`, `open_model(directory, threads)` and
`modules(directory)`; the first one whose `opens` returns True takes the directory.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from evalsuite.errors import ModelError, PickleRefusedError
from evalsuite.inference.predictor import Predictor
from evalsuite.machine import waiting
from evalsuite.registry import RUNTIMES

BUNDLE_FILE = "bundle.json"
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


def open_model(directory: Path, threads: int | None = None) -> Predictor:
    """Open a checkpoint or a bundle in the runtime it is made for.

    Raises:
        ModelError: nothing here can open it; says what a checkpoint must hold.
        PickleRefusedError: the weights are a pickle.
    """
    waiting.choose()
    predictor: Predictor = _runtime(directory).open_model(directory, threads)
    return predictor


def modules(directory: Path) -> tuple[str, ...]:
    """Names of what opening this model imports, to be imported ahead of it.

    Raises: as `open_model`.
    """
    names: tuple[str, ...] = _runtime(directory).modules(directory)
    return names


def _runtime(directory: Path) -> ModuleType:
    for name in RUNTIMES.names():
        runtime = RUNTIMES.get(name)
        if runtime.opens(directory):
            return runtime
    refuse_pickle(directory)
    raise ModelError(
        f"{directory} is neither a checkpoint (config.json and model.safetensors) nor a bundle "
        f"({BUNDLE_FILE} and its model file)"
    )


def is_pickle(path: Path) -> bool:
    """Whether a file is a pickle by its name; `.bin` next to `.xml` holds OpenVINO's weights."""
    return path.suffix in _PICKLES and not path.with_suffix(".xml").is_file()


def refuse_pickle(directory: Path) -> None:
    """Raise PickleRefusedError when the only weights are pickles."""
    pickles = sorted(
        path.name
        for path in directory.glob("*.*")
        if path.name != "training_args.bin" and is_pickle(path)
    )
    if pickles and not any(directory.glob("*.safetensors")):
        raise PickleRefusedError(directory, pickles)
