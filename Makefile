# One line a target; every target depends on .venv. See README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MBXP := tools/mbxp
SRC := src tests benchmarks tools

.PHONY: bench test test-all check fmt fmt-check lint type structure untested coverage speed venv system containers clean

bench: venv system        ## the main job on the embedded model and data
	$(BIN)/assay bench

test: venv system         ## the fast tests
	$(BIN)/python -m pytest -rs

test-all: venv system     ## slow tests too (and gpu, where there is one)
	$(BIN)/python -m pytest -rs -m "not network"

check: fmt-check lint type

fmt: venv
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

speed: venv               ## benchmarks/*.py, JSON out
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

venv: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints/cpu.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints/cpu.txt -e '.[test]'
	touch $@

system: venv              ## tools for the sandbox, the six MBXP languages, and a LoadGen without a wheel
	@PYTHON=$(BIN)/python tools/system-packages.sh

containers:               ## podman and docker, for the tests of containers
	@tools/container-engines.sh

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .coverage .import_linter_cache
