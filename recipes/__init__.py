"""Say what to do, and do it: recipes, their plan, their cache, their command line."""
