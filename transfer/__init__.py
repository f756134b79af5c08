"""Train: pretraining, intermediate and target tasks, adapters; one loop, objectives passed in."""
