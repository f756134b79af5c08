"""Cut a smaller size out of a model that was trained at several.

Files:

- `cut.py`: the whole pass, from an elastic student's directory to the cut's checkpoint.

How such a student is trained is in `compress/distill/elastic_training.py`.
"""
