# The one door to the project: every command the documents name is a target here.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PYTEST_WORKERS ?= 2
EXTRAS ?= dev
SEEDS  ?= 500
TWINS  ?= 500
MINUTES ?= 10

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast check lint types simulate simulate-long test-long drills mutants fuzz bench vectors \
  transcripts clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Coseal needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	@touch $@

setup: $(VENV)/.ready  ## make a virtual environment in .venv and install everything into it

demo: setup  ## start four nodes, record real policies and a real process log, audit the chain
	$(BIN)/coseal demo

test: setup  ## run every test
	$(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) --dist loadfile

test-long: setup  ## go on with drills of real networks, faults x workloads x sizes, for MINUTES; results are merged
	$(BIN)/python -m tests.cluster.drills --long --minutes $(MINUTES)

drills: setup  ## drill real networks: DRILLS="name ...", or a share that rotates with the commits (TURN=n repeats one)
	$(BIN)/python -m tests.cluster.drills $(or $(DRILLS),--share 6 --minutes 3 $(if $(TURN),--turn $(TURN)))

test-fast: setup  ## run the tests that start no process
	$(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) --dist loadfile -m 'not cluster'

lint: setup  ## check format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup  ## check types (mypy, strict)
	$(BIN)/mypy

check: lint types test  ## all that a change must pass

simulate: setup  ## run the simulator: SEEDS random seeds and TWINS scenarios, or replay one with SEED=n
ifdef SEED
	$(BIN)/python -m simulation --seed $(SEED)
else
	$(BIN)/python -m simulation --seeds $(SEEDS) --twins $(TWINS) --workers $(PYTEST_WORKERS)
endif

simulate-long: setup  ## go on with the long simulation; results are merged over runs
	$(BIN)/python -m simulation --long --workers $(PYTEST_WORKERS)

mutants: setup  ## break the protocol in memory, one line at a time; every break must be found
	$(BIN)/python -m simulation --mutants

fuzz: setup  ## fuzz every decoder for MINUTES; what is found is added to tests/fuzz/corpus
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

bench: setup  ## measure, print tables and write bench/results/
	$(BIN)/python -m bench

vectors: setup  ## rewrite the pinned vectors of every format (an approval: read the diff)
	$(BIN)/python tests/vectors/generate.py

transcripts: setup  ## rewrite the golden transcripts of consensus (an approval: read the diff)
	$(BIN)/python -m pytest -q tests/consensus/test_transcripts.py --rewrite

clean:  ## remove what setup and tests made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis bench/results
