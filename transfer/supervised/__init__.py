"""Train on labelled tasks: mixtures, scores on dev rows, restarts.

Files:
    constant_answer.py: trainings that learnt next to nothing, known by the loss of one answer for
        every row
    dev_scores.py: scores of a model in training on English dev rows, by the code that scores
        every model
    keep_best.py: which of a training's steps is kept, and when it stops, by English dev rows
        alone
    mixture.py: what the batches of a training are drawn from: a task's rows, a language of them,
        masked text
    options.py: the options of a training on tasks
    restarts.py: trainings that come to nothing, found out and begun again with another seed
    rules.py: which tasks and options go together, for check and for the training alike
    save_trained.py: the summary of a training, and the files it writes
    snapshots.py: trained weights on disk, in the work directory: the best so far, or some to take
        the mean of
    train_tasks.py: train an encoder on one task, or on several at once with one head each
"""
