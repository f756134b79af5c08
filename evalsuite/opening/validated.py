"""JSON files of a model, read through a pydantic model of what they hold.

>>> read_json(Path("bundle/bundle.json"), BundleFile, "copy the bundle again")["layers"]
6
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evalsuite.errors import ModelError

ADAPTER_FILE = "adapter_config.json"
TRAINING_FILE = "training.json"  # next to an adapter: which base it saw
_SHOWN = 3  # mistakes in a message
Count = Annotated[int, Field(ge=0)]
Size = Annotated[int, Field(ge=1)]
FileName = Annotated[str, Field(pattern=r"^((onnx|1)/)?[^/\\]+$")]


class JsonFile(BaseModel):
    """A file of which some entries are read; there may be more."""

    model_config = ConfigDict(extra="allow", strict=True)


class BundleFile(JsonFile):
    """`bundle.json`: what a bundle is. `compress.export.bundle.BundleCard` says what each means."""

    runtime: str
    file: FileName
    precision: str
    labels: list[str]
    layers: Count  # none of a static model
    max_length: Size
    architecture: str
    parameters: Count
    embedding_parameters: Count
    bytes: dict[FileName, Count] = {}
    heads: list[Count] | None = None
    last_layer: str | None = None
    keep_tokens: dict[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1, le=99)]] | None = None


class ConfigFile(JsonFile):
    """`config.json` of a checkpoint or bundle: the entries that are read as they are written."""

    model_type: str | None = None
    architectures: list[str] | None = None
    id2label: dict[Annotated[str, Field(pattern=r"^\d+$")], str] | None = None
    problem_type: str | None = None
    vocab_size: Size | None = None
    max_position_embeddings: int | None = None
    num_labels: Annotated[int, Field(ge=0, le=100_000)] | None = None
    pad_token_id: int | None = None
    quantization_config: dict[str, Any] | None = None


class WeightIndex(JsonFile):
    """`model.safetensors.index.json`: which file holds which tensor."""

    metadata: dict[str, Any]
    weight_map: Annotated[dict[str, FileName], Field(min_length=1)]


class AdapterFile(JsonFile):
    """`adapter_config.json` of peft."""

    base_model_name_or_path: Annotated[str, Field(min_length=1)]
    peft_type: Annotated[str, Field(min_length=1)]
    task_type: str | None = None
    revision: str | None = None
    num_virtual_tokens: Size | None = None
    use_dora: bool = False
    r: Size | None = None
    lora_alpha: float | None = None
    use_rslora: bool = False
    rank_pattern: dict[str, Size] | None = None
    alpha_pattern: dict[str, float] | None = None


class TrainingFile(JsonFile):
    """`training.json` next to an adapter: how its base was held while it was trained."""

    task: str | None = None
    labels: list[str] | None = None  # of the head, in its order; not in older files
    base_precision: Literal["fp32", "bf16", "int8", "nf4"] = "fp32"
    embeddings: Literal["fp32", "bf16", "int8", "int4"] = "fp32"


def adapter_config(directory: Path) -> dict[str, Any]:
    """`adapter_config.json` as a mapping. Raises: as `read_json`."""
    return read_json(directory / ADAPTER_FILE, AdapterFile, "copy the adapter again")


def training_record(directory: Path) -> dict[str, Any]:
    """`training.json`; empty for an adapter made elsewhere.

    Raises:
        ModelError: it does not hold what it should.
    """
    try:
        return read_json(directory / TRAINING_FILE, TrainingFile, "copy the adapter again")
    except FileNotFoundError:
        return {}


def read_json(path: Path, model: type[JsonFile], remedy: str) -> dict[str, Any]:
    """The file as a mapping, after it has been checked.

    Args:
        remedy: what to do about a file of another shape, for the message.

    Raises:
        FileNotFoundError: there is no such file.
        ModelError: it cannot be read, is not JSON, or is of another shape; lists what is
            wrong with it.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}\n{remedy}") from None
    try:
        found = model.model_validate_json(text)
    except ValidationError as error:
        wrong = [_described(mistake) for mistake in error.errors()]
        more = [f"and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
        raise ModelError(
            f"{path} does not hold what it should: {'; '.join(wrong[:_SHOWN] + more)}\n{remedy}"
        ) from None
    return found.model_dump(exclude_unset=True)


def _described(mistake: Any) -> str:
    place = ".".join(str(part) for part in mistake["loc"])
    return f"{place}: {mistake['msg']}" if place else str(mistake["msg"])
