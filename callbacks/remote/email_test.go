package remote

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
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
)

// mailServer speaks as much of SMTP (RFC 5321, 3207, 4954) as it takes, and keeps what
// it gets.
type mailServer struct {
	addr string
	tls  *tls.Config
	say  map[string]string // by verb: what it answers instead of taking it
	hang string            // the verb that it never answers
	now  bool              // implicit TLS
	over chan struct{}

	mu      sync.Mutex
	mails   []string
	secrets []string // of AUTH, and whether it came encrypted
}

func serveMail(t *testing.T, s *mailServer) *mailServer {
	t.Helper()
	s.over = make(chan struct{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	t.Cleanup(func() { close(s.over); _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c)
		}
	}()
	return s
}

func (s *mailServer) serve(c net.Conn) {
	defer func() { _ = c.Close() }() // it may have become another
	secure := s.now
	if s.now {
		c = tls.Server(c, s.tls)
	}
	r := bufio.NewReader(c)
	reply := func(text string) { fmt.Fprintf(c, "%s\r\n", text) }
	reply("220 test ESMTP")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		verb = strings.ToUpper(verb)
		if verb == s.hang {
			<-s.over
			return
		}
		if word := s.say[verb]; word != "" {
			reply(word)
			continue
		}
		switch verb {
		case "EHLO":
			reply("250-test")
			if s.tls != nil && !secure {
				reply("250-STARTTLS")
			}
			reply("250 AUTH PLAIN")
		case "STARTTLS":
			reply("220 go on")
			c = tls.Server(c, s.tls)
			r, secure = bufio.NewReader(c), true
		case "AUTH":
			text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			s.mu.Lock()
			s.secrets = append(s.secrets, fmt.Sprintf("%q %v %t", text, err, secure))
			s.mu.Unlock()
			reply("235 welcome")
		case "DATA":
			reply("354 go on")
			var mail strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				mail.WriteString(line)
			}
			s.mu.Lock()
			s.mails = append(s.mails, mail.String())
			s.mu.Unlock()
			reply("250 taken")
		case "QUIT":
			reply("221 bye")
			return
		default:
			reply("250 ok")
		}
	}
}

// authority makes a certificate for 127.0.0.1, and its authority known to this process.
// That is looked for once in a process.
var authority = sync.OnceValues(func() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "jobman-test-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is a temporary one
	file := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return nil, err
	}
	if err := os.Setenv("SSL_CERT_FILE", file); err != nil {
		return nil, err
	}
	if _, err := x509.SystemCertPool(); err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, nil
})

func trusted(t *testing.T) *tls.Config {
	t.Helper()
	config, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func mailTo(t *testing.T, s *mailServer, keys map[string]string, secrets map[string]string) callbacks.Answer {
	t.Helper()
	all := map[string]string{"to": "a@example.org,b@example.org", "from": "jobman@example.org", "host": s.addr}
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
			s := serveMail(t, &mailServer{tls: trusted(t), now: test.now})
			if a := mailTo(t, s, map[string]string{"user": "me", "tls": test.config}, map[string]string{"password": "sesame"}); a.Error != nil {
				t.Fatal(a.Error)
			}
			if len(s.mails) != 1 || len(s.secrets) != 1 || s.secrets[0] != `"\x00me\x00sesame" <nil> true` {
				t.Fatalf("%d mails, logged in as %q", len(s.mails), s.secrets)
			}
			mail := s.mails[0]
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
	other := serveMail(t, &mailServer{tls: &tls.Config{Certificates: config.Certificates}})
	_, port, err := net.SplitHostPort(other.addr)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		s     *mailServer
		host  string
		want  string
		final bool
	}{
		{"knows no TLS", &mailServer{}, "", "STARTTLS", false},
		{"is another", other, "localhost:" + port, "certificate", false},
		{"refuses for now", &mailServer{tls: config, say: map[string]string{"RCPT": "451 come back later"}}, "", `451 "come back later"`, false},
		{"rejects", &mailServer{tls: config, say: map[string]string{"RCPT": "550 nobody here"}}, "", `550 "nobody here"`, true},
		{"does not know the password", &mailServer{tls: config, say: map[string]string{"AUTH": "535 wrong"}}, "", "535", false},
		{"stalls", &mailServer{tls: config, hang: "MAIL"}, "", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.s.addr == "" {
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
			if len(test.s.mails) > 0 {
				t.Errorf("it got %q", test.s.mails)
			}
		})
	}
}

func TestAPasswordIsNotSentInTheClear(t *testing.T) {
	s := serveMail(t, &mailServer{})
	a := mailTo(t, s, map[string]string{"user": "me", "tls": "none"}, map[string]string{"password": "sesame"})
	if a.Error == nil || !a.Error.Final || len(s.secrets) > 0 {
		t.Errorf("%+v, %q", a.Error, s.secrets)
	}
	if a := mailTo(t, s, map[string]string{"tls": "none"}, nil); a.Error != nil || len(s.mails) != 1 {
		t.Errorf("%+v, %d mails", a.Error, len(s.mails))
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
