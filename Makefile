# Everything here works on a fresh machine: a target first makes .venv and installs what it needs with pip.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= demo
# setuptools warns of editable installs in a box that reads like a failure.
PIP := PYTHONWARNINGS="ignore:Editable installation" $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
BENCH ?= $(wildcard benchmarks/*.py)

.PHONY: help demo test test-all lint docs bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip

# A stamp is remade when the metadata or the pins change.
$(VENV)/.demo: $(BIN)/python setup.cfg pyproject.toml constraints.txt
	@echo "Installing what the demo needs ..."
	$(PIP) -e '.[demo,view,said]'
	@touch $@

$(VENV)/.test: $(BIN)/python setup.cfg pyproject.toml constraints.txt
	@echo "Installing what the tests need ..."
	$(PIP) -e '.[demo,align,view,said,solvers,tables,hub,usd,gltf,onnx,dask,docs,dev]'
	@touch $@

demo: $(VENV)/.demo ## sample dataset, build, summary, a sampled clip, what to open next
	$(BIN)/blendvoca synth $(DEMO)/corpus
	$(BIN)/blendvoca build $(DEMO)/corpus --out $(DEMO)/BlendVOCA --jobs 2
	$(BIN)/said sample $(DEMO)/corpus/audio/speaker04/sentence01.wav --out $(DEMO)/sample.csv
	$(BIN)/blendvoca export $(DEMO)/sample.csv --rig $(DEMO)/BlendVOCA/speaker04.h5 --to glb --out $(DEMO)/sample.glb
	@echo
	@echo "The dataset is $(DEMO)/BlendVOCA; $(DEMO)/sample.glb speaks a sentence that the demo model has drawn. Look next:"
	@echo "  $(BIN)/blendvoca inspect $(DEMO)/BlendVOCA --speaker speaker04 --clip sentence01 --track $(DEMO)/sample.csv --out $(DEMO)/look.html --open"
	@echo "  $(BIN)/blendvoca render $(DEMO)/BlendVOCA/speaker04.h5 --out $(DEMO)/shapes.png"
	@echo "  $(BIN)/blendvoca render $(DEMO)/BlendVOCA/speaker04.h5 --clip sentence01 --track $(DEMO)/sample.csv --out $(DEMO)/talk.mp4"
	@echo "  $(DEMO)/BlendVOCA/report.html, and $(BIN)/blendvoca info $(DEMO)/BlendVOCA"

test: $(VENV)/.test ## the test suite, without the slow tests
	$(BIN)/python -m pytest -m "not slow" -n 2

test-all: $(VENV)/.test ## the slow tests, and those on real data, too
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/.test ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(VENV)/.test ## the site of guide and API reference, under build/docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs
	@echo "The site is build/docs/index.html"

bench: $(VENV)/.test ## run the benchmarks (BENCH="benchmarks/qp.py ..." for some)
	@for file in $(BENCH); do echo "== $$file"; $(BIN)/python $$file || exit 1; done

clean: ## remove the environment and the demo
	rm -rf $(VENV) $(DEMO) build
