"""The formats of declared tasks: what a row is made of, and how it is read. One file per format.

Each file says:

- `ROLES`: the parts of a row and their usual columns, in one way or several (a sentence, or two);
- `FORMAT`: the format in `evalsuite.formats` that encodes, decodes and trains on the rows, and
  `METRIC`, the main metric where the recipe names none; one, or one for each of the ways;
- `GOLD`: the parts that a test file may lack; its rows are then predicted on and not scored;
- `LISTS`: the parts that may have several columns;
- `labels(rows)`: the labels of a split's rows, for a task that does not declare them;
- `FIXED`: in place of `labels`, what all models of the format give;
- `example(row, id, labels)`: what a row of a table becomes; of retrieval, ids of candidates are
  given in place of labels;
- `reads_whole(path)`, where some files are no tables: whether this is one; `examples(declaration,
  path, prefix, labels)` gives its rows, and `labels_of_files(declaration, paths)` their labels.

Files:
    _label.py: what formats share whose rows have one label
    _several.py: several names in one field: a JSON list, or names between marks
    _texts.py: what formats share whose rows have a sentence, or two
    choice.py: a context and answers to choose from, a question about it where there is one
    classification.py: a sentence and its label
    multilabel.py: a sentence, or two, and any of several labels
    pair.py: two sentences and their label
    retrieval.py: queries and the candidates that answer them; or lines and their translations
    regression.py: a sentence, or two, and a score
    span.py: a question, a context and the answers in it: SQuAD JSON, or a table of such rows
    tagging.py: words with a tag each: in CoNLL form, or a sentence per line with its tags in a
        second file
"""
