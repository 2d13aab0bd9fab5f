# The one door to the project: every command the documents name is a target here.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# One more than cores: many tests wait for a network.
PYTEST_WORKERS ?= 3
# The slow tests wait still more.
SLOW_WORKERS ?= 4
WORKERS ?= 2
EXTRAS ?= dev
TOOLS  ?= .venv-tools
LOCKED ?= .venv-locked
SEEDS  ?= 500
STEPS  ?= 200000
TWINS  ?= 500
MINUTES ?= 10
ROUNDS ?= 5
LIES   ?= 12000
CONSOLE_LIES ?= 12000
CONSOLE_SEED ?= 1
INPUTS ?= 100000

# Tests start hundreds of processes: without bytecode on the disk each would compile every source again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast test-slow check lint types simulate simulate-long walk model drills drills-long mutants fuzz \
  liar liar-console soak twins-exhaustive bench bench-full bench-document bench-wan bench-compare bench-budget \
  vectors transcripts docs stubs diagrams picture lock locked native native-check sbom audit-deps clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Coseal needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	@touch $@

setup: $(VENV)/.ready  ## make a virtual environment in .venv and install everything into it, the native half if there is cargo
	@if ! command -v cargo > /dev/null; then echo "native half: there is no cargo, so Python runs"; \
	  elif $(MAKE) --no-print-directory $(VENV)/.native; then :; \
	  else echo "native half: it could not be built, so Python runs"; fi

