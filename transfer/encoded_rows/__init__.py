"""Training rows as token ids, and the tensors of a batch of them.

Files:
    `encoded.py`: the encoder, and what rows of all formats share.
    `formats/`: the rows of each format of task, one file per format.
    `label_sample.py`: labels of the rows, as the loss compares them.
    `load_rows.py`: read and encode a task's training split.
    `masked_text.py`: sequences for masked language modelling.
"""
