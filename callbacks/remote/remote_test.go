package remote

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jobman/callbacks"
	"jobman/job"
)

var at = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// notice is one with text that must not get loose.
func notice() *callbacks.Notice {
	n := callbacks.Sample("host", at)
	n.Name = "bad\r\nBcc: x@y"
	n.Output = []string{"<b>&\x1b[31m", "```"}
	return n
}

func send1(t *testing.T, kind string, keys map[string]string, secrets map[string]string) callbacks.Answer {
	t.Helper()
	c := &job.Callback{Name: "ops", Type: kind, Keys: map[string][]string{}, Secrets: map[string]job.Secret{}}
	for key, value := range keys {
		c.Keys[key] = strings.Split(value, ",")
	}
	for key, value := range secrets {
		file := filepath.Join(t.TempDir(), key)
		if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c.Secrets[key] = job.Secret{File: file}
	}
	return Send(context.Background(), &callbacks.Request{Callback: c, Notice: notice()})
}

type posted struct {
	path, body string
	header     http.Header
}

// receiver answers each post as it is told to, and keeps it.
func receiver(t *testing.T, answer http.HandlerFunc) (string, *[]posted) {
	t.Helper()
	all := &[]posted{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*all = append(*all, posted{r.URL.Path, string(body), r.Header})
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, all
}

func TestWebhookIsSigned(t *testing.T) {
	url, all := receiver(t, nil)
	if a := send1(t, "webhook", nil, map[string]string{"url": url + "/token", "secret": "s3cret", "auth": "Bearer x"}); a.Error != nil {
		t.Fatal(a.Error)
	}
	got := (*all)[0]
	mac := hmac.New(sha256.New, []byte("s3cret"))
	mac.Write([]byte(got.body))
	if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); got.header.Get("X-Jobman-Signature") != want {
		t.Errorf("signed %s, want %s", got.header.Get("X-Jobman-Signature"), want)
	}
	var n callbacks.Notice
	if err := json.Unmarshal([]byte(got.body), &n); err != nil || n.EventID != got.header.Get("X-Jobman-Event-Id") || got.header.Get("Authorization") != "Bearer x" {
		t.Errorf("%v: %+v", err, got)
	}
}

func TestWhatReceiversAnswer(t *testing.T) {
	limit := answerWithin
	answerWithin = time.Second
	defer func() { answerWithin = limit }()
	over := make(chan struct{})
	defer close(over)
	other, stolen := receiver(t, nil)
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
		after  time.Duration
		final  bool
	}{
		{"500", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no\nway", 500) }, "it answers 500 Internal Server Error: no way", 0, false},
		{"429", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "120"); w.WriteHeader(429) }, "it answers 429 Too Many Requests", 2 * time.Minute, false},
		{"410", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) }, "it answers 410 Gone", 0, true},
		{"a redirect to another host", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusPermanentRedirect) }, errRedirect.Error(), 0, false},
		{"a redirect that drops the body", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) }, errRedirect.Error(), 0, false},
		{"a cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF", 0, false},
		{"a hang", func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-over:
			case <-r.Context().Done():
			}
		}, "no answer within 1s", 0, false},
		{"its own secret", func(w http.ResponseWriter, r *http.Request) { http.Error(w, r.Header.Get("Authorization"), 400) }, "it answers 400 Bad Request: ...", 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			url, _ := receiver(t, test.answer)
			a := send1(t, "webhook", map[string]string{"url": url}, map[string]string{"auth": "Bearer sesame"})
			if a.Error == nil || a.Error.Text != test.want || a.Error.RetryAfter != test.after || a.Error.Final != test.final {
				t.Errorf("%+v", a.Error)
			}
		})
	}
	if len(*stolen) > 0 {
		t.Errorf("another host got %+v", *stolen)
	}
}

func TestNothingListens(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	a := send1(t, "webhook", nil, map[string]string{"url": s.URL + "/token"})
	if a.Error == nil || strings.Contains(a.Error.Text, "token") || !strings.Contains(a.Error.Text, "refused") {
		t.Errorf("%+v", a.Error)
	}
}

