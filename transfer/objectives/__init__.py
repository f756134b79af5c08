"""What a training minimizes; pure functions of (model, batch), one file an objective.

Files:
    gold.py: the loss of a head on gold labels or scores; what the labels are says which
    matching.py: a query and its passage land on one vector: a bi-encoder for LAReQA and Mewsli-X
    mlm.py: masked language modelling, and translation language modelling when the text is a pair
    robust.py: losses that hold when word embeddings move a little, as they do from one language
        to another
    sentences.py: sentence-embedding distillation: a sentence and its translation land on one
        vector
    sentence_vectors.py: how sentences become vectors in a training; the trained checkpoint
        declares the same
    spans.py: an answer's two ends: each is one token of the sequence, so scores compare over the
        tokens
"""
