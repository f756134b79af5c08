"""Tasks of the user's own, declared in a recipe.

Files:
    conll.py: sentences of a CoNLL file: a word per line with columns, a blank line between
        sentences
    declaration.py: what a recipe says about a task of the user's own: its format, files, columns
        and labels
    declared.py: the tasks that the recipe of this process declares
    own_task.py: a task of the user's own, read from the files its declaration names
    records.py: rows of a table file: CSV, TSV, JSON lines or parquet, plain or compressed
"""