func TestSlack(t *testing.T) {
	url, all := receiver(t, nil)
	if a := send1(t, "slack", nil, map[string]string{"url": url + "/services/T/B/X"}); a.Error != nil {
		t.Fatal(a.Error)
	}
	var body struct{ Text string }
	if err := json.Unmarshal([]byte((*all)[0].body), &body); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(body.Text, "failure: bad  Bcc: x@y on host\n```\n") || !strings.Contains(body.Text, "&lt;b&gt;&amp;[31m") || strings.Count(body.Text, "```") != 2 {
		t.Errorf("%q", body.Text)
	}
}

func TestSMS(t *testing.T) {
	url, all := receiver(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201) })
	a := send1(t, "sms", map[string]string{"to": "+1555,+1666", "from": "+1777", "account": "AC1", "base_url": url + "/", "text": "{{.Name}} {{.Result}}"}, map[string]string{"token": "tok"})
	if a.Error != nil || len(*all) != 2 {
		t.Fatal(a.Error, len(*all))
	}
	got := (*all)[1]
	if got.path != "/2010-04-01/Accounts/AC1/Messages.json" || got.body != "Body=bad%0A+Bcc%3A+x%40y+failure&From=%2B1777&To=%2B1666" && !strings.Contains(got.body, "To=%2B1666") {
		t.Errorf("%+v", got)
	}
	if name, password, ok := (&http.Request{Header: got.header}).BasicAuth(); !ok || name != "AC1" || password != "tok" {
		t.Errorf("logged in as %s, %s", name, password)
	}
}

