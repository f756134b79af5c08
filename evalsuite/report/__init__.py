"""Turn a run's results into a report: HTML to look at, Markdown to paste, JSON to read back.

>>> from evalsuite.report.output.page import write
>>> write(run, Path("report"))
PosixPath('report/report.html')
"""
