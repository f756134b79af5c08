"""Factor word embeddings: fewer numbers per piece, and a linear layer to the model's width.

The layers stay as they are. ELECTRA is the architecture that has such embeddings with BERT's
layers, so what is written is one.

Files:

- `make.py`: the whole pass; writes the checkpoint.
- `rules.py`: which models can be factored, and the config of what they become.
- `embedded.py`: what a model's embeddings give for each piece, position and type.
- `directions.py`: the directions in which frequent pieces differ most.
- `level_rows.py`: rows that a layer norm does not change.
"""
