package e2e

import (
	"errors"
	"io"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"jobman/test/smtp"
)

// mailserver VAR DIR: takes mail by SMTP on this machine's loopback until the script
// ends, and sets the variable to where. It knows STARTTLS, with an authority that is the
// file DIR/authority. The mails become DIR/1, DIR/2, ..., free of their encoding.
func mailserver(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mailserver VAR DIR")
	}
	dir := ts.MkAbs(args[1])
	config, authority, err := smtp.Certificate()
	ts.Check(err)
	ts.Check(os.MkdirAll(dir, 0o700))
	ts.Check(os.WriteFile(filepath.Join(dir, "authority"), authority, 0o600))
	var mu sync.Mutex
	var n int
	var failed error
	s := &smtp.Server{TLS: config, Took: func(mail string) {
		mu.Lock()
		defer mu.Unlock()
		n++
		text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(mail)))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, strconv.Itoa(n)), text, 0o600)
		}
		failed = errors.Join(failed, err)
	}}
	ts.Check(s.Start())
	ts.Defer(func() {
		mu.Lock()
		defer mu.Unlock()
		ts.Check(errors.Join(failed, s.Close()))
	})
	ts.Setenv(args[0], s.Addr())
}
