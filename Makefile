# Everything starts here: `make demo` or `make test` does all set-up by itself.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install demo test browser check verify docs bench bench-features bench-models bench-scoring bench-serving bench-pages screenshots lock clean
.DEFAULT_GOAL := demo

install: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("propensity needs Python 3.11 or newer; say make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	$(BIN)/python -m compileall -q -j 0 .venv/lib || true  # by all cores at once, where pip takes one
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install
	$(BIN)/propensity demo --workspace demo

# Two processes, whole files each: what a file prepares is used by all of its tests.
test: install browser
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# What the tests of the pages look at them with: as root on Debian it is fetched, unless there is one.
browser:
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else echo "There is no chromium: the tests of the pages will fail until you install it, or Google Chrome." >&2; fi

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

bench-pages: install
	$(BIN)/python -m benchmarks.pages

# Pictures of every page for docs/, of the workspace that `make demo` has made.
screenshots: demo browser
	$(BIN)/python -m benchmarks.screenshots

# Resolve anew: one lock for every supported Python, with hashes and without index addresses.
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet uv
	.venv-lock/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock
	rm -rf .venv-lock

clean:
	rm -rf .venv demo benchmarks/.envs benchmarks/.worlds
