"""Names and shapes of the tensors in a checkpoint's files, read without loading them.

>>> shapes(Path("xlm-roberta-base"))["roberta.embeddings.word_embeddings.weight"]
(250002, 768)
"""

from __future__ import annotations

from pathlib import Path

from evalsuite.errors import ModelError
from evalsuite.inference.open_model import refuse_pickle
from evalsuite.opening.validated import WeightIndex, read_json

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"


def files(directory: Path) -> list[Path]:
    """The files that transformers reads the weights from: one, or those an index names.

    Raises:
        ModelError: one is absent, or the index is not one.
        PickleRefusedError: the weights are a pickle.
    """
    if (directory / WEIGHTS).is_file():
        return [directory / WEIGHTS]
    path = directory / INDEX
    if not path.is_file():
        refuse_pickle(directory)
        raise ModelError(f"{directory} has no {WEIGHTS}; copy it from where the checkpoint is")
    index = read_json(path, WeightIndex, "copy it again from where the checkpoint is")
    found = [directory / name for name in sorted(set(index["weight_map"].values()))]
    for file in found:
        if not file.is_file():
            raise ModelError(f"{path} names {file.name}, and {directory} has no such file")
    return found


def shapes(directory: Path) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor.

    Raises:
        ModelError: a file is absent, cut short or damaged.
    """
    return {name: shape for file in files(directory) for name, shape in file_shapes(file).items()}


def refuse_integers(directory: Path) -> None:
    """Raise ModelError where a tensor holds whole numbers, as those of quantized weights do.

    transformers would read them as weights. Old checkpoints store the numbers of positions.
    """
    from safetensors import safe_open

    for file in files(directory):
        with safe_open(file, "numpy") as opened:
            for name in opened.keys():  # noqa: SIM118  a file, not a mapping
                kind = opened.get_slice(name).get_dtype()
                if kind[0] in "IUB" and kind != "BF16" and not name.endswith("_ids"):
                    raise ModelError(
                        f"{file}: {name} holds numbers of the type {kind}, and config.json has no "
                        "quantization_config; copy the checkpoint again"
                    )


def file_shapes(file: Path) -> dict[str, tuple[int, ...]]:
    """The same of one file.

    Raises:
        ModelError: it is cut short or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        file.open("rb").close()  # safetensors says of a file without rights that it is not there
        with safe_open(file, "numpy") as opened:
            return {
                name: tuple(opened.get_slice(name).get_shape())
                for name in opened.keys()  # noqa: SIM118  a file, not a mapping
            }
    except PermissionError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(
            f"{file} is not a whole safetensors file: {error}\ncopy it again"
        ) from None
