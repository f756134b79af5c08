"""Kinds of vocabulary that trim can cut, one file each, with a module-level `KIND`.

They are named after the models of the `tokenizers` library, in small letters, and found by
`compress.trim.registry`. `compress.trim.vocabulary_kind` says what a kind provides.

Files:

- `bpe.py`: pieces made by merges, of characters or of bytes.
- `unigram.py`: pieces with scores, as SentencePiece trains them for XLM-R.
- `wordpiece.py`: the longest piece first, as BERT splits words.
"""
