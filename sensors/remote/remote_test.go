package remote

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"jobman/job"
)

// secret must not come out of any check.
const secret = "hunter2"

func expect(t *testing.T, what string, got, want job.Check) {
	t.Helper()
	if time.Since(got.At) > time.Minute || got.At.Location() != time.UTC {
		t.Errorf("%s: checked at %v", what, got.At)
	}
	if strings.Contains(got.Error+got.Detail, secret) || strings.ContainsAny(got.Error+got.Detail, "\n\r\x1b") {
		t.Errorf("%s: %+v", what, got)
	}
	// Of an error a part is enough.
	ok := got.Met == want.Met && (want.Error != "") == (got.Error != "") && strings.Contains(got.Error, want.Error)
	if !ok || got.Detail != want.Detail {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

func patience(t *testing.T, d time.Duration) {
	was := limit
	limit = d
	t.Cleanup(func() { limit = was })
}

func server(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	answer := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	mux.HandleFunc("GET /ok", answer(200))
	mux.HandleFunc("GET /empty", answer(204))
	mux.HandleFunc("GET /missing", answer(404))
	mux.HandleFunc("GET /broken", answer(500))
	mux.HandleFunc("GET /odd", answer(299))
	mux.Handle("GET /there", http.RedirectHandler("/ok", http.StatusFound))
	mux.Handle("GET /gone", http.RedirectHandler("/missing", http.StatusFound))
	mux.Handle("GET /loop", http.RedirectHandler("/loop", http.StatusFound))
	mux.Handle("GET /nowhere", http.RedirectHandler("http://x:"+secret+"/%zz", http.StatusFound))
	mux.HandleFunc("GET /hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("GET /endless", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("GET /private", func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != secret {
			w.WriteHeader(401)
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestHTTP(t *testing.T) {
	s := server(t)
	for path, want := range map[string]job.Check{
		"/ok":               {Met: true, Detail: "200 OK"},
		"/ok?q=" + secret:   {Met: true, Detail: "200 OK"},
		"/empty":            {Met: true, Detail: "204 No Content"},
		"/odd":              {Met: true, Detail: "299"},
		"/missing":          {Detail: "404 Not Found"},
		"/broken":           {Detail: "500 Internal Server Error"},
		"/there":            {Met: true, Detail: "200 OK"},
		"/gone":             {Detail: "404 Not Found"},
		"/loop?t=" + secret: {Error: "stopped after 10 redirects"},
		"/nowhere":          {Error: "redirected to no valid URL"},
		"/endless":          {Met: true, Detail: "200 OK"},
		"/private":          {Detail: "401 Unauthorized"},
	} {
		expect(t, path, HTTP(t.Context(), s.URL+path), want)
	}
	private := func(password string) string {
		return strings.Replace(s.URL, "http://", "http://me:"+password+"@", 1) + "/private"
	}
	expect(t, "right password", HTTP(t.Context(), private(secret)), job.Check{Met: true, Detail: "200 OK"})
	expect(t, "wrong password", HTTP(t.Context(), private("x"+secret)), job.Check{Detail: "401 Unauthorized"})
}

func TestHTTPThatHangs(t *testing.T) {
	s := server(t)
	patience(t, 200*time.Millisecond)
	expect(t, "hang", HTTP(t.Context(), s.URL+"/hang?"+secret), job.Check{Error: "no answer within 200ms"})
}

func TestHTTPThatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for url, why := range map[string]string{
		"http://me:" + secret + "@nowhere.invalid/?" + secret: "lookup nowhere.invalid",
		"http://" + l.Addr().String() + "/" + secret:          "connection refused",
		"ftp://me:" + secret + "@localhost/":                  "no valid URL",
		"http://me:" + secret + "/x@localhost/":               "no valid URL",
		"http://localhost/%" + secret:                         "no valid URL",
		"http:///x":                                           "no valid URL",
		"":                                                    "no valid URL",
	} {
		expect(t, url, HTTP(t.Context(), url), job.Check{Error: why})
	}
}

func TestHTTPOfUnknownAuthority(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	s.Config.ErrorLog = nil
	expect(t, s.URL, HTTP(t.Context(), s.URL+"/?"+secret), job.Check{Error: "certificate"})
}

func fake(t *testing.T) {
	t.Helper()
	backend := s3mem.New()
	for _, bucket := range []string{"full", "empty"} {
		if err := backend.CreateBucket(bucket); err != nil {
			t.Fatal(err)
		}
	}
	for key, content := range map[string]string{"in/a.csv": "123", "in/deep/b.csv": "", "mark/": "", "what? #%41": "x", "late/": "", "late/x": ""} {
		if _, err := backend.PutObject("full", key, map[string]string{"Last-Modified": time.Now().UTC().Format(http.TimeFormat)}, strings.NewReader(content), int64(len(content)), nil); err != nil {
			t.Fatal(err)
		}
	}
	s := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(s.Close)
	environ(t, s.URL)
}

func unset(t *testing.T, name string) {
	t.Helper()
	if err := os.Unsetenv(name); err != nil {
		t.Fatal(err)
	}
}

// environ is one in which nothing of the machine's counts.
func environ(t *testing.T, endpoint string) {
	t.Helper()
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SHARED_CREDENTIALS_FILE",
		"AWS_CONFIG_FILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Setenv(name, "")
		unset(t, name)
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_ENDPOINT_URL_S3", endpoint)
}

func TestS3(t *testing.T) {
	fake(t)
	keys := func() {
		t.Setenv("AWS_ACCESS_KEY_ID", "AKIA")
		t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	}
	for _, set := range []func(){func() {}, keys, func() { t.Setenv("AWS_REGION", "eu-central-1") }} {
		set()
		for target, want := range map[string]job.Check{
			"s3://full":             {Met: true, Detail: "bucket"},
			"s3://empty/":           {Met: true, Detail: "bucket"},
			"s3://missing":          {Detail: "no such bucket"},
			"s3://full/in/a.csv":    {Met: true, Detail: "3 bytes"},
			"s3://full/what? #%41":  {Met: true, Detail: "1 bytes"},
			"s3://full/in":          {Detail: "no such key"},
			"s3://full/in/a":        {Detail: "no such key"},
			"s3://full/in/":         {Met: true, Detail: "in/a.csv"},
			"s3://full/in/deep/":    {Met: true, Detail: "in/deep/b.csv"},
			"s3://full/mark/":       {Detail: "no such prefix"},
			"s3://full/late/":       {Met: true, Detail: "late/x"},
			"s3://empty/in/":        {Detail: "no such prefix"},
			"s3://missing/in/a.csv": {Error: "no such bucket: missing"},
			"s3://missing/in/":      {Error: "no such bucket: missing"},
			"s3://":                 {Error: "no valid target"},
			"full/x":                {Error: "no valid target"},
			"s3://a/x":              {Error: "Bucket name"},
		} {
			expect(t, target, S3(t.Context(), target), want)
		}
	}
}

// TestS3Keys sees that requests are signed as the environment and the files say.
func TestS3Keys(t *testing.T) {
	var signed string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = r.Header.Get("Authorization")
		if signed == "" {
			w.WriteHeader(403)
		}
	}))
	defer s.Close()
	environ(t, "")
	t.Setenv("AWS_ENDPOINT_URL", s.URL)
	t.Setenv("AWS_REGION", "eu-west-9")
	expect(t, "no keys", S3(t.Context(), "s3://bucket"), job.Check{Error: "no access to bucket bucket"})
	expect(t, "no keys", S3(t.Context(), "s3://bucket/key"), job.Check{Error: "no access to bucket bucket"})

	file := filepath.Join(os.Getenv("HOME"), ".aws", "credentials")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	text := "[default]\naws_access_key_id = FILE\naws_secret_access_key = " + secret +
		"\n[other]\naws_access_key_id = OTHER\naws_secret_access_key = " + secret + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, value, key string }{
		{"", "", "FILE"},
		{"AWS_PROFILE", "other", "OTHER"},
		{"AWS_ACCESS_KEY_ID", "ENV", "ENV"},
	} {
		if c.name != "" {
			t.Setenv(c.name, c.value)
			t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
		}
		if c.name == "AWS_PROFILE" {
			unset(t, "AWS_SECRET_ACCESS_KEY")
		}
		expect(t, c.key, S3(t.Context(), "s3://bucket"), job.Check{Met: true, Detail: "bucket"})
		if !strings.Contains(signed, "Credential="+c.key+"/") || !strings.Contains(signed, "/eu-west-9/s3/") {
			t.Errorf("%s: %s", c.key, signed)
		}
	}
	unset(t, "AWS_ACCESS_KEY_ID")
	unset(t, "AWS_SECRET_ACCESS_KEY")
	t.Setenv("AWS_PROFILE", "none")
	expect(t, "no profile", S3(t.Context(), "s3://bucket"), job.Check{Error: `no credentials of profile "none"`})
}

func TestS3ThatIsNotThere(t *testing.T) {
	for endpoint, why := range map[string]string{
		"http://nowhere.invalid":               "lookup nowhere.invalid",
		"http://127.0.0.1:1":                   "connection refused",
		"nowhere":                              "AWS_ENDPOINT_URL",
		"http://me:" + secret + "/@h/":         "AWS_ENDPOINT_URL",
		"http://me:" + secret + "@h/with/path": "AWS_ENDPOINT_URL",
	} {
		environ(t, endpoint)
		for _, target := range []string{"s3://bucket", "s3://bucket/key", "s3://bucket/prefix/"} {
			expect(t, endpoint+" "+target, S3(t.Context(), target), job.Check{Error: why})
		}
	}
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hang.Close()
	environ(t, hang.URL)
	patience(t, 200*time.Millisecond)
	expect(t, "hang", S3(t.Context(), "s3://bucket/key"), job.Check{Error: "no answer within 200ms"})
}
