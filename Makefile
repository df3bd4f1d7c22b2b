SHELL := bash
PROFILE ?= quick
PYTHON ?= python3
BIN := .venv/bin
PINS := $(shell cat requirements.txt pyproject.toml | cksum | cut -d' ' -f1)
READY := .venv/ready-$(PINS)
PAGES := $(shell find _config.yml book mmcrl -type f -not -path '*/__pycache__/*' | sort | xargs cksum | cksum | cut -d' ' -f1)
BUILT := _build/html/.complete-$(PAGES)

.PHONY: help book page bench test browser clean
.DELETE_ON_ERROR:

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

book: $(READY)  ## run the notebooks and build the book (PROFILE=full: larger settings)
	$(BIN)/python -m mmcrl run --profile $(PROFILE)
	@$(MAKE) --no-print-directory page

page: $(BUILT)  ## build the book from the notebooks as they were last run
	@echo "The book: file://$(CURDIR)/_build/html/index.html"

$(BUILT):
	rm -rf _build/html
	$(BIN)/jupyter-book build book --config _config.yml --path-output . -W --keep-going -n --all -q > /dev/null
	@touch $@

bench: $(READY)  ## measure time and memory of all methods, one fit at a time: data/results/bench.csv
	$(BIN)/python -m mmcrl run bench --jobs 1

test: $(READY) browser  ## lint, check the types, run the whole test suite
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/nbstripout --verify --keep-id notebooks/*.ipynb notebooks/*/*.ipynb
	$(BIN)/pytest

# The tests look at the built pages with the system's Chromium.
browser:
	@command -v chromium chromium-browser google-chrome > /dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } || \
	  echo "No Chromium: its tests are skipped. To run them: sudo apt-get install chromium"

$(READY):
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@rm -f .venv/ready-* && touch $@

clean:  ## remove the built book and the executed notebooks, keep .venv
	rm -rf _build book/notebooks
