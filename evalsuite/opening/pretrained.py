"""A model of transformers from a local directory or from a config.

>>> model = from_pretrained(AutoModel, Path("xlm-roberta-base"))
>>> model.config.model_type
'xlm-roberta'

Every opening goes through this file (`tests/test_architecture.py`). transformers asks on stdin
whether the code in a checkpoint may run, and takes a line of the user's text for the answer; here
the answer is always no.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evalsuite.errors import ModelError, RemoteCodeRefusedError
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.inference.token_types import read_types, separator_of
from evalsuite.opening.accounting import account
from evalsuite.opening.finite import refuse_not_finite
from evalsuite.opening.plausible import refuse_oversized
from evalsuite.opening.weight_files import refuse_integers, shapes
from evalsuite.static.register import register_if_static

_LOCAL = {"local_files_only": True, "trust_remote_code": False}


def from_pretrained(auto: Any, directory: Path, *, new_head: bool = False, **options: Any) -> Any:
    """`auto.from_pretrained` of a local safetensors checkpoint.

    The model reads token types where its tokenizer gives any.

    Args:
        auto: an auto class of transformers, such as `AutoModel`.
        new_head: the caller is about to train the head, so the checkpoint may lack one, or have
            that of another task.
        options: passed on to transformers.

    Raises:
        ModelError: transformers cannot read it, or its tensors are not those of its config.
        NotFiniteError: a weight is NaN or infinite.
        PickleRefusedError: the weights are a pickle.
        RemoteCodeRefusedError: it opens only with the code in it.
    """
    return open_with_report(auto, directory, new_head=new_head, **options)[0]


def open_with_report(
    auto: Any, directory: Path, *, new_head: bool = False, **options: Any
) -> tuple[Any, dict[str, Any]]:
    """The same, and transformers' report of the tensors (`output_loading_info`)."""
    refuse_code(directory)
    refuse_oversized(directory, config_of(directory), shapes(directory))
    if "quantization_config" not in read_config(directory):
        refuse_integers(directory)
    options |= {"ignore_mismatched_sizes": True}  # they are listed by `account`
    try:
        with _quiet():
            model, loading = auto.from_pretrained(
                directory, use_safetensors=True, output_loading_info=True, **_LOCAL, **options
            )
    except Exception as error:  # of any kind: config values go unchecked into many constructors
        raise _does_not_open(directory, error) from error
    account(directory, model, loading, new_head)
    refuse_not_finite(directory, model)
    read_types(model, separator_of(directory, model))
    return model, loading


def from_config(auto: Any, config: Any, **options: Any) -> Any:
    """`auto.from_config`: a model with random weights."""
    return auto.from_config(config, trust_remote_code=False, **options)


def config_of(directory: Path) -> Any:
    """The config object of transformers.

    Raises:
        ModelError: transformers cannot read it.
        RemoteCodeRefusedError: it opens only with the code in it.
    """
    from transformers import AutoConfig

    refuse_code(directory)
    try:
        return AutoConfig.from_pretrained(directory, **_LOCAL)
    except Exception as error:
        raise _does_not_open(directory, error) from error


def refuse_code(directory: Path) -> None:
    """Refuse a checkpoint whose model type transformers does not have.

    Raises:
        RemoteCodeRefusedError: it brings code for it.
        ModelError: it does not, or names no type.
    """
    from transformers import CONFIG_MAPPING

    config = read_config(directory)
    register_if_static(config)
    kind = config.get("model_type")
    if not isinstance(kind, str):
        raise ModelError(
            f"{directory / 'config.json'} has no model_type, such as xlm-roberta; "
            "copy config.json again from where the checkpoint was made"
        )
    if kind in CONFIG_MAPPING:
        return
    if config.get("auto_map"):
        raise RemoteCodeRefusedError(directory, kind)
    raise ModelError(f"{directory} has the model type {kind!r}, which transformers does not know")


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' table of tensors and progress bar on stderr.

    `account` says what is wrong with tensors; a bar of a second tells nobody anything.
    """
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _does_not_open(directory: Path, error: Exception) -> ModelError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return ModelError(f"{directory} does not open as a checkpoint: {reason}")
