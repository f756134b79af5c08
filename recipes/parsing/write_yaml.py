"""YAML that `parse` reads as the same values.

>>> print(dump({"name": "1e5", "rate": 1.0e-5}), end="")
name: '1e5'
rate: 1.0e-05

The library writes the text 1e5 without quotation marks, since to YAML 1.1 it is no number. To
recipes it is one.
"""

from __future__ import annotations

from typing import Any

import yaml

from recipes.parsing.located_yaml import FLOAT

_NUMBER = "tag:yaml.org,2002:float"


class _Dumper(yaml.SafeDumper):
    """Puts quotation marks around text that would be read as a number."""


_Dumper.add_implicit_resolver(_NUMBER, FLOAT, list("-+0123456789"))


def dump(value: Any, **how: Any) -> str:
    """A value as YAML, its keys in their order, on lines of up to 100 characters.

    Args:
        how: keys of `yaml.dump`, in place of these.
    """
    keys = {"sort_keys": False, "allow_unicode": True, "width": 100, **how}
    text: str = yaml.dump(value, Dumper=_Dumper, **keys)
    return text
