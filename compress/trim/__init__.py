"""Cut a checkpoint's vocabulary to what the text of some languages needs.

Files:

- `trim.py`: the whole pass; writes the smaller checkpoint and a record of what was cut.
- `pieces.py`: chooses the pieces to keep, and rewrites the tokenizer.
- `weight_rows.py`: the rows of the weights that stand for pieces.
- `split_report.py`: how the text of each language is split before and after.
- `restore.py`: puts the pieces back that a trim removed.
"""
