package remote

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"mime/quotedprintable"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"jobman/callbacks"
	"jobman/test/smtp"
)

// serveMail starts a mail server for a test.
func serveMail(t *testing.T, s *smtp.Server) *smtp.Server {
	t.Helper()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// authority makes a certificate for 127.0.0.1, and its authority known to this process.
// That is looked for once in a process.
var authority = sync.OnceValues(func() (*tls.Config, error) {
	config, pem, err := smtp.Certificate()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "jobman-test-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is a temporary one
	file := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(file, pem, 0o600); err != nil {
		return nil, err
	}
	if err := os.Setenv("SSL_CERT_FILE", file); err != nil {
		return nil, err
	}
	_, err = x509.SystemCertPool()
	return config, err
})

func trusted(t *testing.T) *tls.Config {
	t.Helper()
	config, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func mailTo(t *testing.T, s *smtp.Server, keys map[string]string, secrets map[string]string) callbacks.Answer {
	t.Helper()
	all := map[string]string{"to": "a@example.org,b@example.org", "from": "jobman@example.org", "host": s.Addr()}
	for key, value := range keys {
		all[key] = value
	}
	return send1(t, "email", all, secrets)
}

func TestMail(t *testing.T) {
	for _, test := range []struct {
		name   string
		now    bool
		config string
	}{{"STARTTLS", false, "starttls"}, {"implicit TLS", true, "tls"}} {
		t.Run(test.name, func(t *testing.T) {
			s := serveMail(t, &smtp.Server{TLS: trusted(t), Now: test.now})
			if a := mailTo(t, s, map[string]string{"user": "me", "tls": test.config}, map[string]string{"password": "sesame"}); a.Error != nil {
				t.Fatal(a.Error)
			}
			if len(s.Mails()) != 1 || len(s.Logins()) != 1 || s.Logins()[0] != `"\x00me\x00sesame" <nil> true` {
				t.Fatalf("%d mails, logged in as %q", len(s.Mails()), s.Logins())
			}
			mail := s.Mails()[0]
			for _, want := range []string{
				"Message-ID: <" + notice().EventID + "@jobman>\r\n", "Auto-Submitted: auto-generated\r\n", "Subject: failure: bad  Bcc: x@y on host\r\n",
				"Content-Type: text/plain", "Content-Type: text/html", "To: <a@example.org>, <b@example.org>\r\n",
			} {
				if !strings.Contains(mail, want) {
					t.Errorf("no %q in\n%s", want, mail)
				}
			}
			body, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(mail)))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"\nexit code   3\r\n", "\n<b>&[31m\r\n", "&lt;b&gt;&amp;", "\ntook        1m35s\r\n"} {
				if !strings.Contains(string(body), want) {
					t.Errorf("no %q in\n%s", want, body)
				}
			}
			if strings.Contains(mail, "\r\nBcc:") {
				t.Errorf("a name became a header:\n%s", mail)
			}
		})
	}
}

func TestMailServersThatFail(t *testing.T) {
	config := trusted(t)
	limit := mailWithin
	mailWithin = 2 * time.Second
	defer func() { mailWithin = limit }()
	other := serveMail(t, &smtp.Server{TLS: &tls.Config{Certificates: config.Certificates}})
	_, port, err := net.SplitHostPort(other.Addr())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		s     *smtp.Server
		host  string
		want  string
		final bool
	}{
		{"knows no TLS", &smtp.Server{}, "", "STARTTLS", false},
		{"is another", other, "localhost:" + port, "certificate", false},
		{"refuses for now", &smtp.Server{TLS: config, Say: map[string]string{"RCPT": "451 come back later"}}, "", `451 "come back later"`, false},
		{"rejects", &smtp.Server{TLS: config, Say: map[string]string{"RCPT": "550 nobody here"}}, "", `550 "nobody here"`, true},
		{"does not know the password", &smtp.Server{TLS: config, Say: map[string]string{"AUTH": "535 wrong"}}, "", "535", false},
		{"stalls", &smtp.Server{TLS: config, Hang: "MAIL"}, "", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.s.Addr() == "" {
				serveMail(t, test.s)
			}
			keys := map[string]string{"user": "me"}
			if test.host != "" {
				keys["host"] = test.host
			}
			a := mailTo(t, test.s, keys, map[string]string{"password": "sesame"})
			if a.Error == nil || !strings.Contains(a.Error.Text, test.want) || a.Error.Final != test.final || strings.Contains(a.Error.Text, "sesame") {
				t.Errorf("%+v", a.Error)
			}
			if len(test.s.Mails()) > 0 {
				t.Errorf("it got %q", test.s.Mails())
			}
		})
	}
}

// With one address that is refused the others are told nevertheless, and once.
func TestMailToSomebodyWhoIsGone(t *testing.T) {
	s := serveMail(t, &smtp.Server{TLS: trusted(t), Gone: "b@example.org"})
	a := mailTo(t, s, map[string]string{"to": "a@example.org,b@example.org,c@example.org"}, nil)
	if a.Error == nil || !a.Error.Partly || !strings.Contains(a.Error.Text, `to b@example.org: the mail server refuses it: `) {
		t.Errorf("%+v", a.Error)
	}
	if mails := s.Mails(); len(mails) != 2 || !strings.Contains(mails[0], "To: <a@example.org>\r\n") || !strings.Contains(mails[1], "To: <c@example.org>\r\n") {
		t.Errorf("it took %q", mails)
	}
}

func TestAPasswordIsNotSentInTheClear(t *testing.T) {
	s := serveMail(t, &smtp.Server{})
	a := mailTo(t, s, map[string]string{"user": "me", "tls": "none"}, map[string]string{"password": "sesame"})
	if a.Error == nil || !a.Error.Final || len(s.Logins()) > 0 {
		t.Errorf("%+v, %q", a.Error, s.Logins())
	}
	if a := mailTo(t, s, map[string]string{"tls": "none"}, nil); a.Error != nil || len(s.Mails()) != 1 {
		t.Errorf("%+v, %d mails", a.Error, len(s.Mails()))
	}
}

func TestSendmail(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "sendmail")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho \"$@\" > "+dir+"/args\ncat > "+dir+"/mail\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	paths := sendmailPaths
	sendmailPaths = []string{program}
	defer func() { sendmailPaths = paths }()
	if a := send1(t, "email", map[string]string{"to": "root@localhost"}, nil); a.Error != nil {
		t.Fatal(a.Error)
	}
	args, err := os.ReadFile(filepath.Join(dir, "args"))
	mail, merr := os.ReadFile(filepath.Join(dir, "mail"))
	if err != nil || merr != nil || string(args) != "-oi -t\n" || !strings.Contains(string(mail), "To: <root@localhost>") {
		t.Errorf("%q, %v\n%s, %v", args, err, mail, merr)
	}
}
