FUZZTIME ?= 30s
SEED ?= 0
DURATION ?= 5m
NODES ?= 1

.DEFAULT_GOAL := help
.PHONY: help dev cluster test race soak faults clocks mutants model rings outage scale churn abuse idle presence losses lint fmt fuzz bench bench-sweeps scenarios generate ci clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: ## run NATS and all workers in one process, on loopback, with data in .ringline
	go run ./cmd/ringline dev

cluster: ## run three NATS nodes, setup, coordinators and timeouts workers as processes, with data in .cluster
	deploy/cluster

test: ## run all tests
	go test ./... ./tests/...

race: ## run the short tests of all concurrent code with the race detector
	go test -race -short -count=1 ./worker/... ./timeouts/... ./cmd/... ./internal/... ./tests/...

soak: ## run the tests of races, kills and pauses with many repetitions, and start 200 coordinators (some 4 minutes); results in docs/reliability.md
	go test ./cmd/internal/serve -soak -count=1 -timeout 20m -v -run FirstRequest
	go test ./worker/coordinator -soak -count=1 -timeout 20m -v -run 'Against|Crossing|GroupOf50|RightAfter|Killed|Paused|Stress'

faults: ## break processes and links for DURATION (5m) with SEED (0 draws one) on 1 or 3 NODES, and check the results
	go run ./tests/faults run --seed $(SEED) --duration $(DURATION) --nodes $(NODES)

clocks: ## play calls while the clocks of workers are 70 s wrong (a minute; the first run also builds Go's standard library, some minutes)
	go run ./tests/faults run --seed $(SEED) --duration 1m --nodes $(NODES) --rate 10 --only clock

mutants: ## plant each known defect and show which check of the fault harness finds it (some 40 minutes)
	go run ./tests/faults mutants --seed $(SEED)

model: ## check the order of steps in every reachable state of small scenarios, and that each rule is needed (some 8 minutes)
	cd tests/model && go run . && go test -count=1 .

rings: ## let 20,000 calls ring at once, then repeat that with all processes killed in between (some 4 minutes)
	go run ./tests/faults rings
	go run ./tests/faults rings --kill

outage: ## play calls while all coordinators are stopped for 10 minutes
	go run ./tests/faults outage

scale: ## measure calls a second with 1, 2 and 4 coordinators on one and on three nodes (some 5 minutes)
	go run ./tests/faults scale
	go run ./tests/faults scale --in-and-out

churn: ## connect and drop 500 client sessions at random during 20,000 notifications, then fewer while edges are killed and stopped (some 3 minutes)
	go run ./tests/faults churn --seed $(SEED)
	go run ./tests/faults churn --seed $(SEED) --clients 120 --notifications 3000 --edges 3 --break-edges

abuse: ## send an edge the traffic of bad clients, and measure how long good clients wait (some 8 minutes)
	go run ./tests/faults abuse

idle: ## measure the cost of 10,000 idle client sessions, compared with bare centrifuge (some 8 minutes)
	go run ./tests/faults idle

presence: ## measure how long lines of killed clients and edges are taken, and what 1,000 watched calls cost (some 15 minutes)
	go run ./tests/faults presence --seed $(SEED)

losses: ## look for false losses of 500 clients that come and go, while everything fails, for DURATION (5m) on NODES (1)
	go run ./tests/faults presence --measure churn --seed $(SEED) --duration $(DURATION) --nodes $(NODES)

lint: ## run the pinned golangci-lint (the first run installs it outside the repo: some minutes)
	linter=$$(bash .ci/linter) && $$linter run && $$linter fmt --diff && cd tests && $$linter run && $$linter fmt --diff

fmt: ## format the Go code as lint requires
	linter=$$(bash .ci/linter) && $$linter fmt && cd tests && $$linter fmt

fuzz: ## run every fuzz target for FUZZTIME (30s)
	bash .ci/fuzz $(FUZZTIME)

bench: ## measure the time until a call rings, five runs, compared with the broker without Ringline (some 6 minutes)
	go run ./cmd/ringline bench --runs 5

bench-sweeps: ## measure the effect of workers, load, replicas, ringing calls, sessions and stored calls, as tables (some 90 minutes)
	go run ./tests/faults sweeps

scenarios: ## rewrite the golden scenario files of worker/call; review the diff before you commit it
	go test ./worker/call -run Scenarios -update

generate: ## run go generate
	go generate ./...

ci: ## run every check, as CI does
	bash .ci/run

clean: ## delete builds and profiles; the data of dev and cluster stays in .ringline and .cluster
	rm -rf bin ringline coverage* *.test *.prof
