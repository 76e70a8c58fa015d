PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint clean

# Sets up without torch, then detects the events of the sample video.
demo: .venv/.run
	$(BIN)/avloc detect demo/sample.mp4 --out demo/out --report demo/out

# Sets up with everything that development needs, then checks style, types and behaviour.
test: lint
	$(BIN)/python -m pytest

lint: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# axe-core, for the tests of pages that look at them in Chromium; without the two these are skipped.
node_modules/axe-core:
	npm install --no-save --no-audit --no-fund axe-core@4

.venv/.run: pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("avloc needs Python 3.11 or newer; name one: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

.venv/.dev: .venv/.run constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv demo/out dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
