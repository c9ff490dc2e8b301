# One file for all that a user or a developer runs. `make` alone lists it.
# Every target makes what it needs first, and does nothing twice.

VENV ?= .venv
BIN := $(VENV)/bin
# the first Python of 3.11 or later; name another one with `make lab PYTHON=/path/to/python`
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# in a container one is often root, which Jupyter wants to be told
AS_ROOT := $(if $(filter 0,$(shell id -u 2>/dev/null)),--allow-root)
# one thread a test process: two processes use two cores better than one process with two threads; files are handed out
# in the order of tests/conftest.py, those with slow tests first
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help lab test test-fast coverage train notebooks site pictures check

help: ## list what make can do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | awk -F'|' '{printf "make %-12s%s\n", $$1, $$2}'

# The stamp is newer than the files that say what to install, or the environment is brought up to date.
# A torch that is already in the environment is kept (a CPU build, say): its line leaves the constraints.
$(VENV)/installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later was not found. Install it, or name it: make PYTHON=/path/to/python"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
		echo "$(PYTHON) cannot make a virtual environment (on Debian and Ubuntu: apt install python3-venv)."; exit 1; }
	@echo "Installing the course into $(VENV). PyTorch is large: the first time takes some minutes."
	@if $(BIN)/python -c 'import torch' 2>/dev/null; then grep -v '^torch==' constraints.txt; else cat constraints.txt; fi > $(VENV)/constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(VENV)/constraints.txt -e '.[course,dev]'
	@touch $@

lab: $(VENV)/installed ## set up, and open the course in JupyterLab (your own copy, in my_course/)
	@$(BIN)/python -m unetpp_course copy my_course
	$(BIN)/jupyter lab $(AS_ROOT) --notebook-dir=my_course --LabApp.default_url=/lab/tree/00_start_here.ipynb

test: $(VENV)/installed-docs ## set up, and run every test and every notebook; the site is built on the way
	$(PYTEST)

test-fast: $(VENV)/installed ## run the quick tests
	$(PYTEST) -m "not slow"

coverage: $(VENV)/installed ## run the quick tests, and say which lines they run
	$(PYTEST) -m "not slow" --cov --cov-report=term:skip-covered

train: $(VENV)/installed ## train the laptop preset of UNet++ on the embedded images (ARGS="--data isbi2012 …" for more)
	$(BIN)/unetpp train $(ARGS)

notebooks: $(VENV)/installed ## execute and normalise all notebooks in place, or one: make notebooks ONLY=00
	$(BIN)/python notebooks/refresh.py $(ONLY)

$(VENV)/installed-docs: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(VENV)/constraints.txt -e '.[docs]'
	@touch $@

site: $(VENV)/installed-docs ## build the website in _site/html, with the notebooks' stored outputs, and follow its links
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --fresh-env -c docs . _site/html
	@$(BIN)/python docs/check_site.py _site/html

pictures: $(VENV)/installed ## draw the pictures of the README (needs Chromium)
	$(BIN)/python docs/pictures.py

check: $(VENV)/installed ## lint, format, type-check, and hold imports and lengths to their rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python -m pytest -q tests/test_lengths.py
