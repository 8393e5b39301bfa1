# What `make` does needs Node.js and npm, nothing else: npm brings the pinned Bun into node_modules.

# The executable comes in a package of its own per platform; an install script, where npm may run it, moves it to .bin.
bun = $(firstword $(shell ls node_modules/@oven/bun-*/bin/bun 2>/dev/null) node_modules/.bin/bun)
version = $(shell node --print 'require("./package.json").version')
commit = $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
sources = $(shell find src -name '*.ts') package.json package-lock.json

.DEFAULT_GOAL := check
.PHONY: check help setup build run dev types lint test bench bench-streams bench-soak bench-admin bench-counters bench-router format clean

check: types lint test ## Everything that must hold: types, format and lint, tests (what make alone does)

help: ## This list
	@sed -n 's/^\([a-z-]*\):.* ## /\1\t/p' Makefile | expand -t 16

setup: node_modules/.package-lock.json ## Install what package-lock.json pins, when that changed
node_modules/.package-lock.json: package-lock.json
	npm ci
	@touch $@

build: dist/sluice ## Make the executable dist/sluice
dist/sluice: node_modules/.package-lock.json $(sources) $(wildcard $(shell git rev-parse --git-path logs/HEAD 2>/dev/null))
	$(bun) build src/main.ts --outfile $@ --compile --minify --bytecode --splitting --format=esm \
	  --no-compile-autoload-dotenv --no-compile-autoload-bunfig \
	  --compile-exec-argv='--max-http-header-size=65536' \
	  --define 'SLUICE_VERSION="$(version)"' --define 'SLUICE_COMMIT="$(commit)"'

run: build ## Build and start the gateway
	dist/sluice start

dev: setup ## Start from the sources, again at each change
	$(bun) --watch --no-env-file --max-http-header-size=65536 src/main.ts start

types: setup
	node_modules/.bin/tsc --noEmit

lint: setup
	node_modules/.bin/biome check --config-path=.biome.json --error-on-warnings src test

test: build ## Run every test, those of the executable included
	$(bun) test/run.ts

bench: build ## Compare with nginx: requests a second, CPU, latency, memory
	$(bun) test/bench/run.ts

bench-streams: build ## What ten thousand streams at once cost
	$(bun) test/bench/streams.ts

bench-soak: build ## Ten minutes of mixed load: failures, memory, descriptors
	$(bun) test/bench/soak.ts

bench-admin: build ## What 10,000 services cost: writes, memory, restart, import, reload
	$(bun) test/bench/admin.ts

bench-router: setup ## What finding one of 10,000 routes costs
	$(bun) test/bench/router.ts

bench-counters: build ## Whether counters that processes share lose anything, and what they cost
	$(bun) test/bench/counters.ts

format: setup ## Format the sources
	node_modules/.bin/biome check --config-path=.biome.json --write src test

clean: ## Remove what was made
	rm -rf dist node_modules
