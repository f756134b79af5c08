"""Look at a person's files: what they hold, in which languages, and how a recipe would declare it.

Files:
    assign.py: which files are for training, development and tests; rows are divided where names do
        not say it
    columns.py: what the values of a column look like: texts, labels, scores, ids, languages
    declare.py: from files that were looked at to the declaration of a task
    divide.py: rows divided into training, development and test rows, the same ones each time
    english.py: whether texts are English, for files whose names do not say it
    files.py: the data files of folders, and what their names say: split, language, part of a row
    guessed.py: the format and columns of a table, as the files of `formats` see them
    language_codes.py: language codes and names, as file and folder names write them
    rows.py: all rows of a file in the form it has, so that some can be written to another file
    sheet.py: the first rows of a file, with its columns
    survey.py: rows, labels and their shares of a declared task, and what is wrong with its files
"""
