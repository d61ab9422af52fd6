# SPDX-License-Identifier: MIT
# One command a job. `make` alone lists them.

PYTHON_SOURCES := $(shell find python -name '*.py' -o -name '*.pyi' -o -name py.typed)
C_SOURCES := $(shell find include src -name '*.[ch]' -o -name '*.py' -o -name '*.css' -o -name meson.build)
BUILD_FILES := meson.build meson.options pyproject.toml
VENV := .venv/bin
# The build is small; a few jobs at a time keep the machine usable.
JOBS ?= $(shell nproc)
# meson-python looks for meson and ninja on PATH.
PIP_INSTALL := PATH="$(CURDIR)/$(VENV):$$PATH" $(VENV)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup build run test test-all lint format bench fuzz stress docs clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

setup: ## install what building needs: system packages and .venv
	@tools/setup build

build: setup .venv/.hasten-built ## build hasten and install it into .venv

.venv/.hasten-built: $(C_SOURCES) $(PYTHON_SOURCES) $(BUILD_FILES)
	@echo "building hasten"
	@mkdir -p build
	@$(PIP_INSTALL) --no-build-isolation --no-deps --force-reinstall \
	    --config-settings=build-dir=build/release --config-settings=compile-args=-j$(JOBS) .
	@touch $@

run: build ## profile the bundled sample program and show the report
	@# Its input is made first: the report should show the program, not the making.
	@cd examples && ../$(VENV)/python -c 'from pathlib import Path; from logreport import generate; \
	    data = Path("../build/logreport"); generate.ensure_log(data, 64_000); generate.ensure_networks(data)'
	@$(VENV)/hasten run -o build/logreport.hasten examples/logreport --data build/logreport

test: ## all tests on one interpreter, C tests also under sanitizers
	@tools/setup build test
	@$(MAKE) --no-print-directory build
	@$(VENV)/python tools/run_tests.py

test-all: ## make test, then targets and extensions of every CPython 3.11 to 3.15
	@tools/setup build test interpreters
	@$(MAKE) --no-print-directory build
	@$(VENV)/python tools/run_tests.py --all-interpreters

lint: ## formatting, static analysis, types, rules of the source tree
	@tools/setup build test lint
	@$(MAKE) --no-print-directory build
	@tools/lint

format: ## rewrite C and Python files in the project's format
	@tools/setup build lint
	@find include src tests fuzz -name '*.[ch]' -print0 | xargs -0 clang-format -i
	@$(VENV)/ruff format --quiet .

bench: ## measure hasten against its targets and its peers
	@tools/setup build test interpreters
	@$(MAKE) --no-print-directory build
	@$(VENV)/python benchmarks/run.py

fuzz: ## a minute of fuzzing for each parser
	@tools/setup build fuzz
	@tools/fuzz

stress: ## many threads allocate, or use lazy objects and caches, under sanitizers
	@tools/setup build test
	@$(MAKE) --no-print-directory build
	@tools/stress

docs: build ## check that commands and links in the documentation are true
	@$(VENV)/python tools/check_docs.py

clean: ## remove what was built, keep .venv
	@rm -rf build .venv/.hasten-built
