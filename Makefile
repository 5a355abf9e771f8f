# make quickstart: trains a small group; make test: the fast tests; make test-all: all of them;
# make docs: the site.
# Each sets up .venv first.
VENV ?= .venv
PYTHON ?= python3
INSTALLED := $(VENV)/installed
TEST := $(VENV)/bin/python -m pytest -n 2 --dist loadfile

.PHONY: quickstart test test-all lint format docs

quickstart: $(INSTALLED)
	$(VENV)/bin/python train.py --flagfile=configs/digits.flags

test: $(INSTALLED)
	$(TEST) -m "not slow"

test-all: $(INSTALLED)
	$(TEST)

lint: $(INSTALLED)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/pyright --pythonpath $(VENV)/bin/python

format: $(INSTALLED)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict --site-dir site

# The project itself too, as a link to this directory, for the command orc-keras.
$(INSTALLED): requirements.txt requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@
