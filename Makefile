# Two commands for a new machine: `make quickstart` and `make test`. Both need Python 3.10 or
# newer, Debian's packages and the package registries, and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# The lock is complete, so nothing is resolved again.
PIP = $(BIN)/pip install --quiet --disable-pip-version-check --no-deps
LIMIT ?= 150
RUN = runs/quickstart
# A small board: the local model as it comes, with two settings, and warmer.
BOARD = runs/leaderboard
RULES = leaderboard/sample.yaml
ENTRIES = plain safety-prompt p-ground warm
OPTIONS_safety-prompt = --setting safety_prompt
OPTIONS_p-ground = --setting p_ground
OPTIONS_warm = --temperature 0.8
# Every dependency, pinned with its sum.
LOCK = requirements.lock
ROOMS = taxonomy data_builders benchmark leaderboard

.PHONY: quickstart picture leaderboard test check format lock browser build perf clean

quickstart: $(VENV)/installed
	$(BIN)/convsafe run --model local --limit $(LIMIT) --max-tokens 96 --out $(RUN)

# The picture in the README.
picture: browser
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,1180 \
	  --screenshot=docs/report.png file://$(CURDIR)/$(RUN)/report.html

# Run, submit, verify and rank as outsiders and maintainers do, then open dist/leaderboard.
leaderboard: $(ENTRIES:%=$(BOARD)/submissions/smollm2-%/manifest.json)
	for folder in $(BOARD)/submissions/*; do \
	  $(BIN)/convsafe verify --no-score --rules $(RULES) $$folder || exit; done
	$(BIN)/convsafe rank --rules $(RULES) --board $(BOARD)/board $(BOARD)/submissions
	$(BIN)/convsafe site $(BOARD)/board --out dist/leaderboard

$(BOARD)/submissions/smollm2-%/manifest.json: $(VENV)/installed $(RULES)
	limit=$$(sed -n 's/^limit: //p' $(RULES)); $(BIN)/convsafe run --model local --limit $$limit \
	  --max-tokens 64 $(OPTIONS_$*) --only-run --out $(BOARD)/runs/$*
	$(BIN)/convsafe submit $(BOARD)/runs/$* --name "SmolLM2 $*" --contact nobody@example.org \
	  --license Apache-2.0 --statement "A small model, to show how a board is made." \
	  --rules $(RULES) --out $(BOARD)/submissions/smollm2-$*

test: $(VENV)/installed browser check
	$(BIN)/pytest --numprocesses 2 --dist loadfile

$(VENV)/installed: $(LOCK) requirements-model.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r $(LOCK) -r requirements-model.lock
	$(PIP) --no-build-isolation -e .
	touch $@

check: $(VENV)/installed
	mkdir -p .typing/convsafe
	for room in $(ROOMS); do ln -sfn ../../$$room .typing/convsafe/$$room; done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=.typing $(BIN)/mypy --explicit-package-bases -p convsafe

format: $(VENV)/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The tests look at the report in a real browser.
browser:
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	  { SUDO=$$(command -v sudo || true); $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq chromium; }

build: $(VENV)/installed
	$(BIN)/convsafe build --out dist/release

# The figures of benchmark/perf; INSPECT names a Python that has inspect_ai and openai, if there
# is one.
perf: build
	$(BIN)/python -m convsafe.benchmark.perf.scoring --release dist/release --judge-n 1000000 \
	  $(if $(INSPECT),--inspect $(INSPECT)) --out benchmark/perf/scoring.json
	$(BIN)/python -m convsafe.benchmark.perf.engine --memory 10000 --memory 100000 --memory 1000000 \
	  $(if $(INSPECT),--peers $(INSPECT)) --out benchmark/perf/engine.json
	$(BIN)/python -m convsafe.benchmark.perf.comparing --release dist/release \
	  --out benchmark/perf/comparing.json
	$(BIN)/python -m convsafe.leaderboard.perf
	$(BIN)/python -m convsafe.benchmark.perf.evaluate_metric --runs 1
	$(BIN)/python -m convsafe.benchmark.perf.coverage --repetitions 4000

lock:
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --upgrade --extra dev --extra local --extra perf pyproject.toml -o $(LOCK)

clean:
	rm -rf $(VENV) .typing build dist *.egg-info
