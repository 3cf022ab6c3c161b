# Every command of the project; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements-dev.lock
UV_LOCK := requirements-uv.lock
UV := build/uv
CLIENTS := build/clients
CLIENTS_LOCK := requirements-clients.lock
DBT := build/dbt
DBT_LOCK := requirements-dbt.lock
# Of make test-all; at most two workers: the tests start processes of their own.
WORKERS ?= 2
# With this variable set, each of the many processes that the commands start would recompile every module.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-engine test-browser test-trino test-clients test-aws test-terraform clients test-all check fix lint types build docs fields architecture snapshots picture views lock clean bench bench-athena bench-cloud bench-compact bench-extract bench-hourly bench-imports bench-program bench-scale bench-year

help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/ready ## Install everything the project needs into .venv (the other commands do this automatically)

$(VENV)/ready: $(LOCK) pyproject.toml scripts/find-python
	@set -euo pipefail; \
	test -w . || { echo "Cannot write to this folder: copy the project to one of your own and run make there." >&2; exit 1; }; \
	python="$$(sh scripts/find-python)"; \
	"$$python" -m venv --clear $(VENV) \
	  || { echo "Cannot create $(VENV): install the venv module of $$python (on Debian and Ubuntu: apt install python3-venv) and run make again." >&2; exit 1; }; \
	total=$$(grep -c '^[a-z].*==' $(LOCK)); \
	echo "Installing about $$total packages into $(VENV), once; it takes as long as the network needs."; \
	$(BIN)/python -m pip --disable-pip-version-check install --require-hashes --no-compile -r $(LOCK) 2>&1 | tee $(VENV)/install.log \
	  | awk -v total=$$total -v terminal="$$(test -t 1 && echo 1)" \
	      '/^Collecting/ && terminal {printf "\r  found %d of about %d", ++n, total} /^Installing/ {print "\n  unpacking …"} {fflush()}' \
	  || { echo "The packages could not be installed; see $(VENV)/install.log for the reason. Check the network and run make again." >&2; exit 1; }; \
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable . \
	  || { echo "The project itself could not be installed; see the lines above for the reason." >&2; exit 1; }; \
	touch $(VENV)/ready

demo: setup ## Run the whole pipeline on this machine, without AWS and without a Spotify account
	@$(BIN)/python -m cli demo

test: setup ## Run the fast tests
	@$(BIN)/python -m tests.halves

test-engine: setup ## Run the program with Pulumi's own engine against a fake AWS provider (needs the pulumi CLI)
	@$(BIN)/python -m pytest -m engine

test-browser: setup ## Attack the embedded cloud from hostile pages in headless Chromium (needs Chromium)
	@$(BIN)/python -m pytest -m browser

test-trino: setup ## Run every view and named query on Trino (needs a JDK and Maven; downloads Trino once)
	@$(BIN)/python -m pytest -m trino

$(CLIENTS)/ready: $(VENV)/ready $(CLIENTS_LOCK)
	@$(BIN)/python -m venv --clear $(CLIENTS)
	@$(CLIENTS)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --no-compile -r $(CLIENTS_LOCK) \
	  || { echo "The clients of tests/clients could not be installed; see above for the reason. Check the network and run make clients." >&2; exit 1; }
	@touch $(CLIENTS)/ready

$(DBT)/ready: $(VENV)/ready $(DBT_LOCK)
	@$(BIN)/python -m venv --clear $(DBT)
	@$(DBT)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --no-compile -r $(DBT_LOCK) \
	  || { echo "dbt-athena could not be installed; see above for the reason. Check the network and run make clients." >&2; exit 1; }
	@touch $(DBT)/ready

clients: $(CLIENTS)/ready $(DBT)/ready ## Install the clients of AWS that test-clients runs into build/clients and build/dbt

test-clients: clients ## Run AWS CLI, PyAthena, awswrangler, dbt-athena and boto3 against the embedded cloud (downloads them once)
	@$(BIN)/python -m pytest -m clients

test-terraform: setup ## Deploy a pipeline to the embedded cloud with Terraform (needs terraform; downloads its AWS provider)
	@$(BIN)/python -m pytest -m terraform tests/terraform

test-aws: setup ## Deploy a throw-away stack to your AWS account and check everything (costs under a dollar; asks first)
	@$(BIN)/python -m tests.acceptance

