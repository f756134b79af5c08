"""The result files of the project, as records that are checked when they are read.

Files:
    record.py: the base of all records, and what they share: the machine and the model
    task.py: scores of one model on one task
    speed.py: time, memory and energy of one model
    alignment.py: how similar a model's languages are to English, per layer
    fertility.py: how a vocabulary splits words
    search.py: the trials of a search and the recommended one
    run.py: a whole run, with the stages it consists of
"""
