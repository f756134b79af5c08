"""Remove the layers, attention heads and feed-forward units that a model needs least.

Files:

- `prune.py`: prunes in rounds, with recovery by distillation after each round.
- `rules.py`: which sizes can be asked for; called by `check` and by the pass.
- `importance.py`: measures the importance of each layer, head and unit.
- `importance_text.py`: reads the text on which importance is measured.
- `structure.py`: cuts units and heads out of a model.
"""
