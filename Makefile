# Everything starts here: `make demo` or `make test` does all set-up by itself.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install demo test check verify docs bench bench-features bench-models bench-scoring bench-serving lock clean
.DEFAULT_GOAL := demo

install: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("propensity needs Python 3.11 or newer; say make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install
	$(BIN)/propensity demo --workspace demo

# Two processes, whole files each: what a file prepares is used by all of its tests.
test: install
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy notebooks
	$(BIN)/lint-imports

# Statistical sweeps in full, their results recorded in docs/; and the fault drills: 100 swaps, 50 kills, two soaks.
verify: install
	$(BIN)/python -m benchmarks.verify
	$(BIN)/python -m benchmarks.faults

docs: install
	$(BIN)/python -m benchmarks.docs

bench: install
	$(BIN)/python -m benchmarks.real

bench-features: install
	$(BIN)/python -m benchmarks.features
	$(BIN)/python -m benchmarks.features --growth --events 500000

bench-scoring: install
	$(BIN)/python -m benchmarks.scoring

bench-models: install
	$(BIN)/python -m benchmarks.models

bench-serving: install
	$(BIN)/python -m benchmarks.serving

# Resolve anew: one lock for every supported Python, with hashes and without index addresses.
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet uv
	.venv-lock/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock
	rm -rf .venv-lock

clean:
	rm -rf .venv demo benchmarks/.envs benchmarks/.worlds
