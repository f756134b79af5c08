"""Measure what a model costs to run: latency, throughput, memory, energy.

Files:
    measure.py: measures models one after the other, each in a new process
    worker.py: what a measuring process does
    tokenizer_cost.py: time and memory that the tokenizer takes
    timer.py: times batches of token ids on an open model
    grid.py: batches of fixed shapes
    peak.py: how fast the machine multiplies matrices
    flops.py: operations of a model for a batch
    energy.py: energy that the processor used, where the system reports it
"""
