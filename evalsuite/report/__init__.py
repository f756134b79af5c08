"""Turn the results of a run into a report: HTML to look at, Markdown to paste, JSON to read back.

>>> from evalsuite.report.output.page import write
>>> write(run, Path("report"))
PosixPath('report/report.html')

A new table is one new file in `tables/`; `section.py` shows an example.

Files, each of which imports only from those above it:
    table.py: cells, columns and rows, and a table as Markdown
    figures/: compute the numbers and sentences
    charts/: choose and draw the charts
    section.py: sections and their parts, which the files of tables/ give
    tables/: shape the numbers into tables, one file per table
    output/: write the files of the report, the model cards and the exports
"""
