# Two commands do everything on a fresh machine: `make demo` and `make test`. Each target sets up .venv if need be.
PYTHON ?= python3
BIN := .venv/bin
INTEGRATIONS := .venv-integrations
MINUTES ?= 30
# Two workers have a thread each: threads of one that wait for cores of the other spin, and take five times the processor time.
# They keep the bytecode of tests, which takes longer to make than most tests, even where an environment says not to.
WORKERS := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2 --dist worksteal
PACKAGES := language memory compaction cascade tirtha eval
PIP := pip install --quiet --disable-pip-version-check

.PHONY: demo demo-model test test-fast coverage test-integrations test-long lint serve bench clean

demo: .venv/installed
	@$(BIN)/tirtha demo

# The same questions, answered by a model: make demo-model GGUF=model.gguf
demo-model: .venv/installed
ifdef GGUF
	@TIRTHA_LOCAL_GGUF='$(GGUF)' TIRTHA_LOCAL_MAX_TOKENS=256 TIRTHA_LOCAL_TIMEOUT_S=300 TIRTHA_POLICY_DEADLINE_S=900 $(BIN)/tirtha demo
else
	@echo "demo-model is skipped: no model is named. Say make demo-model GGUF=FILE; docs/servers.md says which files will do."
endif

test: .venv/installed
	@$(WORKERS)

# The laws of Hypothesis on a tenth of their examples. What is left out as a folder is not imported either.
test-fast: .venv/installed
	@$(WORKERS) -m "not slow and not integration and not long" --hypothesis-profile quick \
		--ignore tests/scenarios --ignore tests/integrations

# What CI's tests reach, branches included: a figure a package. `.venv/bin/coverage report` then says which lines they do not.
# Workers import much before they measure, so that one process imports all once more.
coverage: .venv/installed
	@$(WORKERS) --cov --cov-report=
	@$(BIN)/pytest --collect-only --quiet -p no:xdist --cov --cov-append --cov-report= > /dev/null
	@for package in $(PACKAGES); do printf '%-12s' $$package; $(BIN)/coverage report --include="$$package/*" --format=total; done

test-integrations: $(INTEGRATIONS)/installed $(INTEGRATIONS)/node/installed
	@$(INTEGRATIONS)/bin/pytest -m integration

test-long: .venv/installed
	@$(BIN)/pytest -m long --minutes $(MINUTES)

lint: .venv/installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.support.dependency_audit

serve: .venv/installed
	@$(BIN)/tirtha serve

bench: .venv/installed
	@$(BIN)/python -m eval.bench

clean:
	rm -rf .venv $(INTEGRATIONS) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* dist

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/$(PIP) --constraint constraints.txt --editable '.[dev]'
	@touch $@

# Other projects pin versions of their own, so this one is installed without our constraints but for torch.
$(INTEGRATIONS)/installed: pyproject.toml
	$(PYTHON) -m venv $(INTEGRATIONS)
	$(INTEGRATIONS)/bin/$(PIP) --editable '.[dev,inspect]'
	@touch $@

# The conformance tests of MCP are a program of Node.js, which is installed beside them: they need 22, and npm of any version.
$(INTEGRATIONS)/node/installed: | $(INTEGRATIONS)/installed
	npm install --silent --no-audit --no-fund --prefix $(INTEGRATIONS)/node @modelcontextprotocol/conformance@0.1.16 node@22
	@touch $@
