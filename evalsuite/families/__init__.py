"""Model families, one file each, with a module-level `FAMILY`: where the parts of a model are.

`evalsuite.registry.FAMILIES` finds them by their file names, which are transformers' model types
with `_` for `-`, and `evalsuite.family` says what a family is. `_bert.py` has what those built like
BERT share.
"""
