# The two commands of the README are `make try` and `make test`.

export CGO_ENABLED = 0
LDFLAGS = -s -w -X main.version=$(shell cat VERSION)
LINT = go tool -modfile=tools/go.mod golangci-lint
PLATFORMS = linux/amd64 linux/arm64 linux/386 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 windows/386 freebsd/amd64 freebsd/arm64 freebsd/386

.PHONY: build try test race lint cross lab

build: ; go build -trimpath -ldflags '$(LDFLAGS)' -o bin/jobman ./cmd/jobman

try: build ; test/try bin/jobman

test: ; go test -timeout 7m ./...

race: ; CGO_ENABLED=1 go test -race -timeout 7m $$(go list ./... | grep -v /test/)

lint: ; $(LINT) run ./... && GOOS=windows $(LINT) run ./... && GOOS=freebsd $(LINT) run ./...

cross: ; @set -e; for p in $(PLATFORMS); do echo $$p; GOOS=$${p%/*} GOARCH=$${p#*/} go vet ./...; GOOS=$${p%/*} GOARCH=$${p#*/} go build -o /dev/null ./cmd/jobman; done

lab: build ; go run ./test/lab/cmd/lab -install bin/jobman -- bash
