"""How to install an extra of lingopress, as docs/start.md has it.

>>> install_command("serve")  # from a checkout
"pip install -c constraints.txt -e '.[serve]'"
"""

from __future__ import annotations

from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


def install_command(extra: str) -> str:
    """The command; of a checkout, to be typed in its folder."""
    if _is_checkout():
        return f"pip install -c constraints.txt -e '.[{extra}]'"
    return f"pip install 'lingopress[{extra}]'"


def how_to_install(extra: str) -> str:
    """The end of a message: `type: pip install 'lingopress[serve]'`, or where to type it, too."""
    place = f" in {_ROOT}" if _is_checkout() else ""
    return f"type{place}: {install_command(extra)}"


def _is_checkout() -> bool:
    return all((_ROOT / name).is_file() for name in ("pyproject.toml", "constraints.txt"))
