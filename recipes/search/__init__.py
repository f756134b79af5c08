"""Search over values of a recipe's keys within a budget.

Files:
    feasible.py: which assignments of a search's knobs can be, before anything runs
    optuna_sampler.py: which assignment to try next: optuna proposes, none comes twice
    pull_recipe.py: copy the stages of a recipe from a shared cache; of a search, those of every
        trial there can be
    trial_loop.py: run a recipe whose knobs are searched: trial after trial, then one report of
        all
"""
