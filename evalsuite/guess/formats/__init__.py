"""How each format of own tasks is recognised, one file each; the name is the format's.

A file has `recognise(sheet) -> Guess | None`: the columns, where the sheet holds such rows.

Files:
    choice.py: a context, answers to choose from, and which is right
    classification.py: a text and its label
    multilabel.py: a text, or two, and any of several labels
    pair.py: two texts and a label
    regression.py: a text, or two, and a score
    retrieval.py: lines and their translations
    span.py: a question and a context with its answers
    tagging.py: words with a tag each, in CoNLL form
"""
