"""What a cascade is: models of the same labels, and how sure each must be to answer.

`evalsuite.runtimes.cascade` runs one; `compress.cascade` makes one.

Files:
    confidence.py: calibrated log-probabilities, and how sure a model is
    packed_rows.py: the token ids of a row for models that split text in different ways
    rule.py: `cascade.json`: the members, their temperatures and their thresholds
"""
