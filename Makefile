SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
# Tests start Python thousands of times, so compiled modules are kept, whatever the machine's environment says.
export PYTHONDONTWRITEBYTECODE :=

BIN := .venv/bin
CLUSTER := cd tests && python3 -m cluster
# CONTAINER_TOOL, or docker or podman where they work, else buildah, which is installed where it is missing.
TOOLS_FOR_IMAGES := case "$$CONTAINER_TOOL" in buildah) false;; ?*) true;; \
	*) docker info >/dev/null 2>&1 || podman info >/dev/null 2>&1;; esac || (cd tests && python3 -m cluster need buildah)

# What `make test` runs; `make test SUITES="unit chart"` runs these, and compares no claims of docs/proofs.
ALL_SUITES := unit functional chart release standalone truth truth-buildkit e2e e2e-kaniko foreign images-check
SUITES := $(ALL_SUITES)
# The commands of tools/release.
RELEASE := PYTHONPATH=tools $(BIN)/python -m release

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  \033[1m%-16s\033[0m %s\n", $$1, $$2}'

##—— Everything on a fresh Debian machine ——

.PHONY: demo
# With BuildKit alone, unless ENGINE says otherwise: kaniko is not compiled for it.
demo: export ENGINE ?= BuildKit
demo: setup cluster-up operator-image $(if $(filter Auto Kaniko,$(ENGINE)),image) $(if $(filter Kaniko,$(ENGINE)),,buildkit-image) ## Build an image in a real cluster: install the chart, apply examples/hello.yaml, run the result
	@$(BIN)/python tools/demo.py

.PHONY: test
test: setup ## Run all tests: unit, functional, chart, release, standalone, truth, end to end, docker and podman
	@PROOFS=$(if $(filter $(ALL_SUITES),$(SUITES)),$(if $(filter-out $(SUITES),$(ALL_SUITES)),,1)) tools/suites.sh $(SUITES)

##—— One suite at a time ——

.PHONY: programs
programs: setup ## Compile what tests of the cluster run beside it, which they would do themselves
	@for name in source-controller trivy trivy-database fulcio rekor-server timestamp-server cosign kueue vault; do (cd tests && nice python3 -m cluster artefact $$name); done

.PHONY: unit
unit: setup ## Pure tests, seconds
	@tools/suite.sh unit -q tests/unit

.PHONY: functional
functional: setup ## CRD and operator against a real etcd and kube-apiserver
	@tools/suite.sh functional -q --durations=10 tests/functional

.PHONY: chart
chart: setup ## The chart, rendered by Helm
	@tools/suite.sh chart -q tests/chart

.PHONY: release
release: setup ## Workflows, pins, and a release into a local registry
	@$(CLUSTER) need runc docker-registry
	@tools/suite.sh release -q --durations=5 tests/releasing

.PHONY: standalone
standalone: setup cluster-up image buildkit-image ## The builder image by itself, under a container runtime without Kubernetes
	@tools/suite.sh standalone -q tests/standalone

.PHONY: cases
cases: setup image ## Build each Dockerfile of tests/cases and look into the image (a part of truth)
	@$(CLUSTER) need runc docker-registry
	@tools/suite.sh cases -q tests/truth/test_dockerfiles.py -k test_case

.PHONY: truth
truth: setup image ## Build Dockerfiles with BuildKit too, and compare the images
	@$(CLUSTER) need runc docker-registry
	@tools/suite.sh truth -q tests/truth

.PHONY: e2e
e2e: setup cluster-up images ## Kubelet, registries, executor and the chart, all real
	@tools/suite.sh e2e -q --durations=5 tests/e2e

.PHONY: truth-buildkit
truth-buildkit: setup buildkit-image ## The same with the builder image of BuildKit
	@$(CLUSTER) need runc docker-registry
	@ENGINE=BuildKit tools/suite.sh truth-buildkit -q tests/truth -k "not test_case"

# Those in which it matters what builds.
WITH_KANIKO := builds cli_terminal credentials failures first_build hostile hostile_dns private_ca proxy run_mounts

.PHONY: e2e-kaniko
e2e-kaniko: setup cluster-up images ## A part of the end-to-end tests with Kaniko, which the others use only where a build needs it
	@ENGINE=Kaniko tools/suite.sh e2e-kaniko -q --durations=5 $(WITH_KANIKO:%=tests/e2e/test_%.py)

.PHONY: images-check
images-check: setup ## Make the images with docker and podman, and run the commands of the pages on the builder image
	@$(CLUSTER) need buildah docker dockerd ip podman newuidmap docker-registry htpasswd
	@tools/suite.sh images-check -q --durations=5 tests/images

.PHONY: foreign
foreign: setup images ## The demo and some of the end-to-end tests in a cluster that plays a user's own
	@tools/suite.sh foreign -q --durations=5 tests/foreign

.PHONY: lint
lint: setup ## Style, types, import contracts, generated files
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/docs/generate.py --check
	$(BIN)/python tools/check_pages.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	$(BIN)/python tools/audit.py lock
	@$(MAKE) release-check lint-workflows

.PHONY: lint-workflows
lint-workflows: setup ## Check the workflows and the rules of Renovate
	"$$($(CLUSTER) artefact actionlint)" -shellcheck=$(BIN)/shellcheck
	$(BIN)/zizmor --offline --quiet --no-progress .github
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.renovate .github/renovate.json

.PHONY: audit
audit: setup ## Look up known vulnerabilities of uv.lock and the Go programs
	@$(BIN)/python tools/audit.py lock
	@$(BIN)/python tools/audit.py go

.PHONY: format
format: setup ## Format the code, and fix what ruff can
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

##—— Speed: docs/performance.md ——

.PHONY: bench
bench: setup cluster-up images ## Measure speed beside other programs; write bench/results and docs/performance.md (QUICK=1: two minutes, writes neither)
	@$(CLUSTER) need runc docker-registry
	@$(BIN)/python bench/run.py $(if $(QUICK),--quick) $(BENCH); code=$$?; \
		$(if $(QUICK),,$(BIN)/python tools/docs/generate.py;) exit $$code

##—— Images ——

.PHONY: images
images: image buildkit-image operator-image ## All images: the operator, and a builder for each engine

.PHONY: image
image: setup ## Build the builder image (docker, podman or buildah); print its size and start-up time
	@$(TOOLS_FOR_IMAGES)
	@$(BIN)/python shim/image/build.py

.PHONY: buildkit-image
buildkit-image: setup ## Build the builder image with BuildKit as its engine
	@$(TOOLS_FOR_IMAGES)
	@$(BIN)/python shim/image/build.py --engine buildkit

.PHONY: operator-image
operator-image: setup ## Build the operator image
	@$(TOOLS_FOR_IMAGES)
	@$(BIN)/python tools/operator_image.py

.PHONY: sbom
sbom: setup images ## Write SBOMs of both images (CycloneDX) to build/sbom
	@$(BIN)/python tools/sbom.py
	@$(BIN)/pytest -q tests/supply/check_sbom.py

##—— The test cluster ——

.PHONY: cluster-up
cluster-up: ## Start or repair the test cluster; does nothing if KUBECONFIG names another one
	@$(CLUSTER) up

.PHONY: cluster-down
cluster-down: ## Stop the test cluster and remove all of its state
	@$(CLUSTER) down
	@$(CLUSTER) down --functional

.PHONY: cluster-info
cluster-info: ## Print what a shell needs to use it: eval "$$(make cluster-info)"
	@info="$$($(CLUSTER) info)" && sed 's/^/export /' <<<"$$info" && echo 'export PATH="$${BIN:+$$BIN:}$$PATH"'

.PHONY: cluster-status
cluster-status: ## Show which of its parts are running and ready
	@$(CLUSTER) status

.PHONY: cluster-check
cluster-check: setup ## Check that it recovers from the death of any part and leaves nothing behind
	@tools/suite.sh cluster-check -q tests/cluster/check_cluster.py

##—— Faults, for longer than a suite may take ——

PLANS := 250
SEED := 1

.PHONY: chaos-search
chaos-search: setup ## Search PLANS=250 plans of perturbations of SEED=1 for one that breaks an invariant
	@PYTHONPATH=tests:tools $(BIN)/python -m chaos.search --plans $(PLANS) --seed "$(SEED)"

MINUTES := 5
BUILDS := 2000

.PHONY: chaos
chaos: setup image ## Kill, stop and disturb the parts of a cluster of its own while builds run; SEED=… MINUTES=5 UPGRADE=1 (or a commit)
	@PYTHONPATH=tests:tools:bench $(BIN)/python -m chaos --minutes $(MINUTES) --seed "$(SEED)" $(if $(UPGRADE),--upgrade $(filter-out 1,$(UPGRADE)))

.PHONY: soak
soak: setup image ## Build BUILDS=2000 small images in a row, at most for an hour, and plot what the operator holds
	@PYTHONPATH=tests:tools:bench $(BIN)/python -m chaos.soak --builds $(BUILDS)

##—— Releases: CONTRIBUTING.md, "Make a release" ——

.PHONY: release-check
release-check: setup ## Check that all places name one version; TAG=v1.2.3 must fit it and the changelog
	@$(RELEASE) check $(if $(TAG),--tag "$(TAG)")

.PHONY: release-prepare
release-prepare: setup ## Write VERSION=1.2.3 to all places and to the changelog
	@$(RELEASE) prepare "$(VERSION)"
	@build/uv lock --quiet
	@$(MAKE) docs

.PHONY: release-notes
release-notes: setup ## Print the changelog's section of this version
	@$(RELEASE) notes

.PHONY: release-publish
release-publish: setup ## Sign the images of METADATA=FILE (of docker buildx bake); package, push and sign the chart; write dist/
	@$(RELEASE) publish "$(METADATA)"

.PHONY: release-verify
release-verify: setup ## Check the signatures of what release-publish has pushed
	@$(RELEASE) verify

.PHONY: release-packages
release-packages: setup ## Build the Python packages for PyPI into build/packages
	@rm -rf build/packages
	@$(RELEASE) packages build/packages

.PHONY: release-packages-publish
release-packages-publish: setup ## Sign what release-packages has built with the workflow's identity, and upload it to PyPI
	@build/uv run --quiet --isolated --frozen --only-group release pypi-attestations sign build/packages/*
	@$(RELEASE) packages-publish build/packages

.PHONY: release-plugin
release-plugin: setup ## Write the archive and the manifest for krew into dist/
	@$(RELEASE) plugin

.PHONY: executor
executor: setup ## Print the executor's image that the builder image ships
	@$(RELEASE) executor

.PHONY: executor-newest
executor-newest: setup ## Print the newest release of the executor, with its digest
	@$(RELEASE) executor-newest

.PHONY: executor-pin
executor-pin: setup ## Ship another executor: VERSION=v1.2.3 or VERSION=newest
	@$(RELEASE) executor-pin "$(VERSION)"

##—— The rest ——

.PHONY: setup
setup: ## Create .venv from uv.lock
	@tools/bootstrap.sh

.PHONY: docs
docs: setup ## Generate pages of docs/, the chart's README and its copy of the CRDs
	$(BIN)/python tools/docs/generate.py
	@"$$($(CLUSTER) artefact helm-docs)" --chart-search-root charts --sort-values-order file --log-level warning

.PHONY: screenshots
screenshots: setup ## Take the pictures of kubectl imagebuild serve for the documentation
	@$(CLUSTER) need chromium /usr/share/fonts/opentype/inter/Inter-Regular.otf \
		/usr/share/fonts/truetype/jetbrains-mono/JetBrainsMono-Regular.ttf
	@$(BIN)/python tools/docs/screenshots.py

.PHONY: docs-site
docs-site: setup ## Build the documentation site into build/site; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

.PHONY: clean
clean: ## Remove build results of this folder (caches in ~/.cache stay)
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
