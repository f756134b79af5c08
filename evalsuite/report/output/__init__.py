"""Write the report and what goes with it.

Files:
    cards.py: model cards for the Hugging Face hub
    export.py: all numbers as one long table, in CSV or Parquet
    page.py: report.html, report.md, report.json and summary.txt
    read_report.py: read a report.json back
    summary.py: the report in a few lines of plain text
    templating.py: the Jinja templates
    templates/: report, table and card, and the style sheet
"""
