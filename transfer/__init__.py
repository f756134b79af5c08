"""Train: intermediate tasks, target tasks, adapters, pretraining. One loop, objectives passed in."""
