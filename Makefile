# Each command sets up what it needs first; the set-up is a no-op when nothing changed.
# make run PORT=8001 VAR=/some/folder      make demo INPUT=folder
PORT ?= 8000
VAR ?= var
INPUT ?=
SCALE ?=
ONLY ?=

SETUP_RUN = python3 platform/embedded/bootstrap.py run
SETUP_DEV = python3 platform/embedded/bootstrap.py dev
PYTHON = .venv/bin/python
# Checks that look at the code alone need settings, but no server and no real secret.
NO_SERVER = SECRET_KEY=checks-only FIELD_ENCRYPTION_KEY=checks-only DATABASE_URL=postgresql:///none?host=/nonexistent
export PYTHONPATH = platform:.

.PHONY: bench drill run demo test test-fast reliability lint fmt schema client lock setup clean

run:  ## start the whole platform; Ctrl-C stops it
	@$(SETUP_RUN)
	@$(PYTHON) -m embedded up --var "$(VAR)" --port "$(PORT)"

demo:  ## the main job end to end, without a person; the last line is one JSON object
	@$(SETUP_RUN)
	@$(PYTHON) -m embedded.demo $(if $(INPUT),"$(INPUT)")

test:  ## all tests, on two cores
	@$(SETUP_DEV)
	.venv/bin/pytest -n 2 --no-loadscope-reorder

test-fast:  ## the tests that take a part of a second each and need no browser
	@$(SETUP_DEV)
	.venv/bin/pytest -m "not slow and not browser" -n 2

reliability:  ## break every part while batches run; writes docs/reliability.md
	@$(SETUP_DEV)
	RELIABILITY_TABLE=docs/reliability.md .venv/bin/pytest tests/faults

bench:  ## the performance ratios, as a table and bench/results.json; SCALE=full for the largest sizes, ONLY=deliveries for a part
	@$(SETUP_DEV)
	@SCALE="$(SCALE)" ONLY="$(ONLY)" $(PYTHON) -m bench

drill:  ## the runaway incident replayed, with and without a stop; the last line is one JSON object
	@$(SETUP_RUN)
	@$(PYTHON) -m bench.drill

lint:  ## all static checks
	@$(SETUP_DEV)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy .
	.venv/bin/lint-imports

fmt:  ## format, and mend what can be mended
	@$(SETUP_DEV)
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

schema:  ## write docs/openapi.yaml from the code
	@$(SETUP_DEV)
	$(NO_SERVER) $(PYTHON) manage.py spectacular --file docs/openapi.yaml --validate --fail-on-warn

client:  ## a Python client of the API in build/client, generated from docs/openapi.yaml
	@$(SETUP_DEV)
	PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/openapi-python-client generate --path docs/openapi.yaml --output-path build/client --overwrite

lock:  ## new lock files from pyproject.toml
	@$(SETUP_DEV)
	.venv/bin/uv lock
	.venv/bin/uv export --quiet --frozen --no-emit-project --no-header --no-default-groups -o requirements/production.txt
	.venv/bin/uv export --quiet --frozen --no-emit-project --no-header --no-dev --group embedded -o requirements/run.txt
	.venv/bin/uv export --quiet --frozen --no-emit-project --no-header --group dev -o requirements/dev.txt

setup:  ## everything for developers, nothing started
	@$(SETUP_DEV)

clean:  ## what can be made again; never the data folder
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
