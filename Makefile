# Each target has a `python -m` twin for Windows; the README names them.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
STUDIES := $(wildcard data/*)

.PHONY: setup setup-dev browser reports test soak bench lab lock messages clean

setup: $(VENV)/setup.done

$(VENV)/setup.done: requirements.lock pyproject.toml $(wildcard ecoanalysis/locale/*/*/*.po)
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: install it, or name yours with make PYTHON=…"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/setup-dev.done: $(VENV)/setup.done requirements-dev.lock
	$(PIP) install --require-hashes -r requirements-dev.lock
	touch $@

setup-dev: $(VENV)/setup-dev.done browser

browser:
	@sh tests/install_browser.sh

reports: setup
	$(BIN)/ecoanalysis report $(STUDIES) --language all --out reports

test: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 --dist loadfile

# Long simulations; their tables are written to docs/.
soak: setup-dev
	$(BIN)/python -m pytest -m soak

# Takes an hour or more; writes benchmarks/results.md. `python benchmarks/run.py scores` does one.
bench: setup-dev
	$(BIN)/python benchmarks/run.py

lab: setup
	$(BIN)/jupyter lab --ip 127.0.0.1 --notebook-dir .

# Needs uv. The locks hold names, versions and hashes, never an index.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet pyproject.toml --group build -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet pyproject.toml --group build --extra dev -c requirements.lock -o requirements-dev.lock

# Gather the messages from the sources into the French catalogue, to be translated there.
messages: setup
	$(BIN)/pybabel -q extract -F babel.cfg -k gettext -k ngettext:1,2 --no-location --no-wrap --sort-output --omit-header -o $(VENV)/messages.pot ecoanalysis
	$(BIN)/pybabel -q update -i $(VENV)/messages.pot -d ecoanalysis/locale -l fr -D ecoanalysis --no-fuzzy-matching --no-wrap --ignore-obsolete

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find reports -mindepth 1 ! -name README.md -delete
