"""Training rows of each format: one file per format of task, found by its name.

Each file has a class of rows (`transfer.encoded_rows.encoded.Rows`) that is built from a task, its
examples and an encoder; the file's `ROWS` is that class.

Files:
    `choice.py`: multiple choice, one sequence per choice.
    `multilabel.py`: sentences, or pairs of them, with any of several labels.
    `pair.py`: sentence pairs, one label per row.
    `ranking.py`: queries and the passages that answer them.
    `regression.py`: sentences, or pairs of them, with a score.
    `span.py`: questions with windows of their contexts, start and end of the answer.
    `tagging.py`: sentences with a tag per word.
"""
