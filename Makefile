# Everything that a clone needs: `make` lists the targets. Nothing here talks to a real AWS account.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
FUNCTIONS := S3EventFunction SnsEventFunction EndpointStatusFunction BusEventFunction ScheduleCleanupFunction

# The tools of `make audit` need other versions of some packages.
AUDIT := .local/audit
AUDIT_INSTALLED := $(AUDIT)/.installed

# Tools that look for an AWS account find none, and find no other one that the shell may know either.
export AWS_DEFAULT_REGION := us-east-1
export AWS_ACCESS_KEY_ID := testing
export AWS_SECRET_ACCESS_KEY := testing
export AWS_EC2_METADATA_DISABLED := true
export SAM_CLI_TELEMETRY := 0
unexport AWS_PROFILE AWS_REGION AWS_SESSION_TOKEN AWS_ENDPOINT_URL

# pip and SAM keep files in the home directory: where there is none to write to, they get one.
ifneq ($(shell test -n "$$HOME" && test -d "$$HOME" && test -w "$$HOME" && echo yes),yes)
export HOME := $(CURDIR)/.local/home
$(shell mkdir -p "$(CURDIR)/.local/home")
endif

# Prints the first interpreter that runs and can make virtual environments, the Lambda runtime's version first. A name
# on PATH may be a shim that does not run, while the interpreter is installed beside it: all places are tried.
define FIND_PYTHON
usable() {
    "$$1" -c 'import ensurepip, ssl, sys, venv; sys.exit(sys.version_info < (3, 11))' > /dev/null 2>&1
}
pyenv_roots() {
    echo "$$PYENV_ROOT"
    echo "$$HOME/.pyenv"
    echo "$$PATH" | tr ':' '\n' | sed -n 's|/shims/*$$||p'
}
for version in 3.13 3.12 3.11 3.14; do
    {
        echo "python$$version"
        pyenv_roots | while read -r root; do ls -d "$$root/versions/$$version"[.t-]*/bin/"python$$version"; done
        ls -d "$$HOME"/.local/share/uv/python/cpython-"$$version".*/bin/"python$$version"
        ls -d /opt/homebrew/bin/"python$$version" /usr/local/bin/"python$$version"
    } 2> /dev/null | {
        while read -r python; do
            if usable "$$python"; then echo "$$python"; exit 0; fi
        done
        exit 1
    } && exit 0
done
if usable python3; then echo python3; exit 0; fi
echo 'No Python of version 3.11 or newer that can make virtual environments was found.' >&2
echo 'Install Python 3.13, the version of the Lambda runtime, in one of these ways:' >&2
echo '  apt-get install python3.13-venv | brew install python@3.13 | pyenv install 3.13 | uv python install 3.13' >&2
exit 1
endef
export FIND_PYTHON

define NO_PYTHON_313
make build needs Python 3.13, the version of the Lambda runtime, and $(VENV) was made with another version.
Install it in one of these ways and run "make clean build":
  apt-get install python3.13-venv | brew install python@3.13 | pyenv install 3.13 | uv python install 3.13
endef
export NO_PYTHON_313

.DEFAULT_GOAL := help
.PHONY: help setup demo test check audit format reference bench soak build e2e clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## make the virtual environment .venv and install the package with its tools

demo: $(INSTALLED) ## run the main job on an embedded AWS: events that start pipelines, and why others do not
	$(BIN)/pipeline-triggers demo

test: $(INSTALLED) ## run the tests
	$(BIN)/pytest -n 2 --dist loadfile

check: $(INSTALLED) ## check format, lint, types and the template
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/sam validate --lint

audit: $(AUDIT_INSTALLED) ## look for weaknesses in the template and the code
	$(AUDIT)/bin/cfn-lint --config-file .ci/audit/cfnlintrc.yaml
	$(AUDIT)/bin/checkov --config-file .ci/audit/checkov.yaml --file template.yaml
	$(AUDIT)/bin/bandit --quiet --configfile .ci/audit/bandit.yaml --recursive functions layers

format: $(INSTALLED) ## format the sources and mend what ruff can mend
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

reference: $(INSTALLED) ## write REFERENCE.md and the JSON Schema of trigger files from the code
	$(BIN)/python -m pipeline_triggers.documents
	$(BIN)/python -m pipeline_triggers.cli.reference

bench: $(INSTALLED) ## measure, beside what others do: all subjects, or one with make bench SUBJECT=parameters
	$(BIN)/python -m tests.benchmarks $(SUBJECT)

# How long to offer events, one every so many milliseconds, and the plan of faults (default or none).
SECONDS ?= 600
EVERY_MS ?= 50
PLAN ?= default

soak: $(INSTALLED) ## offer events under faults and count what is lost or doubled: make soak SECONDS=60 EVERY_MS=50 PLAN=default
	$(BIN)/python -m tests.faults.soak --seconds $(SECONDS) --every-ms $(EVERY_MS) --plan $(PLAN)

build: $(INSTALLED) ## build the functions and the layer with SAM, and import them as Lambda will; needs Python 3.13
	@test -x $(BIN)/python3.13 || { echo "$$NO_PYTHON_313" >&2; exit 1; }
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/sam build
	@# -S: only the layer and the function are there to import from, as in Lambda.
	@for function in $(FUNCTIONS); do \
		PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=".aws-sam/build/$$function:.aws-sam/build/SharedLayer/python" \
			$(BIN)/python3.13 -S -c 'import app; app.handler' || exit 1; \
	done
	@echo "All handlers can be imported with what the layer holds."

e2e: build ## run the functions in AWS's own runtime with SAM, in Docker where that can be had, and deploy with SAM
	$(BIN)/pytest tests/e2e -m e2e --quiet --no-header -rN --maxfail 5

clean: ## remove everything that was made here
	rm -rf $(VENV) .aws-sam .local .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find functions layers tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml
	@if $(BIN)/python -c '' 2> /dev/null; then :; else \
		python=$$(sh -c "$$FIND_PYTHON") || exit 1; \
		echo "Making the virtual environment $(VENV) with $$("$$python" --version) ($$python)"; \
		"$$python" -m venv --clear $(VENV) || exit 1; \
	fi
	@echo "Installing the package and its tools into $(VENV); the first time this takes a minute or two"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[cli,local,dev]'
	@touch $@

$(AUDIT_INSTALLED): .ci/audit/requirements.txt | $(INSTALLED)
	@echo "Installing the tools of the audit into $(AUDIT); this takes a minute"
	@$(BIN)/python -m venv --clear $(AUDIT)
	@$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check --requirement .ci/audit/requirements.txt
	@touch $@
