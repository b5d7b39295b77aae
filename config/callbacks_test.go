package config

import (
	"path/filepath"
	"testing"

	"jobman/job"
)

// What is kept with a job has no secret, but says where each is.
func TestACallbackIsResolved(t *testing.T) {
	w := newWorld(t)
	w.write("home", `[callbacks.ops]
type = "webhook"
url = "https://hooks.example/secret"
auth_file = "keys/auth"
secret_env = "OPS"
[callbacks.run]
type = "script"
path = "./tell"
on = ["retry"]
`)
	s := w.load()
	ops, err := s.Callback("ops")
	if err != nil {
		t.Fatal(err)
	}
	file := w.file("home")
	got := ops.Resolve()
	want := map[string]job.Secret{
		"url": {Config: file}, "auth": {File: filepath.Join(filepath.Dir(file), "keys/auth")}, "secret": {Env: "OPS"},
	}
	if len(got.Keys) != 0 || len(got.Secrets) != len(want) {
		t.Errorf("%+v", got)
	}
	for key, where := range want {
		if got.Secrets[key] != where {
			t.Errorf("%s: %+v, want %+v", key, got.Secrets[key], where)
		}
	}
	if value, err := CallbackKey(file, "ops", "url"); err != nil || value != "https://hooks.example/secret" {
		t.Error(value, err)
	}
	run, err := s.Callback("run")
	if err != nil {
		t.Fatal(err)
	}
	if got := run.Resolve(); got.Key("path") != filepath.Join(filepath.Dir(file), "tell") || len(got.On) != 1 || got.On[0] != job.EventRetry {
		t.Errorf("%+v", got)
	}
}
