"""How much memory a training will take, from the model's config and the stage's keys alone.

Files:
    held_weights.py: bytes of a model's weights in each precision
    activations.py: bytes that a forward pass keeps for the backward pass
    running.py: what running a model takes, with nothing trained
    training.py: all that a training holds at its peak, by part
"""
