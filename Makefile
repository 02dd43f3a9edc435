# make demo    play three stored flavors through an origin and an edge
# make test    run all tests
# make check   formatting, lint, types, import directions
# make bench   measure
#
# Everything is installed into the active virtual environment, or into .venv, which is made if
# it is not there.  Node and npm come with it.  ARGS="..." is passed on to the command.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := $(or $(VIRTUAL_ENV),.venv)
BIN := $(abspath $(VENV))/bin
# What is installed, for this checkout: the environment may serve several.
STAMPS := $(VENV)/.headrace-$(shell pwd | cksum | cut -d ' ' -f 1)
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
ARGS ?=

.PHONY: install demo test check bench players clean

install: $(STAMPS)/demo players
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

demo: $(STAMPS)/demo
	@$(MAKE) --no-print-directory players || echo 'make: going on without players' >&2
	@exec $(BIN)/headrace demo $(ARGS)

test: $(STAMPS)/dev players
	@$(BIN)/python -m pytest -n 2 -q $(ARGS)

check: $(STAMPS)/dev
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMPS)/bench
	@$(BIN)/headrace bench all $(ARGS)

# The players of the page and the packages of the tests, once package.json names some.
players: $(if $(wildcard package-lock.json),node_modules/.package-lock.json)
	@:

node_modules/.package-lock.json: package.json package-lock.json | $(STAMPS)/demo
	PATH="$(BIN):$$PATH" npm ci
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo 'make: Python 3.11 or later is needed (PYTHON=...)' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(STAMPS)/demo $(STAMPS)/bench: setup.py | $(BIN)/python
	$(PIP) --editable '.[$(@F)]'
	@mkdir -p $(@D) && touch $@

$(STAMPS)/dev: setup.py | $(BIN)/python
	$(PIP) --editable '.[dev]'
	@mkdir -p $(@D) && touch $@ $(@D)/demo $(@D)/bench

clean:
	rm -rf .venv node_modules build dist *.egg-info
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
