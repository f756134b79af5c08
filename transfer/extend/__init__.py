"""Give an English encoder new languages, from parallel text and teachers.

Files:
    corpus.py: the text `extend` learns from: its vocabulary, its encoding, what is held out
    curve.py: held-out retrieval at some points of training
    extend.py: give an English encoder new languages
    options.py: what `extend` learns and for how long
    plan.py: what each batch of `extend` has, decided before the first step
    rules.py: which objectives read pairs of sentences, and which read a stream of lines
    start.py: the word embeddings `extend` starts from
    streams.py: the lines of a stream, as rows of the objectives that need no translation
"""
