"""A report in a notebook.

>>> framed(Path("report.html"))
'<iframe srcdoc="..." ...></iframe>'
"""

from __future__ import annotations

import html
from pathlib import Path


def framed(report: Path) -> str:
    """A report's page in a frame, so that its styles stay in it."""
    page = html.escape(report.read_text(encoding="utf-8"), quote=True)
    return f'<iframe srcdoc="{page}" style="width: 100%; height: 40em; border: 0"></iframe>'
