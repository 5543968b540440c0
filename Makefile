# make test runs everything that must pass, installing what it needs from
# Debian; make test-long adds what takes long. Go alone is enough for the rest.

export PATH := $(PATH):/usr/local/go/bin
GO ?= go

.PHONY: build test test-long bench fmt css clean tools

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o attune ./cmd/attune

# Under make test nothing may be skipped for want of a server or a browser.
test: tools
	@test -z "$$(gofmt -l cmd internal e2e)" || { echo 'gofmt would change:'; gofmt -l cmd internal e2e; exit 1; }
	$(GO) vet ./...
	ATTUNE_TEST_ALL=1 scripts/postgres $(GO) test -timeout 14m ./...

test-long: tools
	ATTUNE_TEST_ALL=1 ATTUNE_LONG=1 scripts/postgres $(GO) test -timeout 3h -count=1 ./...

bench: tools
	scripts/postgres $(GO) test -run '^$$' -bench . -benchtime 1s ./...

fmt:
	gofmt -w cmd internal e2e

# Only for rebuilding the committed browser files; needs npm.
css:
	cd internal/web/styles && npm ci && npm run build

tools:
	@scripts/tools

clean:
	rm -f attune
