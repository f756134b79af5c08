"""Trackers that show a training while it runs: TensorBoard, Trackio, MLflow, Weights & Biases.

>>> how = Tracking("tensorboard", Path("tracked"), "xnli-base", "teacher", work)
>>> with tracker(how, work, step=0) as callback:
...     trainer.add_callback(callback)

Each is transformers' own callback. They write below one folder of this machine and send nothing,
unless the environment names a server: `MLFLOW_TRACKING_URI`, `WANDB_MODE=online`,
`TRACKIO_SPACE_ID`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

Tracker = Literal["tensorboard", "trackio", "mlflow", "wandb"]


@dataclass(frozen=True, slots=True)
class Tracking:
    """Where a stage's trainings are tracked.

    Attributes:
        tracker: which tracker.
        folder: what the trackers of all recipes write into.
        project: name of the recipe.
        run: label of the stage.
        work: work directory of the stage; a training in a folder of it is a separate run.
    """

    tracker: Tracker
    folder: Path
    project: str
    run: str
    work: Path

    def run_name(self, work: Path) -> str:
        """Name of the training that works in `work`: `teacher`, `teacher round-1`."""
        inner = work.relative_to(self.work).parts if work.is_relative_to(self.work) else ()
        return " ".join((self.run, *(part for part in inner if part != "training")))


def is_installed(name: Tracker) -> bool:
    """Whether the tracker's package is there; a folder of that name is none."""
    spec = find_spec(name)
    return spec is not None and spec.origin is not None


@contextmanager
def tracker(how: Tracking, work: Path, step: int) -> Iterator[Any]:
    """A callback for transformers' Trainer; the environment is as before afterwards.

    Args:
        work: directory of the training.
        step: steps that are done already.
    """
    place = how.folder / how.tracker
    place.mkdir(parents=True, exist_ok=True)
    name = how.run_name(work)
    with _environment(_variables(how, place, name)):
        yield _callback(how, place, name, step)


def _callback(how: Tracking, place: Path, name: str, step: int) -> Any:
    if how.tracker == "tensorboard":
        from torch.utils.tensorboard import SummaryWriter
        from transformers.integrations import TensorBoardCallback

        folder = place / _plain(how.project) / _plain(name)
        # What was written about steps that are taken again is not shown twice.
        return TensorBoardCallback(
            SummaryWriter(str(folder), purge_step=step + 1 if step else None)
        )
    from transformers import integrations

    names = {"trackio": "TrackioCallback", "mlflow": "MLflowCallback", "wandb": "WandbCallback"}
    return getattr(integrations, names[how.tracker])()


def _variables(how: Tracking, place: Path, name: str) -> dict[str, str]:
    """What the trackers' libraries read, where the person has not set it; telemetry is off."""
    digest = sha256(f"{how.work}\0{name}".encode()).hexdigest()[:16]
    variables: dict[Tracker, dict[str, str]] = {
        "tensorboard": {},
        "trackio": {
            "TRACKIO_DIR": str(place),
            "GRADIO_ANALYTICS_ENABLED": "False",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        },
        "mlflow": {
            "MLFLOW_TRACKING_URI": f"sqlite:///{place / 'mlflow.db'}",
            "MLFLOW_EXPERIMENT_NAME": how.project,
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
        "wandb": {
            "WANDB_MODE": "offline",
            "WANDB_DIR": str(place),
            "WANDB_PROJECT": how.project,
            "WANDB_RUN_ID": digest,
            "WANDB_RESUME": "allow",
            "WANDB_SILENT": "true",
            "WANDB_ERROR_REPORTING": "false",
        },
    }
    return variables[how.tracker]


def _plain(name: str) -> str:
    """A name as one folder."""
    return name.replace("/", "-").replace("\\", "-")


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set those that are not set, and take them away at the end."""
    added = [name for name in variables if name not in os.environ]
    os.environ.update({name: variables[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