test-all: setup ## Run all tests, including the slow ones, but Terraform's and those in AWS
	@# Without them the tests that need them fail, and the others still run.
	@$(MAKE) --no-print-directory clients || true
	@$(BIN)/python -m pytest -m "not trino and not terraform" -n $(WORKERS) --dist loadfile
	@$(MAKE) --no-print-directory test-trino

bench: setup ## Compare the transform with DuckDB, Polars and record-by-record Python, and write docs/benchmarks.md
	@$(BIN)/python -m tests.benchmarks.transform

bench-athena: setup ## Compare first queries of the embedded Athena with DuckDB, and write docs/benchmark-athena.md
	@$(BIN)/python -m tests.benchmarks.athena

bench-cloud: setup ## Measure the start and the invocations of the embedded cloud, and write docs/benchmark-cloud.md
	@$(BIN)/python -m tests.benchmarks.cloud

bench-compact: setup ## Measure the compaction of partitions with many and with large objects
	@$(BIN)/python -m tests.benchmarks.compact

bench-extract: setup ## Measure first loads of libraries of up to a million saved tracks, and write docs/benchmark-extract.md
	@$(BIN)/python -m tests.benchmarks.extract

bench-hourly: setup ## Measure the transform of an hourly run's object, with its S3 requests
	@$(BIN)/python -m tests.benchmarks.transform.hourly

bench-imports: setup ## Measure how long each function takes to import, compared with its libraries alone
	@$(BIN)/python -m tests.benchmarks.imports

bench-program: setup ## Measure how long the Pulumi program takes under mocks, compared with the AWS provider's modules
	@$(BIN)/python -m tests.benchmarks.program_start

bench-scale: setup ## Measure every query over years of hourly runs, and write docs/scale.md (needs what test-trino needs)
	@$(BIN)/python -m tests.benchmarks.scale --trino

bench-year: setup ## Live through a year of hourly runs, compare every view with the model, and write docs/year.md
	@$(BIN)/python -m tests.benchmarks.year

check: lint types test ## Run the linter, the type checker and the fast tests

lint: setup ## Check style and formatting
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: setup ## Check types
	@$(BIN)/mypy
	@# Each is a __main__ of its own.
	@for program in examples/python-*/__main__.py; do $(BIN)/mypy $$program || exit 1; done

fix: setup ## Fix what the linter can fix, and format the code
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

build: setup ## Build the code archive and the dependency layers into build/
	@$(BIN)/python -m pipeline.packaging

fields: setup ## Write the fields that Spotify documents, for the transform to know new ones
	@$(BIN)/python -m scripts.documented_fields

docs: views ## Write the reference pages on streams, tables, queries and settings, and the settings in Pulumi.yaml
	@$(BIN)/python -m scripts.reference_docs

architecture: setup ## Write the resource graph and the failure paths in docs/architecture.md from the program
	@$(BIN)/python -m scripts.architecture_graph
	@$(BIN)/python -m scripts.failure_paths

snapshots: setup ## Write the snapshots of the resource graph that the tests compare the program with
	@$(BIN)/python -m tests.pipeline.snapshots

picture: setup ## Draw the picture of the report in the README (needs Chromium)
	@$(BIN)/python -m scripts.report_picture

views: setup ## Write the views that have a template, and the list of views and queries in docs/queries.md
	@$(BIN)/python -m scripts.views
	@$(BIN)/python -m scripts.queries_page

$(UV)/ready: $(VENV)/ready $(UV_LOCK)
	@$(BIN)/python -m venv --clear $(UV)
	@$(UV)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r $(UV_LOCK)
	@touch $(UV)/ready

lock: setup $(UV)/ready ## Resolve the dependencies in pyproject.toml again and pin them with hashes
	@set -euo pipefail; \
	compile="$(UV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header"; \
	$$compile pyproject.toml --group dev --output-file $(LOCK); \
	$$compile pyproject.toml --constraint $(LOCK) --output-file requirements.lock; \
	for group in extract transform publish runtime uv; do \
	  $$compile --group $$group --constraint $(LOCK) --output-file requirements-$$group.lock; \
	done; \
	$$compile --group clients --output-file $(CLIENTS_LOCK); \
	$$compile --group dbt --no-strip-extras --output-file $(DBT_LOCK); \
	$$compile --group policies --output-file policies/requirements.txt

clean: ## Remove everything that was built or installed here
	rm -rf $(VENV) .local build .mypy_cache .pytest_cache .ruff_cache .hypothesis
