# Two commands matter: `make demo` runs the main job, `make test` passes the tests. Both do all set-up.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
V      := .venv
export PATH := $(CURDIR)/$(V)/bin:$(CURDIR)/node_modules/.bin:$(PATH)
PIP    := python -m pip install --quiet --disable-pip-version-check --no-deps
LOCKED := --only-binary :all: --require-hashes -r
UVC    := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
          --no-emit-index-url --no-emit-find-links --no-annotate --no-header
.PHONY: demo test bench test-interop test-postgres shown check contracts fresh lock samples clean help

help:            ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(V)/run $(V)/npm-run  ## the walk: issue, anchor, verify, tamper, revoke, stop the chain
	@certledger demo $(DEMO)

test: $(V)/dev $(V)/npm  ## every test, acceptance at a tenth; two at a time
	@pytest -q -n 2 --dist loadfile $(T)

bench: $(V)/dev $(V)/npm $(V)/peers  ## measure beside the peers, write docs/performance.md
	@certledger bench --write docs/performance.md

shown: $(V)/dev $(V)/npm $(V)/peers  ## every acceptance test at full size, evidence printed
	@CERTLEDGER_SHOWN=1 pytest -q -n 2 --dist loadfile --ignore tests/acceptance/test_speed.py tests/acceptance tests/faults/test_restart.py
	@CERTLEDGER_SHOWN=1 pytest -q -s tests/acceptance/test_speed.py

check: $(V)/dev  ## ruff, formatting, mypy --strict, import-linter
	@ruff check . && ruff format --check . && mypy && lint-imports --no-cache

contracts: $(V)/dev $(V)/npm  ## recompile and compare the contracts; fuzz, cover and analyse them
	@python scripts/compile_contracts.py --check
	@python scripts/contract_security.py $(C)

test-interop: $(V)/dev $(V)/npm  ## our log read by Go's log client; needs Debian's golang
	@command -v go >/dev/null || { echo 'go is missing: on Debian, apt-get install golang-go golang-golang-x-mod-dev'; exit 2; }
	@pytest -q -s tests/interop

test-postgres: $(V)/dev  ## two sequencers on PostgreSQL; needs Debian's postgresql
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || \
	  { echo 'PostgreSQL is missing: on Debian, apt-get install postgresql'; exit 2; }
	@pytest -q -s tests/postgres

samples: $(V)/run  ## write samples anew
	@python scripts/make_samples.py
	@python scripts/make_policy_samples.py

fresh:  ## clone, empty HOME, no node: the two commands from nothing
	@sh scripts/fresh.sh

lock: $(V)/dev  ## resolve all dependencies anew
	$(PIP) uv==0.13.9
	cd requirements && for each in run dev slither peers; do $(UVC) $$each.in -o $$each.txt || exit 1; done
	npm install --package-lock-only

clean:  ## remove what the targets made
	rm -rf $(V) node_modules demo-run contracts/out contracts/cache

$(V)/bin/python:
	@test -n "$(PYTHON)" || { echo 'certledger needs Python 3.11 or newer'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'certledger needs Python 3.11 or newer'; exit 1; }
	@echo 'setting up: virtual environment, locked packages, chain engine (about a minute, once)'
	@$(PYTHON) -m venv $(V) || { echo 'no venv module: on Debian, apt-get install python3-venv'; rm -rf $(V); exit 1; }
$(V)/run: requirements/run.txt pyproject.toml | $(V)/bin/python
	@$(PIP) $(LOCKED) requirements/run.txt
	@$(PIP) --no-index --no-build-isolation -e .
	@touch $@
$(V)/dev: requirements/dev.txt $(V)/run
	@$(PIP) $(LOCKED) requirements/dev.txt
	@touch $@
$(V)/peers: requirements/peers.txt | $(V)/bin/python
	@rm -rf $@ && $(PYTHON) -m venv $@ && \
	  { $@/bin/$(PIP) --require-hashes -r requirements/peers.txt && touch $@ || \
	    { rm -rf $@; echo 'cert-issuer could not be installed: bench will name it as absent'; }; }
$(V)/npm-run: package-lock.json .npmrc $(V)/run
	@npm ci --silent --omit=dev
	@touch $@
$(V)/npm: package-lock.json .npmrc $(V)/run
	@npm ci --silent
	@touch $(V)/npm-run $@
