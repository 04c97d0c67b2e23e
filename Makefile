# Consilience: two commands, `make book` and `make test`; the rest is what they are made of.
# Both may be run again at any time: what is up to date is left alone. They need no network but package registries.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
TORCH := $(shell sed -n 's/^torch==/torch==/p' constraints.txt)
SOURCES := $(shell find src data -type f -not -name '*.pyc' 2>/dev/null) CMakeLists.txt pyproject.toml constraints.txt
# The package is installed anew when a source changes, or when CUDA is asked for and was not before.
CUDA := $(if $(CONSILIENCE_CUDA),-Ccmake.define.CONSILIENCE_CUDA=$(CONSILIENCE_CUDA))
INSTALLED := $(VENV)/installed$(addprefix -cuda-,$(CONSILIENCE_CUDA))
PIP := $(BIN)/python -m pip --disable-pip-version-check
PEERS := .venv-peers
SITE := 'import sysconfig; print(sysconfig.get_path("purelib"))'
NEW := grep --line-buffered -v 'already satisfied' || true
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

.DEFAULT_GOAL := help
.PHONY: help book serve zip test test-peers bench test-cuda bench-cuda kit colab clean
.DELETE_ON_ERROR:

help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

book: kit ## run the chapters and build the book into _build/html
	$(BIN)/jupyter-book build . --toc book/_toc.yml -W -n --keep-going
	@echo; echo "The book: file://$(CURDIR)/_build/html/index.html   (or: make serve)"

serve: ## serve the built book on this machine only, at PORT or a free one
	@test -f _build/html/index.html || { echo "The book is not built yet: make book"; exit 1; }
	@$(PYTHON) book/_tools/serve.py _build/html $(PORT)

zip: ## pack the built book for reading without a server: _build/consilience-book.zip
	@test -f _build/html/index.html || { echo "The book is not built yet: make book"; exit 1; }
	@$(PYTHON) book/_tools/pack.py _build/html _build/consilience-book.zip

# Pytest takes a worker for each processor, so a worker takes one thread.
test: kit ## check the style, the Colab notebooks, and run all tests
	$(BIN)/ruff check .
	$(BIN)/python -m consilience.book.colab --check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto $(PYTEST_ARGS)

bench: $(PEERS)/made ## time the core against its peers, for an hour or so; best when nothing else runs
	$(PEERS)/bin/python benchmarks/neighbors.py --n 1000 3000 10000 30000 50000 --threads 1 2
	$(PEERS)/bin/python benchmarks/kernel_sums.py --n 1000 3000 10000 30000 --threads 1 2
	$(PEERS)/bin/python benchmarks/chance.py --n 500 1000 2000
	$(PEERS)/bin/python benchmarks/layer_sums.py
	$(PEERS)/bin/python benchmarks/compare.py --threads 1 2
	$(PEERS)/bin/python benchmarks/rsa_permutations.py
	$(PEERS)/bin/python benchmarks/hsic_permutations.py
	$(PEERS)/bin/python benchmarks/cross_correlation.py --n 20000 100000 --units 9216
	$(PEERS)/bin/python benchmarks/dissimilarities.py

test-peers: $(PEERS)/made ## hold the package against other libraries: their values, and their own tests
	$(PEERS)/bin/python -m pytest tests/peers $(PYTEST_ARGS)

test-cuda: $(INSTALLED) ## run the tests that need a GPU
	$(BIN)/python -m pytest -m cuda $(PYTEST_ARGS)

bench-cuda: $(INSTALLED) ## time the core on a GPU, beside torch
	$(BIN)/python benchmarks/on_gpu.py

kit: $(INSTALLED) ## fetch the real models and pictures that the chapters use
	$(BIN)/consilience kit --yes

colab: $(INSTALLED) ## write the Colab notebook of each chapter
	$(BIN)/python -m consilience.book.colab

clean: ## remove what was built, but not .venv nor the kit
	rm -rf _build build dist .pytest_cache .ruff_cache .hypothesis

$(INSTALLED): $(SOURCES) | $(VENV)/made
	$(PIP) install $(TORCH) | { $(NEW); }
	$(PIP) install -c constraints.txt scikit-build-core nanobind cmake ninja | { $(NEW); }
	$(PIP) install -c constraints.txt --no-build-isolation $(CUDA) ".[test]" | { $(NEW); }
	@rm -f $(VENV)/installed*; touch $@

# The peers have an environment of their own on top, so that tests and book see none of them.
$(PEERS)/made: constraints.txt | $(INSTALLED)
	$(BIN)/python -m venv $(PEERS)
	$(BIN)/python -c $(SITE) > $$($(PEERS)/bin/python -c $(SITE))/consilience.pth
	$(PEERS)/bin/python -m pip --disable-pip-version-check install -c constraints.txt faiss-cpu scikit-bio rsatoolbox \
	  himalaya calibrated-similarity pytorch-cka repsim dcor array-api-strict | { $(NEW); }
	@touch $@

$(VENV)/made:
	@PYTHON=$(PYTHON) sh book/_tools/needed.sh
	$(PYTHON) -m venv $(VENV)
	@touch $@
