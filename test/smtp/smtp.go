// Package smtp is a mail server for tests, which keeps what it gets.
package smtp

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
	"math/big"
	"net"
	"strings"
	"sync"
	"time"
)

// Server speaks as much of SMTP (RFC 5321, 3207, 4954) as it takes.
type Server struct {
	TLS  *tls.Config       // nil: it knows no STARTTLS
	Now  bool              // implicit TLS
	Say  map[string]string // by verb: what it answers instead of taking it
	Gone string            // an address that it does not know
	Hang string            // the verb that it never answers
	Took func(mail string) // what is told of each mail; nil: nothing

	listener net.Listener
	over     chan struct{}

	mu     sync.Mutex
	mails  []string
	logins []string
}

// Start has it listen on this machine's loopback, until Close.
func (s *Server) Start() (err error) {
	s.over = make(chan struct{})
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	go func() {
		for {
			c, err := s.listener.Accept()
			if err != nil {
				return
			}
			go s.serve(c)
		}
	}()
	return nil
}

// Close ends it.
func (s *Server) Close() error {
	close(s.over)
	return s.listener.Close()
}

// Addr is where it listens, HOST:PORT; "" if it was not started.
func (s *Server) Addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Mails are those that it took.
func (s *Server) Mails() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.mails...)
}

// Logins are what came with AUTH, each quoted, and whether it came encrypted.
func (s *Server) Logins() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.logins...)
}

func (s *Server) serve(c net.Conn) {
	defer func() { _ = c.Close() }() // it may have become another
	secure := s.Now
	if s.Now {
		c = tls.Server(c, s.TLS)
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
		if verb == s.Hang {
			<-s.over
			return
		}
		if word := s.Say[verb]; word != "" {
			reply(word)
			continue
		}
		if verb == "RCPT" && s.Gone != "" && strings.Contains(rest, s.Gone) {
			reply("550 nobody here")
			continue
		}
		switch verb {
		case "EHLO":
			reply("250-test")
			if s.TLS != nil && !secure {
				reply("250-STARTTLS")
			}
			reply("250 AUTH PLAIN")
		case "STARTTLS":
			reply("220 go on")
			c = tls.Server(c, s.TLS)
			r, secure = bufio.NewReader(c), true
		case "AUTH":
			text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			s.mu.Lock()
			s.logins = append(s.logins, fmt.Sprintf("%q %v %t", text, err, secure))
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
			if s.Took != nil {
				s.Took(mail.String())
			}
			reply("250 taken")
		case "QUIT":
			reply("221 bye")
			return
		default:
			reply("250 ok")
		}
	}
}

// Certificate makes a certificate for 127.0.0.1. authority is the file, PEM, that whoever
// is to trust it must know, as by SSL_CERT_FILE.
func Certificate() (config *tls.Config, authority []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	authority = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, authority, nil
}
