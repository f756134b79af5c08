"""Compare two models on the same rows: their predictions, their outputs, across vocabularies.

Files:
    across_vocabularies.py: how far two models with different vocabularies differ on the
        same text
    equal_answers.py: when two models give a row the same answer, by what their heads give
    outputs.py: how far two models' outputs lie apart on real multilingual text
    predictions.py: two models on the same rows: how often their predictions are equal
"""
