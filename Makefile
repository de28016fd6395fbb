# One line a target. `bench` installs what it needs into .venv, every other target what the tests need too. See README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SRC := src tests benchmarks tools

.PHONY: bench test test-all help dist check fmt fmt-check lint type structure untested coverage speed docs engine venv system \
	containers clean

bench: engine system      ## the main job on the embedded model and data
	$(BIN)/assay bench

test: venv system         ## the fast tests
	$(BIN)/python -m pytest -rs

test-all: venv system     ## slow tests too (and gpu, where there is one)
	$(BIN)/python -m pytest -rs -m "not network"

check: fmt-check lint type  ## formatting, lint, the import floors, types

fmt: venv                 ## format and mend what ruff can
	$(BIN)/ruff format $(SRC)
	$(BIN)/ruff check --fix $(SRC)

fmt-check: venv
	$(BIN)/ruff format --check $(SRC)

lint: venv
	$(BIN)/ruff check $(SRC)
	$(BIN)/lint-imports

type: venv
	$(BIN)/mypy

structure: venv           ## what makes the package hard to grow, counted
	-$(BIN)/python tools/structure.py

untested: venv            ## modules that no test imports, the longest first
	$(BIN)/python tools/structure.py --untested

coverage: venv system     ## lines and branches that no fast test reaches, in child processes too; TESTS=tests/ground for a part
	rm -rf .coverage && mkdir .coverage
	-$(BIN)/coverage run -m pytest -rs $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# The benchmarks that need nothing but this checkout. What the others need, a model, a peer or a folder, their --help says.
SPEED := client_ceiling engine_kernels loadgen requests_cost scoring tune

speed: venv system        ## the benchmarks that need no more than this checkout, JSON out
	for name in $(SPEED); do $(BIN)/python benchmarks/$$name.py || exit 1; done

docs: venv                ## the documentation as a site in build/site; a broken link is an error
	$(BIN)/python -m sphinx -q -W --keep-going docs build/site
	@echo build/site/index.html

dist: venv                ## sdist and wheel in dist/, and the fast tests from the sdist alone
	tools/release-check.sh $(BIN)/python

help:                     ## these targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1|/p' Makefile | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

engine: $(VENV)/.engine

venv: $(VENV)/.installed

$(VENV)/.engine: pyproject.toml constraints/cpu.txt
	@echo "installing Assay and its engine into $(VENV): about 1.3 GB with PyTorch, some minutes without a word"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints/cpu.txt -e '.[engine]'
	touch $@

$(VENV)/.installed: $(VENV)/.engine
	@echo "installing what the tests need beside it: about 0.7 GB, some minutes without a word"
	$(BIN)/python -m pip install --quiet -c constraints/cpu.txt -e '.[test]'
	touch $@

system: engine            ## tools for the sandbox, the six MBXP languages, and a LoadGen without a wheel
	@PYTHON=$(BIN)/python tools/system-packages.sh

containers:               ## podman and docker, for the tests of containers
	@tools/container-engines.sh

clean:                    ## remove what make has made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .coverage .import_linter_cache
