# The one list of commands; people, hooks and CI call these.
.DEFAULT_GOAL := help
.PHONY: help demo serve test test-servers check format bench bench-ingest bench-sample simulate screenshots reference lock clean chromium

# A process that may not keep bytecode compiles three thousand modules each time it starts.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
JOBS ?= 2
# The lock names every package and its hash, so nothing is resolved; bytecode is made when it is first needed.
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile --no-deps
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

demo: .venv/.package ## fill a fresh store with a realistic week and serve it at http://127.0.0.1:8000
	@$(BIN)/thumbwheel demo $(ARGS)

serve: .venv/.package ## the server (ARGS="--port 9000")
	@$(BIN)/thumbwheel serve $(ARGS)

test: .venv/.dev chromium ## every test (ARGS="-k draw" for some, BROWSER=no without Chromium)
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(if $(filter no,$(BROWSER)),-m "not browser") $(ARGS)

test-servers: .venv/.dev ## pull from and push to a real Phoenix and a real MLflow (installed once, a minute each)
	@$(BIN)/python -m pytest -m servers tests/servers $(ARGS)

check: .venv/.dev ## format, lint, types, imports
	@$(BIN)/ruff format --check --quiet . || { echo "make format puts it right"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: .venv/.dev ## put format and imports right
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix-only --quiet .

bench: .venv/.bench ## the figures of docs/benchmarks.md, as ratios within one run
	@set -e; for script in benchmarks/bench_*.py; do echo "== $$script"; PYTHONPATH=. $(BIN)/python $$script $(ARGS); done

bench-ingest: .venv/.dev ## traces and signals a second, acknowledged and queryable, and what each costs (ARGS=--profile)
	@$(BIN)/python benchmarks/bench_ingest.py $(ARGS)

simulate: .venv/.dev ## what each way to fill the queue finds in a simulated product; writes docs/sampling.md's figures
	@$(BIN)/python benchmarks/simulate.py $(ARGS)

bench-sample: .venv/.bench ## a draw of 80 from up to ten million traces, against what people do instead
	@PYTHONPATH=. $(BIN)/python benchmarks/bench_sample.py $(ARGS)

screenshots: .venv/.dev chromium ## the README's pictures, from a running demo
	@$(BIN)/python docs/screenshots.py $(ARGS)

reference: .venv/.dev ## write docs/reference.md anew from the code
	@$(BIN)/python docs/reference.py

lock: .venv/.dev ## write requirements/*.lock anew (ARGS=--upgrade for newer versions)
	@$(COMPILE) pyproject.toml --all-extras --group dev --output-file requirements/dev.lock $(ARGS)
	@$(COMPILE) pyproject.toml --group build --constraint requirements/dev.lock --output-file requirements/run.lock
	@$(COMPILE) --group bench --constraint requirements/dev.lock --output-file requirements/bench.lock
	@! grep -nE '^-|://' requirements/*.lock || { echo "A lock must name packages and hashes only."; exit 1; }

clean: ## remove what make made
	@rm -rf .venv .demo build dist site .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

chromium:
	@[ "$(BROWSER)" = no ] || command -v chromium >/dev/null || .ci/apt chromium

.venv/bin/pip:
	@PYTHON="$(PYTHON)" .ci/venv

.venv/.run: requirements/run.lock | .venv/bin/pip
	@echo "Installing what thumbwheel needs (once; under a minute)"
	@$(INSTALL) --require-hashes --requirement requirements/run.lock
	@touch $@

.venv/.package: pyproject.toml .venv/.run
	@$(INSTALL) --no-build-isolation --editable .
	@touch $@

.venv/.dev: requirements/dev.lock .venv/.package
	@echo "Installing what its tests need (once; about a minute)"
	@$(INSTALL) --require-hashes --requirement requirements/dev.lock
	@touch $@

.venv/.bench: requirements/bench.lock .venv/.dev
	@$(INSTALL) --require-hashes --requirement requirements/bench.lock
	@touch $@
