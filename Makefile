# Every target uses .venv, which `make venv` makes with the program and the tools of its developers.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# A third of the tests' time is waiting for processes that wait: two workers more than cores keep those busy.
JOBS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 2)')

# Hundreds of processes of the program are started by the tests: none should compile it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help venv demo test program check format system soak bench bench-newcomer bench-listing bench-recovery docs build-testbed clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

venv: $(STAMP) ## Make .venv with the program and the dev tools

PHASE := examples/own-states/phase
$(STAMP): pyproject.toml $(PHASE)/pyproject.toml $(PHASE)/rekindle_node_settled.py
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "rekindle needs Python 3.11 or later; set PYTHON=python3.NN")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		--force-reinstall ./$(PHASE) # a phase of another distribution, as the documents and tests have one
	@touch $(STAMP)

demo: venv ## Rehearse june-12, kill it, resume it, show the journal
	$(BIN)/python examples/demo.py

test: venv ## Unit tests, properties and rehearsals (minutes)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m 'not system and not soak and not program'

program: venv ## What is for before and after the night, as its users have it; every command of the documents; needs git (minutes)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m 'program and not system' tests/cli tests/docs tests/adapters tests/doctor

check: venv ## Lint, format, types, layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.generated --check

format: venv ## Format the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

build-testbed: venv ## Build the testbed's Go programs into their cache
	$(BIN)/python -m tests.testbed.build

system: build-testbed ## A real control plane, real Flux, real talosctl, a real browser, real shells, pipx and ssh (needs Go 1.26 or later, chromium, zsh, fish, ssh)
	$(BIN)/python -m pytest -p no:randomly -m system tests/system tests/testbed tests/adapters tests/cli/test_inventory.py tests/cli/test_init.py tests/cli/test_shells.py

soak: venv ## The long properties: 200 killed rehearsals, many examples
	HYPOTHESIS_PROFILE=night $(BIN)/python -m pytest -n $(JOBS) --timeout 14400 -m 'not system' \
		tests/cli/test_killed.py tests/rehearsals tests/properties

bench: venv ## The figures of the README, beside their peers
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/rehearsal.py
	$(BIN)/python benchmarks/replay.py
	$(BIN)/python benchmarks/report.py

bench-newcomer: ## From a fresh clone to a rehearsal killed and resumed, with the install (minutes)
	benchmarks/newcomer.sh

bench-listing: build-testbed ## Listing 10,000 and 50,000 pods on a real API server (half an hour; 16 GiB)
	$(BIN)/python benchmarks/listing.py

bench-recovery: build-testbed ## Failed Kustomizations woken by cause, beside Flux left alone (ten minutes)
	$(BIN)/python benchmarks/recovery.py

docs: venv ## Write the generated documents
	$(BIN)/python -m tests.generated --write

clean: ## Remove what the other targets made in the checkout
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
