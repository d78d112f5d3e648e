# salesnb: make report and make test do all the set-up themselves.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.salesnb-stamp
UV := $(shell command -v uv 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup report test lint docs bench notebooks texts lock clean

help:  ## Show these targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

setup: $(STAMP)  ## Build .venv from requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "salesnb needs Python 3.11 or newer. Install it (Debian: apt-get install python3; or https://www.python.org), or run: make PYTHON=/path/to/python3.11"; exit 1; }
ifneq ($(UV),)
	@rm -rf $(VENV)
	$(UV) venv --quiet --python $(PYTHON) $(VENV)
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
else
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing. Install it (Debian: apt-get install python3-venv) or install uv, then run make again."; exit 1; }
	@rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
endif
	@touch $@

report: $(STAMP)  ## Make the sample company's reports for one quarter and print the portal's path
	$(BIN)/salesnb run params/sample.yaml

test: $(STAMP)  ## Run all tests; browser tests need Chromium
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| echo "Chromium is not installed: the browser tests are skipped. To run them: apt-get install chromium"
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not bench and not alone" tests salesnb
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --nbval --nbval-sanitize-with tests/nbval.cfg notebooks
	$(BIN)/python -m pytest -q -rs -m alone tests/browser

lint: $(STAMP)  ## Check style, types and generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tests/environment.py --check
	$(BIN)/python tests/texts.py --check
	$(BIN)/salesnb lint-notebook notebooks/*.ipynb

docs: $(STAMP)  ## Build the documentation site and print its path; a warning fails
	@$(BIN)/python -m sphinx --fail-on-warning --keep-going --fresh-env --quiet --builder html \
	--doctree-dir $(VENV)/doctrees docs site
	@echo $(CURDIR)/site/index.html

bench: $(STAMP)  ## Run the slow tests and the benchmarks (many minutes)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m bench tests
	@for script in $$(grep -l __main__ benchmarks/*.py); do echo "== $$script"; $(BIN)/python $$script || exit 1; done

notebooks: $(STAMP)  ## Execute the notebooks in place on the sample company, as they are committed
	$(BIN)/jupyter nbconvert --to notebook --inplace --execute --ExecutePreprocessor.record_timing=False \
	notebooks/*.ipynb

texts: $(STAMP)  ## Collect the texts of reports and bring translations up to date
	$(BIN)/python tests/texts.py

lock:  ## Renew requirements.lock and environment.yml from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --extra dev --upgrade pyproject.toml --output-file requirements.lock
	$(PYTHON) tests/environment.py

clean:  ## Remove the environment, made reports and the site
	rm -rf $(VENV) reports/20* reports/index.html site docs/generated docs/_static/generated.css
