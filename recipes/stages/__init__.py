"""One file a stage; see `recipes.stages._shared.contract` for what it holds."""
