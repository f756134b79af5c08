"""The result files of the project, as records that are checked when they are read.

Files:
    numbers.py: the ranges of percentages, times, sizes and counts, checked when a result is made
        and when it is read
    read_record.py: read a result file; what is wrong with one, in words
    record.py: the base of all records, and what they share: the machine and the model
    task.py: scores of one model on one task
    speed.py: time, memory and energy of one model
    alignment.py: how similar a model's languages are to English, per layer
    fertility.py: how a vocabulary splits words
    training.py: loss and dev scores of a training, by step
    search.py: the trials of a search and the recommended one
    run.py: a whole run, with the stages it consists of
"""
