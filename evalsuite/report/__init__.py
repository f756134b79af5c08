"""Turn a run's results into a report: HTML to look at, Markdown to paste, JSON to read back.

>>> from evalsuite.report import write
>>> write(run, Path("report"))
PosixPath('report/report.html')
"""

from __future__ import annotations

from evalsuite.report.page import write

__all__ = ["write"]
