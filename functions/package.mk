# Builds the zip of the function that `function` names. SAM gets here through functions/<function>/Makefile, with
# ARTIFACTS_DIR set and the project's root as the working directory.

UV ?= $(or $(wildcard .venv/bin/uv),uv)
# Lambda reads no .pyc files but those of its own version, and imports take 3 to 6 times as long without them.
PYTHON ?= python3.13

.PHONY: package
package:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' || { \
	  echo 'Compiling for Lambda needs Python 3.13 and "$(PYTHON)" is not it: set PYTHON to one.' >&2; exit 1; }
	$(UV) pip install --quiet --python $(PYTHON) --python-platform aarch64-manylinux_2_28 --python-version 3.13 \
	  --only-binary :all: --require-hashes --link-mode copy -r requirements/$(function).txt --target $(ARTIFACTS_DIR)
	mkdir -p $(ARTIFACTS_DIR)/functions
	cp -R functions/__init__.py functions/$(function) $(ARTIFACTS_DIR)/functions/
	cp -R shared $(ARTIFACTS_DIR)/
	for file in functions/process/pipelines/*/pipeline.json; do \
	  mkdir -p $(ARTIFACTS_DIR)/$$(dirname $$file) && cp $$file $(ARTIFACTS_DIR)/$$file || exit 1; done
	rm $(ARTIFACTS_DIR)/functions/$(function)/Makefile
	find $(ARTIFACTS_DIR) -name __pycache__ -prune -exec rm -r {} +
	# The zip's files get new times and cannot be written beside, so a .pyc is never compared with its source.
	$(PYTHON) -m compileall -q --invalidation-mode unchecked-hash -s $(ARTIFACTS_DIR) -p /var/task $(ARTIFACTS_DIR)
