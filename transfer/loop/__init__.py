"""The one training loop: batches, steps, processes.

Files:
    batch_plan.py: the order of training: which examples make which batch, decided before the
        first step
    compute.py: the precision that a training computes in
    fit.py: the one training loop: transformers.Trainer over a fixed plan of batches
    mixed_plan.py: batches of several parts, in memory or streamed
    mixing.py: multi-task sampling: which data set each step draws from
    optimizer_steps.py: transformers.Trainer over a plan of optimizer steps, each of one or more
        micro-batches
    processes.py: one training by several processes of this machine, which share each optimizer
        step
    stream_plan.py: the order of a training on more text than memory holds
    tracking.py: trackers that show a training while it runs, such as TensorBoard
    training_length.py: how many batches a training has, from the number of its rows, of epochs
        and of steps
    training_log.py: what a training writes about itself while it runs
    types.py: names for the tensors and functions that a training is made of
"""
