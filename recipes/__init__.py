"""Say what to do, and do it: recipes, their plan, their cache, their command line.

Files:
    errors.py: the exceptions of `recipes`
    hashing.py: SHA-256 of files, remembered between runs
    naming.py: names of files, made from labels of stages and names of recipes, or typed by a
        person
    run.py: run a recipe: its stages in order, each from the cache where it is there
    torchrun.py: `accelerate launch` (or `torchrun`) of the command: the processes it starts
        become one command
"""