func TestTemplates(t *testing.T) {
	for text, want := range map[string]string{
		"{{.Name":   "unclosed action",
		"{{.Nope}}": "can't evaluate field Nope",
		"{{took .}} {{range .Output}}{{.}}{{end}}": "",
		"{{index .Output 0}}":                      "of a job that never ran",
		`{{.StartedAt.Format "15:04"}}`:            "of a job that never ran",
	} {
		err := CheckTemplates(&job.Callback{Keys: map[string][]string{"text": {text}}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A template that fails for one notice keeps nobody from being told of it.
func TestATemplateThatFails(t *testing.T) {
	url, all := receiver(t, nil)
	if a := send1(t, "slack", map[string]string{"url": url, "text": "{{index .Output 7}}"}, nil); a.Error != nil {
		t.Fatal(a.Error)
	}
	if got := (*all)[0].body; !strings.Contains(got, "exited with code 3") || !strings.Contains(got, "not by the callback's own templates: its template text: ") {
		t.Error(got)
	}
}

// Who was told is not told again because another one was not.
func TestSomeOfSeveralNumbers(t *testing.T) {
	for _, test := range []struct {
		name, refused string
		status        int
		partly, final bool
	}{
		{"one is wrong", "To=%2B1666", 400, true, true},
		{"one fails", "To=%2B1666", 500, true, false},
		{"all are wrong", "To=", 400, false, true},
		{"all fail", "To=", 503, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var all *[]posted
			url, all := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
				if last := (*all)[len(*all)-1]; strings.Contains(last.body, test.refused) {
					http.Error(w, "no such number", test.status)
				}
			})
			a := send1(t, "sms", map[string]string{"to": "+1555,+1666,+1777", "from": "+1888", "account": "AC1", "base_url": url}, map[string]string{"token": "tok"})
			if len(*all) != 3 || a.Error == nil || a.Error.Partly != test.partly || a.Error.Final != test.final || !strings.Contains(a.Error.Text, "to +1666: it answers") {
				t.Errorf("%d were tried: %+v", len(*all), a.Error)
			}
		})
	}
}

// A receiver may quote what it was sent, and parts of it.
func TestNoSecretIsQuoted(t *testing.T) {
	long := strings.Repeat("x", 140)
	for name, answer := range map[string]string{
		"the path":           `{"status":404,"path":"/hooks/T0SESAMEOPEN"}`,
		"the parameter":      "unknown key K3YSESAMEOPEN",
		"the bare token":     `{"error":"bad token tok-SESAMEOPEN-0123456789"}`,
		"one that is cut":    long + " tok-SESAMEOPEN-0123456789",
		"an escaped one":     "/hooks/T0SESAMEOPEN?key=K3YSESAMEOPEN",
		"the secret itself":  "signed with hush-SESAMEOPEN-hush",
		"all of the address": "",
	} {
		t.Run(name, func(t *testing.T) {
			target, _ := receiver(t, func(w http.ResponseWriter, r *http.Request) {
				if answer == "" {
					answer = "http://" + r.Host + r.URL.String()
				}
				http.Error(w, answer, http.StatusNotFound)
			})
			a := send1(t, "webhook", nil, map[string]string{
				"url": target + "/hooks/T0SESAMEOPEN?key=K3YSESAMEOPEN", "auth": "Bearer tok-SESAMEOPEN-0123456789", "secret": "hush-SESAMEOPEN-hush",
			})
			if a.Error == nil || !strings.Contains(a.Error.Text, "404") || strings.Contains(a.Error.Text, "SESAME") {
				t.Errorf("%+v", a.Error)
			}
		})
	}
}

// A file that is being written when it is read must not be quoted.
func TestABrokenFileIsNotQuoted(t *testing.T) {
	for name, text := range map[string]string{
		"x.env": "JOBMAN sesame", "x.ini": "[callbacks.ops]\nsesame", "x.toml": "[callbacks.ops]\nurl = sesame", "x.yaml": "a:\n - sesame\n\tx",
	} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := secret("ops", "url", job.Secret{Config: file}); err == nil || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASecretIsReadWhenItIsUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.toml")
	where := job.Secret{Config: file}
	for _, want := range []string{"one", "two"} {
		if err := os.WriteFile(file, []byte("[callbacks.'a.b']\ntype = 'webhook'\nurl = '"+want+"'\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := secret("a.b", "url", where); err != nil || got != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := secret("gone", "url", where); err == nil || !strings.Contains(err.Error(), "has no callbacks.gone.url any more") {
		t.Error(err)
	}
	t.Setenv("HOOK", "three")
	if got, err := secret("x", "url", job.Secret{Env: "HOOK"}); err != nil || got != "three" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestServicesOfShoutrrr(t *testing.T) {
	target, all := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		if _, err := w.Write([]byte("{}")); err != nil {
			t.Error(err)
		}
	})
	host := strings.TrimPrefix(target, "http://")
	// One of each kind of client: its own that can be had, its own that can be set, the
	// default one.
	for _, to := range []string{
		"gotify://" + host + "/AbCdEf0123456.x?disabletls=yes", "ntfy://:tk_sesame123@" + host + "/topic?scheme=http", "generic+http://" + host + "/hook-sesame",
	} {
		*all = nil
		if a := send1(t, "shoutrrr", nil, map[string]string{"url": to}); a.Error != nil {
			t.Errorf("%s: %+v", to, a.Error)
		}
		if len(*all) != 1 || !strings.Contains((*all)[0].body, "exited with code 3") {
			t.Errorf("%s: it got %+v", to, *all)
		}
	}
	elsewhere, gone := receiver(t, nil)
	target, _ = receiver(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "refuse") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		http.Redirect(w, r, elsewhere+"/gone", http.StatusTemporaryRedirect)
	})
	host = strings.TrimPrefix(target, "http://")
	for _, to := range []string{
		"gotify://" + host + "/AbCdEf0123456.x?disabletls=yes", "ntfy://:tk_sesame123@" + host + "/topic?scheme=http", "generic+http://" + host + "/hook-sesame",
		"generic+http://" + host + "/refuse-sesame", "telegram://sesame:123456@telegram", "discord://sesame123", "nothing://sesame123/x",
	} {
		a := send1(t, "shoutrrr", nil, map[string]string{"url": to})
		if a.Error == nil || strings.Contains(a.Error.Text, "sesame") || strings.Contains(a.Error.Text, "AbCdEf") {
			t.Errorf("%s: %+v", to, a.Error)
		}
	}
	if len(*gone) > 0 {
		t.Errorf("the other host got %+v", *gone)
	}
}
