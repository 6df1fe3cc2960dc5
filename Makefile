# Two commands: `make course` runs everything, `make test` tests everything but what needs a browser.
# Grading and its tests need bubblewrap (apt install bubblewrap). `make hostile` has the tests of Docker, too.
# Another Python: make course PYTHON=python3.13

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
CPU_TORCH := https://download.pytorch.org/whl/cpu

.PHONY: course test lint pytest browser hostile lab install clean

course: $(INSTALLED)
	$(BIN)/python -m course run

# ruff needs a second; what takes longer goes side by side, and if one of them fails, so does this.
test: $(INSTALLED)
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	@$(MAKE) --no-print-directory --jobs 2 lint pytest

lint: $(INSTALLED)
	$(BIN)/mypy --no-error-summary
	$(BIN)/python -m course build --check

# Four workers for two cores: a test that waits, for a kernel or for the package index, leaves its core
# to another.
pytest: $(INSTALLED)
	$(BIN)/python -m pytest -n 4

# Every control of every lecture, in JupyterLab, and an instructor in nbgrader's formgrader; needs
# Debian's chromium (apt install chromium).
# Some lectures: make browser LECTURES="02 05"
browser: $(INSTALLED)
	$(BIN)/pip install --quiet -e ".[browser]"
	$(BIN)/python -m pytest tests/browser --timeout 7200

# Every attack on the grading that is known; `make test` tries a few.
hostile: $(INSTALLED)
	$(BIN)/python -m pytest tests/course/grading -m hostile --timeout 3600

lab: $(INSTALLED)
	$(BIN)/python -m course lab

install: $(INSTALLED)

# The versions in constraints.txt are the ones that were tested. PyTorch comes first, by itself, from
# its CPU index: on Linux the default build brings gigabytes of CUDA that the course does not need.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || \
	  { echo "The course needs Python 3.11 to 3.14; try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2> /dev/null || \
	  { echo "$(PYTHON) has no pip to put into .venv; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(BIN)/python -c 'import torch' 2> /dev/null || \
	  $(BIN)/pip install --quiet --retries 1 --no-deps --index-url $(CPU_TORCH) -c constraints.txt torch || \
	  echo "No CPU build of PyTorch could be had; installing the default one."
	$(BIN)/pip install --quiet -c constraints.txt -e ".[dev,transformer,dask]"
	@touch $@

# Leaves .venv, and grading/ with what students handed in.
clean:
	rm -rf build .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find course utils tests -name __pycache__ -prune -exec rm -rf {} +
