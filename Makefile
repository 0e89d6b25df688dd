# `make` alone lists the targets.

SWIFT ?= swift
CHATREX := .build/release/chatrex
SOURCES := Package.swift $(wildcard Sources Tests Examples Benchmarks)

DEMO_IMAGES ?= $(sort $(wildcard Examples/*.png Examples/*.jpg Examples/images/*.png Examples/images/*.jpg))
DEMO_CATEGORIES ?= cat; dog; zebra; giraffe; bus; bicycle; airplane; apple; pizza; camera; book
DEMO_OUT ?= runs/demo

.PHONY: always help bootstrap build demo test bench reproduce golden format lint clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

bootstrap: ## Install what is missing: Debian packages, libtorch
	@Scripts/bootstrap.sh

build: bootstrap .build/chatrex.stamp ## Build the command line tool

# SwiftPM takes seconds to see that there is nothing to build; make sees it by the files' times. A program that is gone, and another
# libtorch than the one that it was built with, are reasons as well.
.build/chatrex.stamp: Package.swift $(shell find Sources -type f) $(if $(wildcard $(CHATREX)),,always) \
		$(if $(filter "$(LIBTORCH)",$(shell cat .build/chatrex.stamp 2>/dev/null)),,always) | bootstrap
	$(SWIFT) build -c release --product chatrex
	@printf '"%s"\n' "$(LIBTORCH)" >$@

demo: build ## Detect objects in the example images with the built-in model
	@test -n "$(DEMO_IMAGES)" || { echo "make demo: there are no images in Examples/" >&2; exit 1; }
	$(CHATREX) detect $(DEMO_IMAGES) "$(DEMO_CATEGORIES)" --conf 0.5 --one-phrase-per-box --out $(DEMO_OUT)
	@echo "The annotated images are in $(DEMO_OUT)/"

# Tests use public interfaces only, so they link the very modules that `make build` makes instead of a second build.
test: bootstrap ## Run all tests
	$(SWIFT) test -c release --disable-xctest --disable-testable-imports

bench: build ## Measure speed and memory of each stage on the example images
	$(CHATREX) bench $(DEMO_IMAGES) "$(DEMO_CATEGORIES)"

reproduce: build ## Train and measure the paper's comparisons (hours; repeat to go on)
	python3 Scripts/training/reproduce.py $(CHATREX) --out runs/reproduce

golden: build ## Compare with golden numbers: make golden DIR=path
	@test -n "$(DIR)" || { echo "make golden: say which folder, as in: make golden DIR=Tests/Golden" >&2; exit 64; }
	$(CHATREX) golden "$(DIR)"

format: ## Format all Swift files in place
	$(SWIFT) format --in-place --recursive --parallel $(SOURCES)

lint: ## Report where formatting or style differ
	$(SWIFT) format lint --strict --recursive --parallel $(SOURCES)

clean: ## Remove what was built; .deps and runs stay
	rm -rf .build
