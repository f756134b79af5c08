"""Find texts by their embeddings: nearest neighbours, ratio margin, mining.

Files:
    bitext_mining.py: pairs of sentences mined from two corpora: which are proposed, and which are
        good enough
    cosine.py: nearest neighbour among all English sentences, by cosine
    declared_vectors.py: what a checkpoint declares of its sentence vectors, in the files of
        sentence-transformers
    embedding.py: sentences as vectors: one layer's hidden states, pooled; and queries ranked by
        them
    nearest.py: the nearest of many candidates by cosine, exactly, a block of candidates at a time
    ratio_margin.py: translations found by ratio margin: how near two sentences are, for how near
        their others are
    sentence_embedder.py: sentence vectors as a checkpoint declares them: prompt, pooling, length 1
    sentences.py: how a sentence is encoded for an embedding, and how its tokens become one vector
    threshold.py: where to stop taking mined pairs: the threshold of the best F1
"""
