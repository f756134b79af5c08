"""Tasks of the user's own, declared in a recipe.

Files:
    conll.py: sentences of a CoNLL file: a word per line with columns, a blank line between
        sentences
    declaration.py: what a recipe says about a task of the user's own: its format, files, columns
        and labels
    declared.py: the tasks that the recipe of this process declares
    formats/: the formats of declared tasks: what a row is made of, and how it is read
    hub_places.py: what a declaration has to say of a data set of the hub
    own_hub.py: a declared task whose rows come from a data set of the hub at one commit
    own_retrieval.py: a declared task of retrieval: queries searched for in one pool of candidates
    own_task.py: a task of the user's own, read from the files its declaration names
    records.py: rows of a table file: CSV, TSV, JSON lines or parquet, plain or compressed
    row.py: one row of a declared task's table, by the parts that its format gives it
    side_by_side.py: files with one line per row each, which belong together line by line
    split_names.py: words in names of files and columns that name a split
"""
