package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"jobman/job"
)

// mailWithin is how long a mail server may take.
var mailWithin = 40 * time.Second

// email sends mail by SMTP or, where there is no host, by the local sendmail.
func email(ctx context.Context, o *order) (string, error) {
	text, err := o.message()
	if err != nil {
		return "", &job.SendError{Text: err.Error(), Final: true}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, mailWithin, fmt.Errorf("the mail server is not done within %s", mailWithin))
	defer cancel()
	to := o.Keys["to"]
	told, err := o.mailTo(ctx, text, to)
	var refused *mail.SendError
	if errors.As(err, &refused) && refused.Reason == mail.ErrSMTPRcptTo && len(to) > 1 {
		// With one that is refused nobody has got it.
		err = tellEach(to, func(one string) error {
			_, err := o.mailTo(ctx, text, []string{one})
			return mailError(err)
		})
	}
	return told, mailError(err)
}

// mailError says what the refusal of a server means.
func mailError(err error) error {
	var refused *mail.SendError
	if errors.As(err, &refused) {
		return &job.SendError{Text: "the mail server refuses it: " + err.Error(), Final: !refused.IsTemp() && refused.ErrorCode() >= 500}
	}
	return err
}

// mailTo sends a mail to some of the recipients, or to none of them.
func (o *order) mailTo(ctx context.Context, text message, to []string) (string, error) {
	m, err := o.mail(text, to)
	if err != nil {
		return "", &job.SendError{Text: err.Error(), Final: true}
	}
	if o.key("host") == "" {
		return sendmail(ctx, m)
	}
	host, options, err := o.mailOptions()
	if err != nil {
		return "", &job.SendError{Text: err.Error(), Final: true}
	}
	client, err := mail.NewClient(host, options...)
	if err != nil {
		return "", err
	}
	done := make(chan error, 1) // a server that stalls must not keep us: go-mail has no limit of the whole
	go func() { done <- client.DialAndSendWithContext(ctx, m) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return "the mail server took it", err
}

// mail makes the mail. Each try has the same Message-ID, so that a repeat can be dropped.
func (o *order) mail(text message, to []string) (*mail.Msg, error) {
	from := o.key("from")
	if from == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "localhost"
		}
		name := "jobman"
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
		from = name + "@" + host
	}
	m := mail.NewMsg()
	if err := m.From(from); err != nil {
		return nil, fmt.Errorf("from %q: %w", from, err)
	}
	if err := m.To(to...); err != nil {
		return nil, fmt.Errorf("to %q: %w", strings.Join(to, ", "), err)
	}
	m.SetMessageIDWithValue(o.notice.EventID + "@jobman")
	m.SetDate()
	m.Subject(text.subject)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no answers from vacation(1)
	m.SetGenHeader("X-Jobman-Event", string(o.notice.Event))
	m.SetGenHeader("X-Jobman-Event-Id", o.notice.EventID)
	m.SetBodyString(mail.TypeTextPlain, text.text)
	if text.html != "" {
		m.AddAlternativeString(mail.TypeTextHTML, text.html)
	}
	return m, nil
}

// mailOptions says how the server is reached. Without tls it is STARTTLS, which the
// server must know; a password is never sent in the clear.
func (o *order) mailOptions() (host string, options []mail.Option, err error) {
	host = o.key("host")
	kind := o.key("tls")
	port := map[string]int{"tls": 465, "none": 25}[kind]
	if port == 0 {
		port = 587
	}
	if h, p, err := net.SplitHostPort(host); err == nil {
		if host = h; p != "" {
			if port, err = strconv.Atoi(p); err != nil {
				return "", nil, fmt.Errorf("its host has no number as a port: %q", p)
			}
		}
	}
	options = []mail.Option{mail.WithPort(port), mail.WithTimeout(mailWithin / 2)}
	switch kind {
	case "tls":
		options = append(options, mail.WithSSL())
	case "none":
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if name, password := o.key("user"), o.key("password"); name != "" || password != "" {
		if kind == "none" {
			return "", nil, errors.New("it has a password and tls = \"none\", which would send that in the clear")
		}
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(name), mail.WithPassword(password))
	}
	return host, options, nil
}

// sendmailPaths are where it is, see the FHS.
var sendmailPaths = []string{"/usr/sbin/sendmail", "/usr/lib/sendmail", "/usr/local/sbin/sendmail"}

func sendmail(ctx context.Context, m *mail.Msg) (string, error) {
	for _, path := range sendmailPaths {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		if err := m.WriteToSendmailWithContext(ctx, path); err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
		return path + " took it", nil
	}
	return "", errors.New("there is no sendmail here, and the callback has no host to send mail by")
}
