# The two commands a newcomer needs are `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv/bin
ARGS ?=
# Compiled modules are kept: without them every process compiles some 2,000 at its start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-all test-servers bench lint lock ux ready

demo: ; @$(PYTHON) deploy/bootstrap.py demo && exec $(VENV)/python -m energyopti.demo $(ARGS)

ready: ; @$(PYTHON) deploy/bootstrap.py test

test: ready
	@$(VENV)/python -m tests.migrated
	@$(VENV)/python -m trading.pricing.compile_kernels
	@$(VENV)/python -m pytest -n 2 --dist loadgroup -m "not slow" --durations=40 --durations-min=3 --cov --cov-report=term:skip-covered --cov-fail-under=90 $(ARGS)

test-all: ready
	@$(VENV)/python -m pytest -n 2 --dist loadgroup $(ARGS)

# The tests that talk to a database or a broker, against the servers that the environment names;
# amqtt is our own fallback and has been tested beside them.
test-servers: ready
	@$(VENV)/python -m pytest -m "servers and not slow and not browser" -k "not amqtt" $(ARGS)

bench: ready
	@$(VENV)/python -m tests.benchmarks $(ARGS)

# The pages of a running demo in Chromium: axe, console, 360 px; ARGS="URL --cookie sessionid=…"
ux: ready
	@$(VENV)/python -m tests.e2e.audit_pages $(ARGS)

lint: ready
	@$(VENV)/ruff check . && $(VENV)/ruff format --check . && $(VENV)/mypy . && $(VENV)/lint-imports

lock: ; @$(PYTHON) deploy/bootstrap.py lock
