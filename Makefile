# make quickstart: set up and train the small group; make test: set up and run the tests.
VENV ?= .venv
PYTHON ?= python3
INSTALLED := $(VENV)/installed

.PHONY: quickstart test lint format

quickstart: $(INSTALLED)
	$(VENV)/bin/python train.py --flagfile=configs/digits.flags

test: $(INSTALLED)
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile

lint: $(INSTALLED)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

format: $(INSTALLED)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

$(INSTALLED): requirements.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
