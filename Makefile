PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ONLY ?=
SEED ?=
MINUTES ?= 30

.PHONY: install demo up test lint types contracts frontend bench nemesis soak mutants wheel-check clean

install: $(VENV)/installed frontend

$(VENV)/installed: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Cairn needs Python 3.11 or newer; name one with: make PYTHON=python3.12 …"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

frontend: $(VENV)/installed
	$(BIN)/python webapp/frontend/build.py

demo: install
	$(BIN)/cairn demo

up: install
	$(BIN)/cairn up

test: install lint types contracts
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed
	$(BIN)/mypy

contracts: $(VENV)/installed
	$(BIN)/lint-imports

bench: install $(VENV)/references
	$(BIN)/python -m benchmarks $(ONLY)

$(VENV)/references: requirements-bench.txt $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt \
		|| echo "Not everything that benchmarks compare with can be installed here; those that miss it say so."
	touch $@

nemesis: install
	$(BIN)/python -m tests.nemesis $(if $(SEED),--seed $(SEED))

soak: nemesis
	CAIRN_MODEL_EXAMPLES=300 $(BIN)/python -m pytest tests/model
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

mutants: install
	$(BIN)/python -m tests.mutants $(ONLY)

clean:
	rm -rf $(VENV) var webapp/static/dist webapp/frontend/node_modules
