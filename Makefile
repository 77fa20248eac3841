# Everything here works on a fresh machine: a target first makes .venv and installs what it needs with pip.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= demo
# setuptools warns of editable installs in a box that reads like a failure.
PIP := PYTHONWARNINGS="ignore:Editable installation" $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
BENCH ?= $(wildcard benchmarks/*.py)

.PHONY: help demo test test-all lint docs dist bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip

# A stamp is remade when the metadata or the pins change.
$(VENV)/.demo: $(BIN)/python setup.cfg pyproject.toml constraints.txt
	@echo "Installing what the demo needs ..."
	$(PIP) -e '.[demo,view,said,onnx]'
	@touch $@

$(VENV)/.test: $(BIN)/python setup.cfg pyproject.toml constraints.txt
	@echo "Installing what the tests need ..."
	$(PIP) -e '.[demo,align,view,said,solvers,tables,hub,usd,gltf,onnx,dask,docs,dev]'
	@touch $@

demo: $(VENV)/.demo ## sample dataset, three takes of a sentence, an edit, a long clip, pages of them
	$(BIN)/blendvoca synth $(DEMO)/corpus
	$(BIN)/blendvoca build $(DEMO)/corpus --out $(DEMO)/BlendVOCA --jobs 2
	$(BIN)/python docs/demo_files.py $(DEMO)
	$(BIN)/blendvoca rig $(DEMO)/head.ply --shapes all --out $(DEMO)/head.h5 > $(DEMO)/head.log
	$(BIN)/said sample $(DEMO)/speech.wav --samples 3 --blinks --out $(DEMO)/takes
	$(BIN)/said edit $(DEMO)/takes/speech_0.csv --audio $(DEMO)/speech.wav --keep 0:1.2 --out $(DEMO)/edit.csv
	$(BIN)/said sample $(DEMO)/long.wav --blinks --out $(DEMO)/long.csv
	$(BIN)/blendvoca inspect $(DEMO)/head.h5 --track $(DEMO)/takes/speech_0.csv --track $(DEMO)/takes/speech_1.csv --track $(DEMO)/takes/speech_2.csv --audio $(DEMO)/speech.wav --out $(DEMO)/takes.html
	$(BIN)/blendvoca inspect $(DEMO)/head.h5 --track $(DEMO)/takes/speech_0.csv --track $(DEMO)/edit.csv --audio $(DEMO)/speech.wav --out $(DEMO)/edit.html
	$(BIN)/blendvoca inspect $(DEMO)/head.h5 --track $(DEMO)/long.csv --audio $(DEMO)/long.wav --out $(DEMO)/long.html
	@echo
	@echo "Open in a browser: $(DEMO)/takes.html, three takes of one sentence; edit.html beside it, a take whose end is drawn anew;"
	@echo "long.html, many sentences in one go; BlendVOCA/report.html, the dataset."
	@if $(BIN)/said page --rig $(DEMO)/head.h5 --audio $(DEMO)/speech.wav --out $(DEMO)/talk.html >$(DEMO)/page.log 2>&1; \
	then echo "$(DEMO)/talk.html is the model itself: drop a sound file on it, or speak, and the face says it."; \
	else echo "(No page that talks: $$(tail -1 $(DEMO)/page.log))"; fi
	@echo "Then go on with README.md, from here:"
	@echo
	@echo "  . $(BIN)/activate && cd $(DEMO)"

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

dist: $(VENV)/.test ## sdist and wheel for a package index (SOURCE_URL=https://…, the repository's address)
	@test -n "$(SOURCE_URL)" || { echo "Name the repository's public address: make dist SOURCE_URL=https://…"; exit 1; }
	$(BIN)/python docs/make_dist.py $(SOURCE_URL) dist

bench: $(VENV)/.test ## run the benchmarks (BENCH="benchmarks/qp.py ..." for some)
	@for file in $(BENCH); do echo "== $$file"; $(BIN)/python $$file || exit 1; done

clean: ## remove the environment and the demo
	rm -rf $(VENV) $(DEMO) build
