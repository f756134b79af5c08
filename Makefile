# Two commands for a fresh machine: `make quickstart` and `make test`.
# While you work: `make check`, all but the slow tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Keep compiled files, the tests' rewritten asserts among them, also where the shell says otherwise:
# the second worker, every child process and the next run read them.
unexport PYTHONDONTWRITEBYTECODE
# Two workers; one that has nothing left takes tests from the other.
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist worksteal

.PHONY: quickstart check test tutorials lint docs setup clean

quickstart: $(READY)
	$(BIN)/lingopress run quickstart --jobs 2

check: lint
	$(PYTEST) -m "not slow and not tutorial"

test: lint
	$(PYTEST) -m "not tutorial"

# Every command of docs/start.md and docs/tutorials, with a tiny encoder.
tutorials: $(READY)
	$(PYTEST) -m tutorial

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The site, in build/site; once the packages are there it needs no network.
docs: $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(BIN)/python -m docs.make.site

setup: $(READY)

# torch comes first and alone: where a CPU build of the pinned version lies at hand, pip takes it.
$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

clean:
	rm -rf $(VENV) .lingopress
