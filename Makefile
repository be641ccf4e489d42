# Everything here works on a machine that has only Python (3.11 or later) and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
SYMBOLS ?= AAPL MSFT GOOGL

# Compiled Python is kept, whatever the machine says: the tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo up down check lint types imports test coverage bench chaos screenshots lock clean

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-11s %s\n", $$1, $$2}'

$(VENV)/.runtime: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "tradeflows needs Python 3.11 or later; found: $$($(PYTHON) --version 2>&1)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --no-deps --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	$(PIP) install --no-compile --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.dev ## Make .venv with everything development needs

demo: $(VENV)/.runtime ## Analyse a portfolio of real prices, offline
	$(BIN)/tradeflows run portfolio_analysis --symbols $(SYMBOLS)

up: $(VENV)/.runtime ## Start server, MLflow, worker, watch and dashboard on loopback, and deploy
	$(BIN)/python -m deployments.up

down: $(VENV)/.runtime ## End what `make up` started
	$(BIN)/python -m deployments.down

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

check: lint types imports ## Lint, types, import contracts and the fast tests
	$(BIN)/pytest -q -m "not slow and not server"

test: lint types imports ## Everything CI runs
	$(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder --durations=20

coverage: $(VENV)/.dev ## All tests again with their branch coverage, which has a floor
	$(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered

bench: $(VENV)/.dev ## Print the ratios of the benchmark suite
	$(BIN)/python -m tests.benchmarks

chaos: $(VENV)/.dev ## Kill paper trading everywhere and compare the books
	$(BIN)/python -m tests.reliability.chaos

screenshots: $(VENV)/.dev ## Take the pictures of the documents from running servers (needs Chromium)
	$(BIN)/python -m deployments.screenshots

lock: ## Resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml build-requirements.in --quiet --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --custom-compile-command 'make lock' \
		-o requirements.lock
	uv pip compile pyproject.toml build-requirements.in --quiet --universal --python-version 3.11 \
		--all-extras -c requirements.lock --generate-hashes --no-emit-index-url \
		--custom-compile-command 'make lock' -o requirements-dev.lock

clean: ## Remove what the tools made here; your data under TRADEFLOWS_HOME stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov .import_linter_cache
