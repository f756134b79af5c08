"""Whether the optional packages of an extra are installed."""

from __future__ import annotations

from importlib.util import find_spec

from evalsuite.errors import MissingExtraError


def require(extra: str, *packages: str) -> None:
    """Look for packages without importing them.

    >>> require("openvino", "openvino", "nncf")

    Args:
        extra: the extra of lingopress that installs them.

    Raises:
        MissingExtraError: one is not installed; says what to type.
    """
    for package in packages:
        if find_spec(package) is None:
            raise MissingExtraError(package, extra)
