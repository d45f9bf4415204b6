# Every command of the repository. `make help` explains itself; `make demo` and `make test` need no other.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
UV := .venvs/boot/bin/uv
BIN := .venv/bin
UV_VERSION := 0.13.9
# A virtual environment is fresh while its stamp is newer than its lock file.
TOOL_VENVS := sam aws ministack functions container

.PHONY: help
help: ## Show what each command does
	@grep -hE '^[a-zA-Z_-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

##@ Set-up
.PHONY: setup
setup: .venv/.stamp $(TOOL_VENVS:%=.venvs/%/.stamp) ## Make every environment from the lock files

.venvs/boot/.stamp:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"boring-ml needs Python 3.11 to 3.13, and {sys.executable} is {v[0]}.{v[1]}: run make PYTHON=python3.12 ...")'
	@echo "setup: boot"
	@$(PYTHON) -m venv .venvs/boot
	@.venvs/boot/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) 2>/dev/null || .venvs/boot/bin/python -m pip install uv==$(UV_VERSION)
	@touch $@

.venv/.stamp: requirements/dev.txt pyproject.toml | .venvs/boot/.stamp
	@echo "setup: dev"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@$(UV) pip sync --quiet --require-hashes --python $(BIN)/python requirements/dev.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m ensurepip >/dev/null
	@touch $@

.venvs/%/.stamp: requirements/%.txt | .venvs/boot/.stamp
	@echo "setup: $*"
	@[ -x .venvs/$*/bin/python ] || $(PYTHON) -m venv --without-pip .venvs/$*
	@$(UV) pip sync --quiet --require-hashes --python .venvs/$*/bin/python $<
	@touch $@

.PHONY: lock
lock: .venvs/boot/.stamp ## Resolve the dependencies again (LOCK_ARGS=--upgrade for newer ones)
	@tools/lock.sh

##@ Local AWS
.PHONY: up down clean demo
up: setup ## Start the local AWS and deploy the application to it
	@$(BIN)/python -m local up

down: ## Stop the local AWS; its state stays
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m local down; else echo "local AWS  is not set up here: make setup"; fi

clean: ## Stop the local AWS and forget its state
	@[ ! -x $(BIN)/python ] || $(BIN)/python -m local clean
	@rm -rf .aws-sam

demo: setup ## From raw data to live predictions, on the local AWS
	@$(BIN)/python -m local demo

.PHONY: files traffic
files: setup ## Write .local/loans.csv, to train on, and .local/loan.json, to ask about
	@$(BIN)/python -m local files

traffic: setup ## Send real requests to credit until Ctrl-C: a release needs some
	@$(BIN)/python -m local traffic

.PHONY: parity bad-requests
parity: setup ## Compare live predictions over HTTP with model.joblib on the whole holdout
	@$(BIN)/python -m local parity

bad-requests: setup ## Show the status and code that each bad request gets over HTTP
	@$(BIN)/python -m local bad-requests

##@ Checks
.PHONY: simulate
simulate: setup ## Show by simulation how often the judge of a canary is right
	.venv/bin/python -m benchmarks.release.canary_simulation

.PHONY: bench bench-guard
bench: setup ## Measure every performance claim and write the table of goals (5 to 10 minutes)
	@$(BIN)/python -m benchmarks

bench-guard: setup ## Tell whether the hot path has become slower, as CI does (half a minute)
	@$(BIN)/python -m benchmarks.serving.guard

.PHONY: batch-bench batch-run
batch-bench: setup ## Score 2 million rows in batch beside raw ONNX Runtime, and measure memory
	@$(BIN)/python -m benchmarks.batch.throughput

batch-run: setup ## Send 2 million rows through the deployed batch on the local AWS
	@$(BIN)/python -m benchmarks.batch.whole_run

.PHONY: quality-proof
quality-proof: setup ## Let a real model's AUC fall by 5 points and show when it is told, and false alarms
	@$(BIN)/python -m benchmarks.monitoring.quality_injection
.PHONY: drift-proof
drift-proof: setup ## Show how often a look at drift is right: real loans, with drift put in and without
	@$(BIN)/python -m benchmarks.monitoring.drift_injection

.PHONY: growth memory-sizing cost-growth
growth: setup ## Measure how registry, pool of workers and the way back from harm grow
	@$(BIN)/python -m benchmarks.growth.control

memory-sizing: setup ## Measure start and prediction at the CPU shares of memory sizes (needs root)
	@$(BIN)/python -m benchmarks.growth.sizing

cost-growth: memory-sizing ## Work out what a month costs on Lambda, Fargate and Kubernetes
	@$(BIN)/python -m benchmarks.growth.server_cpu
	@$(BIN)/python -m benchmarks.growth.cost_growth

.PHONY: jobs-chaos
jobs-chaos: setup ## Kill workers at random under 5,000 jobs and print the ledger
	@$(BIN)/python -m benchmarks.jobs.chaos

.PHONY: lake-proof
lake-proof: setup ## Compare 20,000 predictions with the log, the lake and the metrics
	@$(BIN)/python -m benchmarks.monitoring.lake_loss

.PHONY: test prove page-proof lint check openapi dashboards
test: setup ## Run the tests
	@$(BIN)/python -m pytest

prove: setup ## Run the long cases that `make test` leaves out: each state killed, each write refused
	@$(BIN)/python -m pytest -m proof

page-proof: setup .venvs/browser/.stamp ## Look at the operations pages in a real Chromium: errors, accessibility, width
	@.venvs/browser/bin/python -m tools.chromium
	@.venvs/browser/bin/python -m pytest -m browser tests/integration/monitoring

lint: setup ## Format, types, imports, templates, state machines
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.check_templates
	@$(BIN)/python -m tools.check_statemachines
	@$(BIN)/python -m tools.openapi --check
	@$(BIN)/python -m tools.dashboards --check

openapi: setup ## Generate api/openapi.yaml from the contracts
	@$(BIN)/python -m tools.openapi

dashboards: setup ## Generate dashboards/dashboards.yaml from the declarations of the models
	@$(BIN)/python -m tools.dashboards

.PHONY: sizes image
sizes: setup ## Show the unzipped size of each function with its layers (after make up)
	@$(BIN)/python -m tools.package_sizes

image: ## Build and push the training image, and print its JobImageUri (needs Docker and AWS)
	@tools/build_image.sh

check: lint test demo page-proof ## All that CI runs
