# Builds the zip of the function that `function` names. SAM gets here through functions/<function>/Makefile, with
# ARTIFACTS_DIR set and the project's root as the working directory.

UV ?= $(or $(wildcard .venv/bin/uv),uv)
# What Lambda runs; the tests build for the machine at hand.
PYTHON_VERSION ?= 3.13
PYTHON_PLATFORM ?= aarch64-manylinux_2_28
# pyenv's own folder comes last: its shim on the PATH may only say which versions there are.
PYTHON ?= $(shell PATH="$$PATH:$$(echo "$$(pyenv root 2>/dev/null)"/versions/$(PYTHON_VERSION).*/bin | tr ' ' :)" \
  $(UV) python find --system --no-python-downloads $(PYTHON_VERSION) 2>/dev/null)

# What an installed package brings and no request reads: programs, stubs, C sources, lists of files that no longer hold,
# the descriptions of every AWS service but those that are called (xray by the tracer, when it is imported), boto3's
# resources (the code uses clients), Powertools' Swagger UI, a test module, and what compiles C extensions.
PRUNED = .lock bin *-stubs *-stubs.dist-info *.dist-info/RECORD boto3/data boto3/examples cffi* pycparser* \
  aws_lambda_powertools/event_handler/openapi/swagger_ui/*.js \
  aws_lambda_powertools/event_handler/openapi/swagger_ui/*.css multidict/_testcapi.*
PRUNED_ANYWHERE = *.pyi *.pyx *.pxd *.c *.h
AWS_SERVICES = s3 sqs xray

# Lambda cannot write .pyc files, reads none but those of its own version, and takes 3 to 6 times as long to import
# without. The zip's files get new times, so a .pyc is never compared with its source. A fixed hash seed makes the same
# bytes of the same sources.
COMPILE = PYTHONHASHSEED=0 "$(PYTHON)" -m compileall -q --invalidation-mode unchecked-hash -s "$(ARTIFACTS_DIR)" -p /var/task

.PHONY: package python
package:
	@"$(PYTHON)" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(PYTHON_VERSION)")' 2>/dev/null || { \
	  echo 'Compiling for Lambda needs Python $(PYTHON_VERSION), and there is none here: set PYTHON to one.' >&2; exit 1; }
	$(UV) pip install --quiet --python "$(PYTHON)" --python-platform $(PYTHON_PLATFORM) \
	  --python-version $(PYTHON_VERSION) --only-binary :all: --require-hashes --no-compile --link-mode copy \
	  -r requirements/$(function).txt --target "$(ARTIFACTS_DIR)"
	cd "$(ARTIFACTS_DIR)" && rm -rf $(PRUNED)
	cd "$(ARTIFACTS_DIR)" && find botocore/data -mindepth 1 -maxdepth 1 -type d \
	  $(foreach service,$(AWS_SERVICES),! -name $(service)) -exec rm -r {} +
	cd "$(ARTIFACTS_DIR)" && find . -type f '(' -false $(foreach name,$(PRUNED_ANYWHERE),-o -name '$(name)') ')' -delete
	# Of other people's packages the .pyc alone, in the place of its source; ours keep their sources for tracebacks.
	$(COMPILE) -b "$(ARTIFACTS_DIR)"
	find "$(ARTIFACTS_DIR)" -name '*.py' -delete
	mkdir -p "$(ARTIFACTS_DIR)/functions"
	cp -R functions/__init__.py functions/$(function) "$(ARTIFACTS_DIR)/functions/"
	cp -R shared "$(ARTIFACTS_DIR)/"
	# upload and download read what the types say of themselves; process alone runs them.
	for file in assay/datasets/*/dataset.json assay/datasets/*/rules.json \
	  assay/datasets/*/example.csv; do \
	  mkdir -p "$(ARTIFACTS_DIR)/$$(dirname $$file)" && cp $$file "$(ARTIFACTS_DIR)/$$file" || exit 1; done
	$(if $(filter process,$(function)),cp -R assay "$(ARTIFACTS_DIR)/")
	cd "$(ARTIFACTS_DIR)" && rm -f functions/$(function)/Makefile functions/$(function)/Dockerfile
	find "$(ARTIFACTS_DIR)/functions" "$(ARTIFACTS_DIR)/shared" "$(ARTIFACTS_DIR)/assay" -name __pycache__ -prune -exec rm -r {} +
	$(COMPILE) "$(ARTIFACTS_DIR)/functions" "$(ARTIFACTS_DIR)/shared" "$(ARTIFACTS_DIR)/assay"

# Which Python that is, for the tests.
python:
	@echo "$(PYTHON)"
