# make run: the whole service on this machine, with a demo (PORT=8000 DATA_DIR=.data FRESH=1 to start from empty)
# make test: every test, on servers started for the run (some of them: ARGS="tests/drives -k booking")
# make mutants: change the pure rules one by one, and list the changes that no test notices (ARGS="drives.booking.rules*")
# make check: lint, types, imports, templates, migrations, deploy check
# make bench, make soak, make shots: measurements, the long run of guarantees, screenshots

PYTHON ?= python3
PY := .venv/bin/python
ARGS ?=

# A production environment for the checks. The values are made up.
PRODUCTION := ENV_FILE= SECRET_KEY=check-only-s3cret-KEY-of-more-than-fifty-characters-0123456789 \
	IDENTITY_KEY=check-only-identity-key-of-enough-characters \
	BASE_URL=https://drives.example.org ALLOWED_HOSTS=drives.example.org BEHIND_PROXY=on \
	SMS_PROVIDER=twilio TWILIO_ACCOUNT_SID=AC0 TWILIO_AUTH_TOKEN=none TWILIO_FROM=+12025550100 \
	EMAIL_URL=submission://mail.example.org EMAIL_FROM=drives@example.org DEMO=off RATE_LIMITS=on

.PHONY: run test mutants check lint types templates deploy bench soak shots venv venv-dev python
.NOTPARALLEL:

run: venv
	@exec $(PY) -m config.embedded --with-parent

# One test process more than cores, because tests often wait for servers.
test: venv-dev
	@$(PY) -m pytest -n $$($(PY) -c 'import os; print(min(4, (os.cpu_count() or 1) + 1))') $(ARGS)

# No server is started, but the settings need addresses.
mutants: venv-dev
	@rm -rf mutants
	@DATABASE_URL=postgresql:///none REDIS_URL=redis://127.0.0.1:1/0 .venv/bin/mutmut run $(ARGS)
	@.venv/bin/mutmut results

check: venv-dev lint types templates deploy
	@echo "All checks passed."

lint: venv-dev
	@echo "Lint, format, imports"
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@.venv/bin/lint-imports

types: venv-dev
	@echo "Types"
	@$(PRODUCTION) DATABASE_URL=postgresql:///none $(PY) -m mypy .

templates: venv-dev
	@echo "Templates, compose.yaml"
	@.venv/bin/djlint . --lint --quiet
	@.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml

deploy: venv-dev
	@echo "Deploy check, migrations"
	@$(PRODUCTION) DATABASE_URL=postgresql:///none STATIC_ROOT=build/static $(PY) manage.py collectstatic --no-input --verbosity 0
	@$(PRODUCTION) STATIC_ROOT=build/static $(PY) -m config.embedded with $(PY) manage.py check --deploy --fail-level WARNING
	@$(PRODUCTION) $(PY) -m config.embedded with $(PY) manage.py makemigrations --check --dry-run

bench: venv-dev
	@$(PY) -m bench $(ARGS)

soak: venv-dev
	@$(PY) -m bench.soak $(ARGS)

shots: venv-dev
	@$(PY) -m bench.shots $(ARGS)

# The packages that the service runs on.
venv: python
	@$(PYTHON) config/embedded/install.py

# The packages of the tests, linters and benchmarks.
venv-dev: python
	@$(PYTHON) config/embedded/install.py --dev

python:
	@command -v $(PYTHON) >/dev/null || { echo "Error: $(PYTHON) was not found. Install Python 3.11 or newer, or name it: make run PYTHON=..." >&2; exit 1; }
