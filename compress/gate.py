"""Hold a lossy step to what its recipe allows.

>>> hold(parity, least=99.0, step="trim", remedy="raise coverage")
GateError: trim: 97.20% of labels agree with what it was made from, min_agreement asks for 99%
"""

from __future__ import annotations

from collections.abc import Callable

from compress.errors import GateError
from evalsuite.parity import Parity


def hold(
    parity: Parity,
    least: float,
    step: str,
    remedy: str,
    where: Callable[[], str] = lambda: "",
) -> None:
    """Pass, or raise with the figures.

    Args:
        least: percent of labels that must be equal.
        step: what lost them.
        remedy: what a person can change.
        where: finds out which layers lost them; asked only when it fails.

    Raises:
        GateError: fewer labels agree; names the worst language.
    """
    if parity.agreement >= least:
        return
    layers = where()
    language, value = parity.worst()
    raise GateError(
        f"{step}: {parity.agreement:.2f}% of labels agree with the checkpoint it was made from, "
        f"min_agreement asks for {least:g}%\n"
        f"worst language: {language} with {value:.2f}%; outputs differ by up to "
        f"{parity.maximum:.4g} where the largest is {parity.scale:.4g}\n"
        + (f"{layers}\n" if layers else "")
        + remedy
    )
