"""Cut a checkpoint's vocabulary to what the text of some languages needs.

Files:

- `trim.py`: the whole pass; writes the smaller checkpoint and a record of what was cut.
- `pieces.py`: chooses the pieces to keep.
- `prior.py`: how often a piece is to be expected, by text and by the tokenizer's scores.
- `kinds/`: kinds of vocabulary, one file each: how pieces are taken out of it.
- `vocabulary_kind.py`: what a kind of vocabulary provides.
- `registry.py`: finds the kinds.
- `tokenizer_parts.py`: the parts of a tokenizer's file, and the file without some pieces.
- `config_ids.py`: ids of special tokens that a config names.
- `weight_rows.py`: the rows of the weights that stand for pieces.
- `split_report.py`: how the text of each language is split before and after.
- `restore.py`: puts the pieces back that a trim removed.
"""
