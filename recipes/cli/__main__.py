"""`python -m recipes.cli`: the `lingopress` command, as accelerate starts it."""

from __future__ import annotations

from recipes.cli.app import main

if __name__ == "__main__":
    main()
