"""Make a static model of an encoder: a vector per piece of its vocabulary, and no layer.

Files:

- `make.py`: the whole pass; writes the static checkpoint.
- `piece_vectors.py`: what the encoder makes of each piece that it reads alone.
- `rules.py`: how wide a static model can be.
- `table.py`: principal components of these vectors, and weights by frequency.
"""
