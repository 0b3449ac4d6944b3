# The two commands of the README; both install what is missing into .venv first.
PYTHON ?= python3
VENV := .venv
UV := $(VENV)/bin/uv
UV_VERSION := 0.13.9
SYNC := $(UV) sync --quiet --frozen --inexact --all-extras
# Where a firm's proxy signs the registry's certificates, only the machine's own store knows them.

# Python must keep what it compiled: each test starts processes, and each would compile everything.
export PYTHONDONTWRITEBYTECODE :=

COVER_PART := --cov --cov-report= --cov-fail-under=0
COVER_ALL := --cov --cov-append --cov-report=term:skip-covered

.PHONY: up test check pictures sbom

up: $(VENV)/.ready-to-run
	@$(VENV)/bin/zhibo up $(ARGS)

# All of it: first what may run side by side, then what needs the machine for itself.
# `make test ARGS=tests/gateway` runs what it is told.
test: $(VENV)/.ready-to-test
ifdef ARGS
	@$(VENV)/bin/pytest $(ARGS)
else
	@$(VENV)/bin/pytest --numprocesses 2 --dist loadgroup -m "not alone" $(and $(COVER),$(COVER_PART))
	@$(VENV)/bin/pytest -m alone $(and $(COVER),$(COVER_ALL))
endif

check: $(VENV)/.ready-to-test
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

pictures: $(VENV)/.ready-to-test
	$(VENV)/bin/python -m tests.browser.pictures docs/pictures

# What the wheel brings along, by name, version and hash, from the lock.
sbom: $(VENV)/.ready-to-run
	@$(UV) export --quiet --frozen --all-extras --no-dev --format cyclonedx1.5 --output-file sbom.cdx.json
	@echo sbom.cdx.json

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "三水智泊 needs Python 3.11 or newer; try: make up PYTHON=python3.12" >&2; exit 2; }
	@echo "installing into $(VENV); the first time takes a minute or two ..."
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.ready-to-run: pyproject.toml uv.lock | $(UV)
	@$(SYNC) --no-dev 2>/dev/null || $(SYNC) --no-dev --system-certs
	@touch $@

$(VENV)/.ready-to-test: pyproject.toml uv.lock | $(UV)
	@$(SYNC) 2>/dev/null || $(SYNC) --system-certs
	@touch $@
