"""Look at a person's files: what they hold, in which languages, and how a recipe would declare it.

Files:
    assign.py: which files are for training, development and tests; rows are divided where names do
        not say it
    by_column.py: the rows of a file apart, where columns name their language or their split
    column_names.py: usual names of columns, by what the columns hold
    columns.py: what the values of a column look like: texts, labels, scores, ids, languages
    declare.py: from files that were looked at to the declaration of a task
    declared_paths.py: the files of a split as a recipe has them, with `{language}` or per code
    divide.py: rows divided into training, development and test rows, the same ones each time
    english.py: whether texts are English, for files whose names do not say it
    files.py: the data files of folders, and what their names say: split, language, part of a row
    guessed.py: the format and columns of a table, as the files of `formats` see them
    language_codes.py: language codes and names, as file names, folder names and columns write them
    language_names.py: English names of the languages of ISO 639-1
    locales.py: regions and scripts after the code of a language
    origins.py: where rows that were written to other files came from, for messages
    rows.py: all rows of a file in the form it has, so that some can be written to another file
    several.py: several labels in one field: whether a column has them, and the names in it
    sheet.py: the first rows of a file, with its columns
    survey.py: rows, labels and their shares of a declared task, and what is wrong with its files
    token_count.py: how many tokens a text is expected to have
"""
