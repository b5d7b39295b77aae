package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"jobman/job"
	"jobman/sensors"
)

func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jobman-net.exe")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func TestCheckerAsksJobmanNet(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/there" && r.URL.Path != "/bucket/" {
			w.WriteHeader(404)
		}
	}))
	defer s.Close()
	c := sensors.Checker{Net: build(t), Environ: append(os.Environ(), "AWS_ENDPOINT_URL_S3="+s.URL, "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=A", "AWS_SECRET_ACCESS_KEY=S")}
	for _, x := range []struct {
		kind   job.Kind
		target string
		want   job.Check
	}{
		{job.KindHTTP, s.URL + "/there", job.Check{Met: true, Detail: "200 OK"}},
		{job.KindHTTP, s.URL + "/missing", job.Check{Detail: "404 Not Found"}},
		{job.KindHTTP, "x", job.Check{Error: "no valid URL of http or https"}},
		{job.KindS3, "s3://bucket", job.Check{Met: true, Detail: "bucket"}},
		{job.KindS3, "s3://missing/key", job.Check{Error: "no such bucket: missing"}},
	} {
		got := c.Check(t.Context(), x.kind, x.target)
		if got.At.IsZero() {
			t.Errorf("%+v", got)
		}
		x.want.At = got.At
		if got != x.want {
			t.Errorf("%s: %+v, want %+v", x.target, got, x.want)
		}
	}
	for _, path := range []string{"/nowhere/jobman-net", os.Args[0]} {
		c.Net = path
		if got := c.Check(t.Context(), job.KindHTTP, s.URL+"/there"); got.Met || !strings.HasPrefix(got.Error, "jobman-net") {
			t.Errorf("%s: %+v", path, got)
		}
	}
}

func TestUsage(t *testing.T) {
	path := build(t)
	for _, args := range [][]string{{}, {"check"}, {"check", "http"}, {"check", "file", "/"}, {"look", "http", "x"}, {"check", "http", "x", "y"}} {
		out, err := exec.Command(path, args...).Output()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || len(out) > 0 || strings.Count(string(exit.Stderr), "\n") != 1 {
			t.Errorf("%v: %v %s", args, err, out)
		}
	}
}
