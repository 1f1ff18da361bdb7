# The promised names; each says in one line what it does, and `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH := infra:layers:client
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# A slow mirror, or one that breaks off, is asked again.
export PIP_RETRIES ?= 10
export PIP_RESUME_RETRIES ?= 10
export PIP_DEFAULT_TIMEOUT ?= 60
# Set, as in Docker's Python images, it has every process compile the sources again: tests start hundreds of them.
unexport PYTHONDONTWRITEBYTECODE
SOURCES := functions layers infra client tests
# Their tests run beside each other, and beside those end to end, of which each file runs on stacks of one process.
# First those that wait for processes of theirs: beside others, no core is idle meanwhile.
PARALLEL := tests/integration tests/truth tests/oracle tests/unit
# Who plays AWS: MiniStack, or LocalStack where there are Docker and a token.
PLAYER := $(if $(LOCALSTACK),release,local)

.DEFAULT_GOAL := help
.PHONY: help setup run up down test test-functions test-stacks truth search chaos image-test corpus bench logs status \
    dead-letters keys recount redrive audit preflight package deploy smoke sam-env client client-test exporters lint format lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

setup: $(VENV)/.run ## make the environment that running needs (other targets do it by themselves)

run: $(VENV)/.run ## run the whole system here, send it a circuit, serve until Ctrl-C
	@$(BIN)/python -m local run

up: $(VENV)/.run $(if $(LOCALSTACK),.local/sam/.made) ## run the same in the background, and write .local/env (LOCALSTACK=1: on LocalStack)
	@$(BIN)/python -m $(PLAYER) up

down: ## stop what `make up` started; tasks are kept
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m $(PLAYER) down; else echo "Nothing is running."; fi

test: $(VENV)/.dev ## run all tests on all cores; some of them: make test TESTS="tests/unit -k gate"
ifdef TESTS
	@$(BIN)/python -m pytest $(TESTS)
else
	@$(MAKE) --no-print-directory --keep-going --jobs 2 test-functions test-stacks
endif

test-functions: $(VENV)/.dev
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal $(PARALLEL)

# What they print comes in one piece, when they are done. Of pytest's plugins they leave out what takes long to load.
test-stacks: $(VENV)/.dev
	@printed=$$(mktemp); status=0; \
	$(BIN)/python -m pytest -n auto --maxprocesses 2 --dist loadfile --no-loadscope-reorder -p no:schemathesis tests/e2e \
	    > "$$printed" 2>&1 || status=$$?; \
	cat "$$printed"; rm "$$printed"; exit $$status

image-test: $(VENV)/.dev ## build the worker's image without Docker and run it as Lambda does (Debian, root)
	@$(BIN)/python -m pytest tests/container

search: $(VENV)/.dev ## search for programs that cost the api too much: make search SECONDS=600 (WHAT=requests: for whole requests)
	@PYTHONPATH=$(PYTHONPATH) $(BIN)/python tests/$(if $(filter requests,$(WHAT)),request,reader)_search.py $(or $(SECONDS),60)

truth: $(VENV)/.dev ## compare generated noisy dynamic programs with an exact calculation: make truth SECONDS=600
	@PYTHONPATH=layers:functions/worker:tests $(BIN)/python -m truth.search $(or $(SECONDS),600)

chaos: $(VENV)/.dev ## inject ten kinds of faults into the running system, 500 tasks each, and account for every task
	@CHAOS_TASKS=500 $(BIN)/python -m pytest -s tests/e2e/test_faults.py

corpus: needs-DIR $(VENV)/.run ## read and run every program in a folder: make corpus DIR=path (LINES=1: each line alone)
	@PYTHONPATH=$(PYTHONPATH):functions/worker $(BIN)/python infra/corpus.py $(if $(LINES),--lines) "$(DIR)"

bench: $(VENV)/.dev ## measure everything side by side, about 10 minutes (QUICK=1: about one, and check for regressions)
	@PYTHONPATH=$(PYTHONPATH):tests/bench:tests $(BIN)/python tests/bench/bench.py $(if $(QUICK),--quick)
	@$(if $(QUICK),:,PYTHONPATH=$(PYTHONPATH):tests/bench:tests $(BIN)/python tests/bench/report.py)

logs: $(VENV)/.run ## follow the functions' log lines (TASK=<id>: of one task; QUERY=<saved name or query> SINCE=1h: run a query)
	@$(BIN)/python -m logs $(if $(TASK),--task "$(TASK)") $(if $(SINCE),--since "$(SINCE)") $(if $(FORMAT),--format $(FORMAT))

status: $(VENV)/.run ## show queues, tasks, workers and the last errors (STACK=name: of a stack in the cloud)
	@$(BIN)/python -m status

dead-letters: $(VENV)/.run ## list the messages that failed too often (of a stack in the cloud: STACK=name)
	@$(BIN)/python -m dead_letters list

purge: needs-OWNER $(VENV)/.run ## remove the circuits and results of a key's tasks: make purge OWNER=<as `make keys` lists> (YES=1: do not ask)
	@$(BIN)/python -m purge "$(OWNER)" $(if $(YES),--yes)

recount: needs-OWNER $(VENV)/.run ## count again what a key has open and has used, if its sums have drifted: make recount OWNER=<as `make keys` lists>
	@$(BIN)/python -m recount "$(OWNER)"

