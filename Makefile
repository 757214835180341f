SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
CLUSTER := cd tests && python3 -m cluster
# docker or podman where they work, else buildah, which is installed where it is missing.
TOOLS_FOR_IMAGES := docker info >/dev/null 2>&1 || podman info >/dev/null 2>&1 || (cd tests && python3 -m cluster need buildah)

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  \033[1m%-16s\033[0m %s\n", $$1, $$2}'

##—— Everything on a fresh Debian machine ——

.PHONY: demo
demo: setup cluster-up images ## Build an image in a real cluster: install the chart, apply examples/hello.yaml, run the result
	@$(BIN)/python tools/demo.py

.PHONY: test
test: setup ## Run all tests: unit, functional, chart, standalone, truth, end to end
	@rm -f build/*.summary build/*.shown; failed=; \
	for suite in unit functional chart standalone truth e2e; do $(MAKE) $$suite || failed="$$failed $$suite"; done; \
	echo; $(BIN)/python tools/proofs.py build/*.shown || failed="$$failed proofs"; \
	echo; echo "All suites:"; cat build/*.summary; \
	if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

##—— One suite at a time ——

.PHONY: unit
unit: setup ## Pure tests, seconds
	@tools/suite.sh unit -q tests/unit

.PHONY: functional
functional: setup ## CRD and operator against a real etcd and kube-apiserver
	@tools/suite.sh functional -q --durations=10 tests/functional

.PHONY: chart
chart: setup ## The chart, rendered by Helm
	@tools/suite.sh chart -q tests/chart

.PHONY: standalone
standalone: setup cluster-up image ## The builder image by itself, under a container runtime without Kubernetes
	@tools/suite.sh standalone -q tests/standalone

.PHONY: cases
cases: setup cluster-up image ## Build each Dockerfile of tests/cases and compare the image (a part of standalone)
	@tools/suite.sh cases -q tests/standalone/test_cases.py

.PHONY: truth
truth: setup image ## Build Dockerfiles with BuildKit too, and compare the images
	@$(CLUSTER) need runc docker-registry
	@tools/suite.sh truth -q tests/truth

.PHONY: e2e
e2e: setup cluster-up images ## Kubelet, registries, executor and the chart, all real
	@tools/suite.sh e2e -q --durations=5 tests/e2e

.PHONY: lint
lint: setup ## Style, types, import contracts, generated files
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/docs/generate.py --check
	$(BIN)/python tools/audit.py lock

.PHONY: audit
audit: setup ## Look up known vulnerabilities of uv.lock and the Go programs
	@$(BIN)/python tools/audit.py lock
	@$(BIN)/python tools/audit.py go

.PHONY: format
format: setup ## Format the code, and fix what ruff can
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

##—— Images ——

.PHONY: images
images: image operator-image ## Both images

.PHONY: image
image: setup ## Build the builder image (docker, podman or buildah); print its size and start-up time
	@$(TOOLS_FOR_IMAGES)
	@$(BIN)/python shim/image/build.py

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

##—— The rest ——

.PHONY: setup
setup: ## Create .venv from uv.lock
	@tools/bootstrap.sh

.PHONY: docs
docs: setup ## Generate pages of docs/ and the chart's copy of the CRDs
	$(BIN)/python tools/docs/generate.py

.PHONY: clean
clean: ## Remove build results of this folder (caches in ~/.cache stay)
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
