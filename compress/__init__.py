"""Passes that make a model smaller or faster.

Each folder is one pass, and `lingopress ls passes` lists the folders. Each pass that can lose
accuracy measures how much it lost.

Files:

- `cascade/`: makes one bundle of two or three models, of which the fast one answers what it can.
- `cut/`: cuts one of its sizes out of an elastic student.
- `distill/`: trains a smaller student on a teacher's outputs.
- `export/`: writes a checkpoint as a bundle for a runtime, at a lower precision.
- `factor/`: gives a model factored word embeddings, so that it keeps all its pieces.
- `fuse/`: merges adapters into the weights of their base.
- `prune/`: removes the least important layers, attention heads and feed-forward units.
- `static/`: makes a static model, a vector per vocabulary piece, of an encoder.
- `trim/`: removes the vocabulary pieces that the chosen languages do not use.
- `gate.py`: compares a model before and after a pass with the limits of the recipe.
- `memory.py`: how much memory a pass will take, from the configs of its models alone.
- `errors.py`: the exceptions of this package.
"""
