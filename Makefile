# The two commands of the README are `make try` and `make test`.

export CGO_ENABLED = 0
LDFLAGS = -s -w -X main.version=$(shell cat VERSION)
PLATFORMS = linux/amd64 linux/arm64 linux/386 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 windows/386 freebsd/amd64 freebsd/arm64 freebsd/386

.PHONY: build man try test torture race lint cross lab bench test-vm test-windows

# xz makes it a tenth smaller, but is not everywhere.
PACK = if command -v xz > /dev/null; then xz $(if $(filter amd64 386,$(shell go env GOARCH)),--x86) --lzma2=preset=9e,dict=16MiB --check=crc32; else gzip -9n; fi

# jobman carries jobman-inner, which units execute, and jobman-net, which looks at
# URLs, in place of empty files. Without inlining (-l) programs are a tenth smaller,
# and start no slower; nor does anything here need HTTP/2.
build:
	go build -trimpath -ldflags '$(LDFLAGS)' -gcflags=all=-l -o bin/ ./cmd/jobman-inner
	go build -trimpath -ldflags '$(LDFLAGS)' -gcflags=all=-l -tags nethttpomithttp2 -o bin/ ./cmd/jobman-net
	for p in inner net; do printf '%s %d\n' $$p $$(wc -c < bin/jobman-$$p); cat bin/jobman-$$p; done | $(PACK) > bin/carried
	echo '{"Replace": {"$(CURDIR)/cmd/jobman/carried.bin": "$(CURDIR)/bin/carried"}}' > bin/overlay.json
	go build -overlay bin/overlay.json -tags nethttpomithttp2 -trimpath -ldflags '$(LDFLAGS)' -gcflags=all=-l -o bin/jobman ./cmd/jobman

try: build ; test/try bin/jobman

# The manual pages, from the grammar and man/in.
man: ; go test -count=1 ./cmd/jobman -run TestManualPagesAreUpToDate -update

# Not cached: the tests of test/ build jobman themselves, which go does not see.
test: ; go test -count=1 -timeout 7m ./...

# Limits and power cuts, on a Debian of its own in qemu (root, Debian, amd64). VM_ROUNDS=10 is how often the power is cut.
test-vm: ; go test -count=1 -v -timeout 90m -tags vm ./test/vm

# On a Windows of its own under wine (root, Debian, amd64).
test-windows: ; go test -count=1 -v -timeout 10m -tags wine ./test/wine

torture: ; N=$(N) go test -count=1 -v -timeout 2h ./test/torture

race: ; CGO_ENABLED=1 go test -race -timeout 7m $$(go list ./... | grep -v /test/)

lint: bin/golangci-lint ; @set -e; for os in linux darwin freebsd windows; do echo $$os; GOOS=$$os bin/golangci-lint run ./...; done

bin/golangci-lint: tools/go.mod ; go build -modfile=tools/go.mod -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

cross: ; @set -e; for p in $(PLATFORMS); do echo $$p; GOOS=$${p%/*} GOARCH=$${p#*/} go vet ./...; GOOS=$${p%/*} GOARCH=$${p#*/} go build -o /dev/null ./cmd/jobman; done

lab: build ; go run ./test/lab/cmd/lab -install bin/jobman -- bash

# BENCH is a regular expression: run, full, list, version, loop, from, event, waiting, pump, slowed, lines, tail, follow, size.
bench: build ; go build -o bin/bench ./test/bench && bin/bench $(BENCHFLAGS) '$(BENCH)'
