"""How well a checkpoint's languages lie on one another, layer by layer, and what is left of it.

>>> base, tuned = measure([("base", open_model(a)), ("tuned", open_model(b))], task, source)
>>> tuned.languages["sw"].retrieval
(1.2, 9.6, 20.4, 31.0, 28.3, 17.1, 8.0)

Sentences and their translations go through every model, layer by layer; what fine-tuning keeps of
the alignment is the retrieval accuracy after over before (retention).

Files:
    measure.py: measure several models on the same parallel text
    measures.py: measures of alignment between sentence vectors and those of their translations
"""