NATIVE := build/native
# One job: a compiler a core takes more memory than small machines have.
$(NATIVE)/.ready: $(VENV)/.ready $(wildcard native/src/*.rs) native/Cargo.toml native/Cargo.lock native/pyproject.toml
	rm -rf $(NATIVE)/wheel $(NATIVE)/modules
	CARGO_TARGET_DIR=$(abspath $(NATIVE))/target CARGO_BUILD_JOBS=1 \
	  $(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(NATIVE)/wheel ./native
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(NATIVE)/modules $(NATIVE)/wheel/*.whl
	@touch $@

$(VENV)/.native: $(NATIVE)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps $(NATIVE)/wheel/*.whl
	@touch $@; echo "native half: built and installed; COSEAL_CORE=python does without it"

native: $(NATIVE)/.ready  ## build a wheel of the native half (needs cargo) into build/native

demo: setup  ## start four nodes, record real policies and a real process log, audit the chain; they and the console stay up
	@if [ -d coseal-demo ]; then $(BIN)/coseal down coseal-demo; fi
	$(BIN)/coseal demo --keep

test: setup  ## run the tests, all but the slow ones
	$(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) --dist loadfile --no-loadscope-reorder -m 'not slow'

test-slow: setup  ## run the slow tests: long stories of real networks, the console in a browser; part of .ci/run
	$(BIN)/python -m pytest -q -n $(SLOW_WORKERS) --dist loadfile --no-loadscope-reorder -m slow

drills-long: setup  ## go on with drills of real networks, faults x workloads x sizes, for MINUTES; results are merged
	$(BIN)/python -m tests.cluster.drills --long --minutes $(MINUTES)

drills: setup  ## drill real networks: DRILLS="name ...", or a share that rotates with the commits (TURN=n repeats one)
	$(BIN)/python -m tests.cluster.drills $(or $(DRILLS),--share 6 --minutes 3 $(if $(TURN),--turn $(TURN)))

test-fast: setup  ## run the tests that start no process
	$(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) --dist loadfile --no-loadscope-reorder -m 'not cluster and not slow'

liar-console: setup  ## render the console's pages from answers that lie: CONSOLE_LIES of them, from CONSOLE_SEED on
	$(BIN)/python -m tests.console.lying $(CONSOLE_LIES) $(CONSOLE_SEED)

lint: setup  ## check format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup  ## check types (mypy, strict)
	$(BIN)/mypy

check: lint types test  ## what every commit must pass; .ci/run adds the slow tests and the simulator

simulate: setup  ## run the simulator: SEEDS random seeds and TWINS scenarios, or replay one with SEED=n
ifdef SEED
	$(BIN)/python -m simulation --seed $(SEED)
else
	$(BIN)/python -m simulation --seeds $(SEEDS) --twins $(TWINS) --workers $(WORKERS)
endif

simulate-long: setup  ## go on with the long simulation; results are merged over runs
	$(BIN)/python -m simulation --long --workers $(WORKERS)

walk: setup  ## walk at random over sequences of all actions for STEPS; more than a million go on where they were left
	$(BIN)/python -m simulation.walk --steps $(STEPS) --workers $(WORKERS)

twins-exhaustive: setup  ## go on through every Twins scenario of two rounds at four validators; results are merged
	$(BIN)/python -m simulation --two-rounds --workers $(WORKERS)

model: setup  ## explore every state of one height for up to ROUNDS rounds, and find every mistake of the rules
	$(BIN)/python -m simulation.model --rounds $(ROUNDS)

mutants: setup  ## break the protocol in memory, one line at a time; every break must be found; SHARE=n: n, others each commit
	$(BIN)/python -m simulation --mutants $(if $(SHARE),--share $(SHARE) $(if $(TURN),--turn $(TURN)))

fuzz: setup  ## fuzz every decoder for MINUTES; what is found is added to tests/fuzz/corpus
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

liar: setup  ## lie LIES times to the SDK, bundles, verify and audit, in every field of every answer (SEED=n); none may be taken
	$(BIN)/python -m tests.liar --count $(LIES) --seed $(or $(SEED),0)

soak: setup  ## a network under load for MINUTES, a node restarted every minute; a verdict, results are merged
	$(BIN)/python -m tests.cluster.soak --minutes $(MINUTES)

bench: setup  ## measure every row of the targets in ten minutes, print a table and write bench/results/
	$(BIN)/python -m bench

bench-full: setup  ## measure how figures grow: validators, blocks, history, state, rules; goes on where it stopped
	$(BIN)/python -m bench.full

bench-document: setup  ## put what was measured into docs/performance.md and draw the curves (needs the extra bench)
	$(BIN)/python -m bench.document
	$(BIN)/python -m bench.plots

bench-wan: setup  ## the same network with delays between its nodes (root only)
	$(BIN)/python -m bench.wan

bench-budget: setup  ## see that no kind of work takes longer a step than the loop that steps are counted in
	$(BIN)/python -m bench.budget

bench-compare: setup  ## this work tree against BASE=commit, side by side in one run
	$(BIN)/python -m bench.compare $(BASE) --rounds $(ROUNDS)

vectors: setup  ## rewrite the pinned vectors and the recorded chain (an approval: read the diff)
	$(BIN)/python -m tests.vectors.generate

transcripts: setup  ## rewrite the golden transcripts of consensus (an approval: read the diff)
	$(BIN)/python -m pytest -q tests/consensus/test_transcripts.py --rewrite

docs: setup  ## build the documentation into build/docs, strictly; open build/docs/index.html
	@$(BIN)/python -c 'import material' 2>/dev/null \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet

stubs: setup  ## write coseal/client/submitting.pyi, the types of client.submit, from the fields of the actions
	$(BIN)/python -m docs.site.stubs

diagrams:  ## draw docs/figures/*.toml as SVG again
	$(PYTHON) -m docs.site.diagrams

picture: setup  ## take docs/figures/console.png from a demo network, by a headless Chromium
	$(BIN)/coseal demo build/picture --keep
	$(BIN)/python -m docs.site.picture build/picture; taken=$$?; $(BIN)/coseal down build/picture; exit $$taken

$(TOOLS)/.ready:
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.5' 'pip-audit>=2.7' 'packaging>=24'
	@touch $@

COMPILE = $(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
  --no-header --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)

lock: $(TOOLS)/.ready  ## lock what the product runs on and is built with, with hashes; UPGRADE=1 takes newer versions
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	  | $(COMPILE) - --output-file requirements-build.lock

$(LOCKED)/.ready: requirements.lock requirements-build.lock pyproject.toml
	rm -rf $(LOCKED)
	$(PYTHON) -m venv $(LOCKED)
	$(LOCKED)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.lock
	$(LOCKED)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(LOCKED)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation .
	@touch $@

locked: $(LOCKED)/.ready  ## install exactly the locks, as the image does, into .venv-locked, and start it
	$(LOCKED)/bin/python -m pip check
	cd / && $(abspath $(LOCKED))/bin/coseal --help > /dev/null && $(abspath $(LOCKED))/bin/python -m coseal.node --help > /dev/null

native-check:  ## see that the native half accepts what the Python accepts, INPUTS of each kind (TIMES=n: more of other types); skipped without cargo
	@command -v cargo > /dev/null || { echo "native-check: skipped, there is no cargo"; exit 0; }; \
	  $(MAKE) --no-print-directory $(NATIVE)/.ready && INPUTS=$(INPUTS) PYTHONPATH=$(abspath $(NATIVE))/modules:$(CURDIR) \
	  $(BIN)/python -m pytest -q -n $(WORKERS) tests/supply/test_native.py

sbom: locked  ## write the software bill of materials of the lock (CycloneDX) to sbom.json
	$(LOCKED)/bin/python -m tests.supply.sbom > sbom.json

audit-deps: $(TOOLS)/.ready  ## ask for known vulnerabilities of the locks; fails for some, and for what it could not check
	$(TOOLS)/bin/python tests/supply/vulnerabilities.py $(TOOLS)/bin/pip-audit; locks=$$?; \
	  $(TOOLS)/bin/python tests/supply/crates.py && exit $$locks

clean:  ## remove what setup and tests made
	rm -rf $(VENV) $(TOOLS) $(LOCKED) $(NATIVE) sbom.json .mypy_cache .ruff_cache .pytest_cache .hypothesis bench/results build/docs
