"""The kinds of stages; one file per kind.

`recipes.stages._shared.contract` says what a stage file holds. `lingopress ls stages` lists them,
and `lingopress ls stages NAME` prints the keys of one.

Files:
    pretrain.py: trains an encoder on masked text and translation pairs
    extend.py: gives an English encoder new languages
    train.py: trains a checkpoint, an adapter or a prompt on tasks or on text
    fuse.py: merges one adapter, or several combined, into its base
    distill.py: trains a smaller student from a teacher
    cut.py: cuts one of its sizes out of an elastic student
    factor.py: gives a model fewer numbers per piece, and a linear layer after them
    prune.py: removes layers, attention heads and feed-forward units
    static.py: makes a static model, a vector per piece, of an encoder
    trim.py: reduces the vocabulary to what some languages need
    restore.py: puts the pieces back that trim removed, also into what was trained since
    export.py: writes a bundle for an inference runtime
    cascade.py: makes one bundle of a fast model and a better one
    evaluate.py: scores models on tasks, per language
    benchmark.py: measures size, speed, energy and memory of models
    alignment.py: measures how close languages lie to English, per layer
    fertility.py: counts how vocabularies split the words of each language
    report.py: writes the report of a run
    _shared/: what several stages use
"""
