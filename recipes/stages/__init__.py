"""One file a stage; see `recipes.stage` for what it holds."""
