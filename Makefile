# Every target is what CI runs. `make help` lists them.
SHELL := /bin/bash
GO    ?= go
BIN   := bin/pictifyd
CACHE := $(CURDIR)/.cache
LDFLAGS := -s -w -X main.version=$(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.DEFAULT_GOAL := help
.PHONY: help build studio studio-test demo load test test-long test-short mutate soak chaos lint fuzz vuln sbom release bench clean chrome services

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

build: ## bin/pictifyd, from Go alone
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/pictifyd

studio: services ## studio/dist, the application of studio/app as it is embedded
	scripts/studio.sh build

studio-test: chrome services build ## the studio in a browser (SPECS="e2e/shell.spec.ts …")
	scripts/studio.sh test $(SPECS)

demo: chrome build ## the example daemon on the embedded defaults: edit its CSV and watch one image change
	scripts/demo.sh

test: chrome services build lint $(CACHE)/bin/versitygw $(CACHE)/bin/litestream $(CACHE)/bin/collector ## every test, with the servers that they need (started and stopped here)
	scripts/test.sh
	scripts/studio.sh test

test-long: chrome services $(CACHE)/bin/versitygw $(CACHE)/bin/litestream $(CACHE)/bin/collector ## every test with whole campaigns of hostile rows (half an hour)
	PICTIFYD_TEST_LONG=1 scripts/test.sh

mutate: chrome services $(CACHE)/bin/versitygw $(CACHE)/bin/litestream $(CACHE)/bin/collector ## switch each cure of internal/cures off and expect its test to fail (CURES="NAME …")
	scripts/test.sh scripts/mutate.sh $(CURES)

SOAK ?= 2h
soak: chrome services $(CACHE)/bin/versitygw ## a daemon at work for long, and what it takes by quarters of the time (SOAK=2h)
	PICTIFYD_SOAK=$(SOAK) scripts/test.sh $(GO) test ./daemon -run '^$$' -bench 'Soak$$' -benchtime 1x -timeout 0

chaos: chrome services $(CACHE)/bin/versitygw ## processes with roles, their database, bucket and disk under faults by seeds (SEEDS=4 ROUNDS=15 ROWS=20000 LONGEST=20)
	scripts/test.sh scripts/chaos.sh

test-short: ## the tests that need no service and no browser
	$(GO) test -short ./...

lint: $(CACHE)/bin/golangci-lint ## gofmt, vet and the linters of .golangci.yml
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(CACHE)/bin/golangci-lint run ./...

fuzz: ## every fuzz target, a minute each (FUZZTIME=1h for a night; FUZZBUDGET=90 for a few of them)
	scripts/fuzz.sh

vuln: ## ask Go's vulnerability database about the dependencies; fails where it cannot be asked
	scripts/vuln.sh

sbom: $(CACHE)/bin/cyclonedx-gomod ## out/sbom-*.cdx.json: what the binary and its studio are made of (CycloneDX)
	scripts/sbom.sh out

release: $(CACHE)/bin/cyclonedx-gomod ## out/release: archives for Linux and macOS, checksums, SBOM, notes, of the tag at HEAD (VERSION=v0.0.0-trial without one)
	scripts/release.sh

bench: chrome build ## pictifyd beside its peers, printed and kept in bench/RESULTS.md (an hour; bench/README.md)
	@scripts/install.sh bench
	scripts/bench.sh

load: chrome build $(CACHE)/bin/vegeta ## how fast images are served, and what twice the load does, by a load tool (a minute)
	@scripts/install.sh load
	scripts/load.sh

chrome: ## install headless Chromium and fonts when they are missing
	@scripts/install.sh chrome

services: ## install what the tests need beside Go: gcc, clang, PostgreSQL, Java and Maven for Kafka, patch, libwebp, poppler
	@scripts/install.sh services

clean: ## remove what was built; data stays
	rm -rf bin .cache

GOLANGCI := v2.15.0
$(CACHE)/bin/golangci-lint: Makefile
	@mkdir -p $(CACHE)/bin
	GOBIN=$(CACHE)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	@touch $@

VEGETA := v12.13.0
$(CACHE)/bin/vegeta: Makefile
	@mkdir -p $(CACHE)/bin
	GOBIN=$(CACHE)/bin $(GO) install github.com/tsenart/vegeta/v12@$(VEGETA)
	@touch $@

VERSITYGW := v1.8.0
$(CACHE)/bin/versitygw: Makefile # the S3 server of the tests
	@mkdir -p $(CACHE)/bin
	GOBIN=$(CACHE)/bin $(GO) install github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW)
	@touch $@

LITESTREAM := v0.5.18
$(CACHE)/bin/litestream: Makefile # copies SQLite ledgers in the tests of backups
	@mkdir -p $(CACHE)/bin
	GOBIN=$(CACHE)/bin $(GO) install github.com/benbjohnson/litestream/cmd/litestream@$(LITESTREAM)
	@touch $@

$(CACHE)/bin/collector: $(wildcard scripts/collector/*) # the OpenTelemetry Collector of the tests
	@mkdir -p $(CACHE)/bin
	cd scripts/collector && $(GO) build -o $(CACHE)/bin/collector .

CYCLONEDX := v1.10.0
$(CACHE)/bin/cyclonedx-gomod: Makefile
	@mkdir -p $(CACHE)/bin
	GOBIN=$(CACHE)/bin $(GO) install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX)
	@touch $@

GOVULNCHECK := v1.9.0
$(CACHE)/bin/govulncheck: Makefile
	@mkdir -p $(CACHE)/bin
	GOBIN=$(CACHE)/bin $(GO) install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK)
	@touch $@
