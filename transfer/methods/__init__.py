"""How the weights are trained; one file a method, each with `prepare(model, format, options)`.

`prepare` takes a loaded transformers model and returns the model to hand to the training loop;
`save(model, out)` writes what a plain `from_pretrained` of transformers or peft opens.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from evalsuite import catalog
from evalsuite.errors import UnknownNameError


def names() -> tuple[str, ...]:
    """Methods there are, by file."""
    return catalog.names(__name__)


def get(name: str) -> ModuleType:
    """The module of one method.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in names():
        raise UnknownNameError("method", name, names())
    return importlib.import_module(f"{__name__}.{name}")
