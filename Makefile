# Two commands do everything on a fresh machine: `make demo` and `make test`. Each target sets up .venv if need be.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint serve bench clean

demo: .venv/installed
	@$(BIN)/tirtha demo

test: .venv/installed
	@$(BIN)/pytest

lint: .venv/installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

serve: .venv/installed
	@$(BIN)/tirtha serve

bench: .venv/installed
	@$(BIN)/python -m eval.bench

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
