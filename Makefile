FUZZTIME ?= 30s

.DEFAULT_GOAL := help
.PHONY: help dev test race soak lint fmt fuzz bench scenarios generate ci clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: ## run NATS and all workers in one process, on loopback, with data in .ringline
	go run ./cmd/ringline dev

test: ## run all tests
	go test ./...

race: ## run the short tests of all that runs beside each other, with the race detector
	go test -race -short -count=1 ./worker/... ./timeouts/... ./cmd/...

soak: ## run the tests of races, kills and pauses many times as long (some 3 minutes); figures in docs/reliability.md
	go test ./worker/coordinator -soak -count=1 -timeout 20m -v -run 'Against|Crossing|GroupOf50|Heels|Killed|Paused|Stress'

lint: ## run the pinned golangci-lint (installs it outside the repo the first time: some minutes)
	linter=$$(bash .ci/linter) && $$linter run && $$linter fmt --diff

fmt: ## format the Go code the way that lint wants it
	linter=$$(bash .ci/linter) && $$linter fmt

fuzz: ## run every fuzz target for FUZZTIME (30s)
	bash .ci/fuzz $(FUZZTIME)

bench: ## measure 2,000 idle calls, from invitation to notification, beside bare publishes
	go test -run '^$$' -bench . -benchtime=1x ./worker/coordinator

scenarios: ## write the golden scenario files of worker/call anew; read the difference before you commit it
	go test ./worker/call -run Scenarios -update

generate: ## run go generate
	go generate ./...

ci: ## run every check, as CI does
	bash .ci/run

clean: ## delete builds and profiles; the data of dev stays in .ringline
	rm -rf bin ringline coverage* *.test *.prof