OWN = $(if $(OPEN_TASKS),--open-tasks $(OPEN_TASKS)) $(if $(COMPUTE_SECONDS),--compute-seconds $(COMPUTE_SECONDS)) \
    $(if $(DOLLARS),--dollars $(DOLLARS))
keys: $(VENV)/.run ## list API keys; CREATE=, BOUND=, ROTATE= or DISABLE=<name>, EXPIRE=yes (their options: infra/README.md)
	@$(BIN)/python -m keys $(if $(CREATE),create "$(CREATE)" $(if $(RATE),--rate $(RATE)) $(if $(BURST),--burst $(BURST)) \
	    $(if $(PER_DAY),--per-day $(PER_DAY)) $(OWN),$(if $(BOUND),bound "$(BOUND)" $(OWN),$(if \
	    $(ROTATE),rotate "$(ROTATE)" $(if $(OVERLAP),--overlap-days $(OVERLAP)),$(if \
	    $(DISABLE),disable "$(DISABLE)",$(if $(EXPIRE),expire,list)))))

redrive: $(VENV)/.run ## move the dead letters back to their task queues; their tasks run again
	@$(BIN)/python -m dead_letters redrive

audit: .local/audit/.made ## scan policies and packages for known flaws, and write .local/sbom-*.json (CycloneDX)
	@.local/audit/bin/checkov --config-file .checkov.yaml
	@for part in layers functions/api functions/worker; do \
	    .local/audit/bin/cyclonedx-py requirements $$part/requirements.txt > .local/sbom-$$(basename $$part).json && \
	    .local/audit/bin/pip-audit --strict --disable-pip --progress-spinner off -r $$part/requirements.txt || exit 1; \
	done

preflight: $(VENV)/.dev .local/sam/.made ## find, without AWS, what AWS would refuse: of the template, the deployment, the roles and the answers
	@PYTHONPATH=$(PYTHONPATH):functions/api:functions/notifier:functions/worker:functions/sweeper $(BIN)/python -m preflight $(CHECKS)

package: $(VENV)/.run .local/sam/.made ## build the zip functions and the layer (needs python3.13); list what needs Docker
	@$(BIN)/python -m release package

deploy: needs-ENV $(VENV)/.run .local/sam/.made ## build, deploy to AWS and try it: make deploy ENV=dev (needs Docker and credentials)
	@$(BIN)/python -m release deploy $(ENV)

smoke: needs-URL $(VENV)/.run ## send a deployed stack a circuit whose answer is known: make smoke URL=... API_KEY=...
	@$(BIN)/python -m release smoke $(URL)

sam-env: $(VENV)/.run ## write the environment file for `sam local start-api --env-vars`, while `make up` runs
	@$(BIN)/python -m release sam-env

client: $(VENV)/.run ## build the client's wheel into dist/
	@$(BIN)/pip wheel --quiet --no-deps ./client --wheel-dir dist

client-test: $(VENV)/.run .local/client/.made ## run real programs of Qiskit, Cirq, PennyLane and others against a stack
	@PYTHONPATH=client .local/client/bin/python -m pytest -c client/pyproject.toml client/tests

exporters: $(VENV)/.dev ## read and record what the newest releases of other libraries write (ONLY="qiskit stim": of these)
	@PYTHONPATH=layers $(BIN)/python tests/exporters/every.py .local/exporters $(ONLY)

lint: $(VENV)/.dev ## check style (ruff), types (mypy) and the template (cfn-lint)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/cfn-lint template.yaml

format: $(VENV)/.dev ## rewrite the sources in the project's style
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

lock: $(VENV)/.dev ## pin the dependencies of pyproject.toml again in the requirements files (UPGRADE=<package>: with its newest version)
	@UPGRADE="$(UPGRADE)" PATH=$(BIN):$$PATH sh infra/lock.sh

clean: down ## remove the environment and all local state
	@rm -rf $(VENV) .local .aws-sam .mypy_cache .hypothesis .pytest_cache .ruff_cache client/.pytest_cache client/.ruff_cache
	@find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

# A target that needs a variable says so first, before an environment is made for it.
needs-%:
	@[ -n "$($*)" ] || { echo "$* is missing: make $(MAKECMDGOALS) $*=... (\`make help\` describes it)." >&2; exit 2; }

# The environments are made once and again when their requirements change; pip checks every hash.
$(VENV)/.run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make run PYTHON=python3.13")'
	@echo "Making the environment in $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "Adding what tests and checks need (once, about half a minute) ..."
	@$(BIN)/pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

# Tools that pin a botocore of their own have environments of their own. Their files are complete, and pip stumbles over
# extras among hashes: --no-deps.
.local/sam/.made: infra/release/requirements.txt
.local/audit/.made: infra/audit/requirements.txt
.local/client/.made: client/tests/requirements.txt client/pyproject.toml
.local/sam/.made .local/audit/.made .local/client/.made:
	@echo "Making the environment in $(@D) (once, about a minute) ..."
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip install --quiet --no-deps --require-hashes -r $<
	@$(if $(findstring client,$@),$(@D)/bin/pip install --quiet --no-deps ./client)
	@touch $@
