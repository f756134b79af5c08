"""What the machine and the files of a model are: processor, processes, sizes.

Files:
    child_process.py: processes that start with their imports done and do not outlive who asked
        for them
    environment.py: what a figure was measured with: processor, instruction set, threads, library
        versions
    memory.py: how much memory this machine has, and how much a piece of work takes, by part
    model_shape.py: the shape of a model and its parameters by part, from its config alone
    model_size.py: counts and digests of weights on disk, read without loading them
    probe.py: how fast this machine is now, in a fraction of a second per figure
    waiting.py: how the threads of one computation wait for each other: by spinning, or by sleeping
    work.py: what a piece of work computes and moves, whatever the machine
"""
