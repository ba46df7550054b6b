# Loadout's development commands; `make` alone lists them.
# build, demo and test need Go 1.26 or later and make. lint and e2e-* fetch what they need into LOADOUT_CACHE.

# Packages built and tested at once: several start servers and wait for them, so not one per core of a large machine.
JOBS      ?= $(shell n=$$(nproc); [ "$$n" -lt 4 ] || n=4; echo "$$n")
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME  ?= 30s
BENCH     ?= .
BENCHTIME ?= 1s

export LOADOUT_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/loadout-ci

.DEFAULT_GOAL := help
.PHONY: help build demo test race lint fuzz bench golden verify e2e-vllm e2e-ollama

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# git describe names the version, so Go's own reading of the repository, which fails in a clone of another owner, is off.
build: ## build bin/loadout, one static binary
	CGO_ENABLED=0 go build -p $(JOBS) -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)' -o bin/loadout ./cmd/loadout

demo: build ## the main job on stand-in servers, from discover to destroy
	examples/demo/demo.sh '$(CURDIR)/bin/loadout'

test: ## all tests that need nothing but Go
	go test -p $(JOBS) ./...

race: ## all tests under the race detector (needs a C compiler)
	go test -race -p $(JOBS) ./...

lint: ## golangci-lint, pinned
	.ci/lint.sh

fuzz: ## each fuzz target for FUZZTIME
	@grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sed 's/:func / /' | sort | \
	while read -r file target; do \
		echo "== $$target in $$(dirname "$$file") for $(FUZZTIME)"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" || exit 1; \
	done

bench: ## all benchmarks, or those that BENCH matches
	go test -p 1 -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem ./...

golden: ## rewrite the golden files with what the code says now
	@grep -rlE --include='*_test.go' 'flag\.Bool\("update"' . | xargs -r -n 1 dirname | sort -u | \
	while read -r dir; do go test -count=1 "$$dir" -update || exit 1; done

verify: ## formatted, tidy, generated files up to date, nothing uncommitted
	@files=$$(git ls-files '*.go' | xargs gofmt -l) && { [ -z "$$files" ] || { echo "gofmt differs:" $$files; exit 1; }; }
	go mod tidy -diff
	go generate ./...
	@changed=$$(git status --porcelain) && { [ -z "$$changed" ] || { echo "uncommitted or not up to date:"; echo "$$changed"; exit 1; }; }

e2e-vllm: ## the main job on a real vLLM on the CPU (LOADOUT_E2E_VLLM names an installed one)
	.ci/e2e.sh vllm

e2e-ollama: ## the main job on a real Ollama on the CPU (LOADOUT_E2E_OLLAMA names an installed one)
	.ci/e2e.sh ollama
