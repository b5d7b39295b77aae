package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// hook VAR DIR: takes posts by HTTP on this machine's loopback until the script ends,
// and sets the variable to its URL. Each post to /NAME becomes a line of DIR/NAME, and
// its headers of DIR/NAME.head. What the name begins with decides the answer:
//
//	ok      200
//	flaky   500 twice, then 200
//	busy    429 and Retry-After: 3 once, then 200
//	moved   307 to /ok-moved     away  307 to another host
//	hang    none until the script ends
//	cut     the connection is cut
//	bad     500
func hook(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: hook VAR DIR")
	}
	h := &hooks{dir: ts.MkAbs(args[1]), seen: map[string]int{}, over: make(chan struct{})}
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		ts.Fatalf("%v", err)
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/elsewhere"
		h.ServeHTTP(w, r)
	}))
	h.elsewhere = elsewhere.URL
	server := httptest.NewServer(h)
	ts.Defer(func() {
		close(h.over)
		server.Close()
		elsewhere.Close()
	})
	ts.Setenv(args[0], server.URL)
}

type hooks struct {
	dir, elsewhere string
	over           chan struct{}

	mu   sync.Mutex
	seen map[string]int
}

func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := filepath.Base(r.URL.Path)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	h.seen[name]++
	n := h.seen[name]
	h.add(name, string(body))
	h.add(name+".head", fmt.Sprint(r.Header))
	h.mu.Unlock()
	answer := http.StatusOK
	switch kind := strings.SplitN(name, "-", 2)[0]; {
	case kind == "flaky" && n <= 2, kind == "bad":
		answer = http.StatusInternalServerError
	case kind == "busy" && n == 1:
		w.Header().Set("Retry-After", strconv.Itoa(3))
		answer = http.StatusTooManyRequests
	case kind == "moved":
		w.Header().Set("Location", "/ok-moved")
		answer = http.StatusTemporaryRedirect
	case kind == "away":
		w.Header().Set("Location", h.elsewhere+"/elsewhere")
		answer = http.StatusTemporaryRedirect
	case kind == "hang":
		<-h.over
	case kind == "cut":
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(answer)
}

func (h *hooks) add(name, line string) {
	f, err := os.OpenFile(filepath.Join(h.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(line + "\n")
		f.Close()
	}
	if err != nil {
		panic(err)
	}
}
