package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"jobman/engine"
	"jobman/events"
	"jobman/house"
	"jobman/job"
)

// jobFlags are the options of a job, for the verbs that submit one.
type jobFlags struct {
	Name       string       `group:"Job" placeholder:"NAME" help:"The job's name (default: its command line)."`
	Group      string       `group:"Job" placeholder:"GROUP" help:"Make the job a member of this group, a systemd slice (default: of none)."`
	Unique     bool         `group:"Job" help:"Submit nothing if a job of that name is active (code 4)."`
	Follow     bool         `group:"Job" short:"f" help:"Print the job's output and end with its code. Ctrl-C detaches; the job goes on."`
	Chdir      string       `group:"Job" placeholder:"DIR" help:"Run in this directory (default: the current one)."`
	Env        []string     `group:"Job" sep:"none" placeholder:"K[=V]" help:"Set a variable beside the environment of this shell; repeatable."`
	StopSignal job.Signal   `group:"Job" default:"TERM" placeholder:"SIG" help:"What kill and time limits send first: a name, with or without SIG, or a number (default: TERM)."`
	StopGrace  job.Duration `group:"Job" default:"10s" placeholder:"D" help:"How long after that what is left gets SIGKILL (default: 10s)."`
	Wait       waitFlags    `embed:"" prefix:"wait." group:"Waiting"`
	Retries    retryFlags   `embed:"" prefix:"retries." group:"Repeating"`
	Log        logFlags     `embed:"" prefix:"log." group:"Output"`
	limitFlags `group:"Limits"`
	Notify     notifyFlags `embed:"" group:"Notification"`
}

type runCmd struct {
	jobFlags

	JobSpec      string `group:"Job" placeholder:"NAME" help:"Take options, and the command if none is given, from [job_spec.NAME] of the configuration."`
	RerunByName  string `group:"Job" placeholder:"NAME" help:"Submit a copy of the job of that name that was started last."`
	RerunByID    string `name:"rerun-by-id" group:"Job" placeholder:"ID" help:"Submit a copy of this job."`
	From         string `group:"Job" placeholder:"FILE" help:"Submit a job for each line of this file (-: stdin): a JSON object with the keys of a spec, as show --json prints it."`
	AllOrNothing bool   `group:"Job" help:"With --from: submit nothing if a line is bad."`

	Command []string `arg:"" optional:"" passthrough:"" help:"The command and its arguments; flags of jobman come before it. After -- anything is a command."`
}

// Help implements kong's hook for the text below the summary.
func (*runCmd) Help() string {
	return `Prints the job's id once the job is on disk, and returns. What the command gets is
what you have now: environment, directory, umask, limits. Everything it starts belongs
to the run: what a script leaves in the background (cmd &, setsid) is ended when its
main process ends.

Values:
  D       a duration: 90 (seconds), 1.5s, 10m, 1h30m, 2d12h, 1w
  TIME    2026-11-23T08:00:00Z, 2026-11-23 08:00 or 08:00 (the next) in local time,
          tomorrow 08:00, +10m (from now), @1795420800 (Unix time)
  SIZE    plain bytes, 10MB (10^7) or 64KiB (65536)
  CODES   exit codes such as 0,10-19

Options may also stand in ~/.jobman.toml and in variables: JOBMAN_RETRIES_DELAY=30s.
An empty value (--group=) clears what is set there.

Examples:
  jobman rsync -a src/ dst/             runs detached; prints the job's id
  jobman run --name backup -- restic backup /home
  jobman run -f -- make test            follows; ends with the command's code
  jobman run -- sh -c 'make | tee log'  a pipeline needs a shell
  jobman run --wait.file in.csv -- ./import in.csv
  jobman run --wait.datetime 'tomorrow 08:00' -- ./report
  jobman run --wait.job fetch --group etl -- ./load
  jobman run --retry 5 --retries.delay 30s --timeout 10m -- ./sync
  jobman run -p MemoryMax=1G -p CPUQuota=50% -- ./train
  jobman run --job-spec backup          what [job_spec.backup] of the configuration says`
}

// Run submits a job.
func (r *runCmd) Run(a *app) error {
	if r.From != "" {
		return r.runFrom(a)
	}
	if r.AllOrNothing {
		return usage("--all-or-nothing is for --from")
	}
	if r.RerunByName != "" || r.RerunByID != "" {
		return r.rerun(a)
	}
	return r.submit(a)
}

// submit submits the job that is asked for.
func (r *jobFlags) submit(a *app) error {
	j, env, err := r.job(a)
	if err != nil {
		return err
	}
	told, err := a.tellReaper()
	if err != nil {
		return err
	}
	err = a.Submit(a.ctx, j, env, r.Unique)
	told()
	var files *engine.FilesError
	if errors.As(err, &files) {
		a.note("the job is taken, and starts when there is room for it: %v", pathCause(files.Err))
	} else if err != nil {
		return submitError(err)
	}
	return r.announce(a, j)
}

// job makes a job of what is asked for.
func (r *jobFlags) job(a *app) (*job.Job, []byte, error) {
	spec, env, err := r.spec(a)
	if err != nil {
		return nil, nil, err
	}
	if err := a.open(); err != nil {
		return nil, nil, err
	}
	if err := a.trapID(); err != nil {
		return nil, nil, err
	}
	if (spec.UID != "" || spec.GID != "") && a.scope != "system" {
		return nil, nil, usage("--uid and --gid need the system's scope").try("sudo jobman --system ...")
	}
	if err := a.findCommand(spec, env); err != nil {
		return nil, nil, err
	}
	// What is refused is refused before a manager is started for it.
	backend, err := a.chooseBackend()
	if err != nil {
		return nil, nil, err
	}
	told, err := a.callbacks(spec.Notify, env)
	if err != nil {
		return nil, nil, err
	}
	if backend == "fork" && len(spec.Property) > 0 {
		return nil, nil, usage("--property %s needs systemd, and this job would run without", spec.Property[0])
	}
	if err := a.keeps(spec); err != nil {
		return nil, nil, err
	}
	if err := a.Equip(spec, told); err != nil {
		return nil, nil, &problem{kind: "failed", text: "wait for a URL, or tell a callback: " + err.Error(), err: err}
	}
	if a.host == "" {
		if a.host, err = os.Hostname(); err != nil {
			return nil, nil, fmt.Errorf("find the host name: %w", err)
		}
	}
	return &job.Job{
		ID: job.NewID(), Spec: *spec, SubmittedAt: time.Now().UTC(),
		Backend: backend, Scope: a.scope, Host: a.host, Callbacks: told,
	}, env, nil
}

// findCommand makes sure that the command is there, in the job's own directory: a
// relative word means a file there.
func (a *app) findCommand(spec *job.Spec, env []byte) error {
	here, err := os.Getwd()
	if err != nil {
		return usage("the working directory is gone: %v", pathCause(err)).try("cd")
	}
	if err := os.Chdir(string(spec.Chdir)); err != nil {
		return usage("enter the working directory: %v", pathCause(err))
	}
	_, err = engine.LookPath(string(spec.Command[0]), variable(env, "PATH"))
	if cerr := os.Chdir(here); cerr != nil {
		return usage("enter the working directory: %v", pathCause(cerr))
	}
	if err == nil {
		return nil
	}
	if len(spec.Wait.Conditions()) == 0 || a.words.shellLine() {
		return a.commandNotFound(err)
	}
	a.note("%v yet; it must be there when the wait is over", pathCause(err))
	return nil
}

// spec is what the flags, the words and this process's own settings ask for.
func (r *jobFlags) spec(a *app) (*job.Spec, []byte, error) {
	command := a.resolved.Command
	if len(command) == 0 {
		return nil, nil, usage("there is no command").try("jobman help run")
	}
	s := &job.Spec{
		Command: job.Texts(command), Name: r.Name, Group: r.Group,
		StopSignal: r.StopSignal, StopGrace: r.StopGrace, Notify: r.notify(a), Resolved: true,
	}
	var err error
	if s.Log, err = r.Log.log(); err != nil {
		return nil, nil, err
	}
	if fallback := job.DefaultName(s.Command); s.Name == "" || s.Name == fallback {
		s.Name = fallback // which a stored spec has too, and may be what no user can give
	} else if err := job.CheckName(s.Name); err != nil {
		return nil, nil, usage("--name: %v", err)
	}
	if s.Group != "" {
		if err := job.CheckGroup(s.Group); err != nil {
			return nil, nil, usage("--group: %v", err)
		}
	}
	if s.Chdir, err = directory(r.Chdir); err != nil {
		return nil, nil, err
	}
	if err := engine.Inherit(s, a.umask); err != nil {
		return nil, nil, err
	}
	a.line.inherit(s)
	s.UID, s.GID = r.UID, r.GID
	env, err := r.environ(a, s)
	if err != nil {
		return nil, nil, err
	}
	if err := checkVariables(r.Env); err != nil {
		return nil, nil, err
	}
	for _, e := range r.Env {
		if key, _, set := strings.Cut(e, "="); set {
			env = setVariable(env, key, e)
		}
	}
	if err := r.policy(a, s); err != nil {
		return nil, nil, err
	}
	if err := s.Check(); err != nil {
		return nil, nil, usage("%v", err)
	}
	return s, env, nil
}

// directory makes a working directory absolute.
func directory(given string) (job.Text, error) {
	if rest, ok := strings.CutPrefix(given, "~/"); ok {
		dir, err := absolute("~/" + rest)
		return job.Text(dir), err
	}
	dir, err := filepath.Abs(given)
	if err != nil {
		return "", usage("the working directory is gone: %v", pathCause(err)).try("cd")
	}
	return job.Text(dir), nil
}

// environ is the environment that the command gets, but for --env: ours, or that of
// the original; as another user, with what is that user's.
func (r *jobFlags) environ(a *app, s *job.Spec) (env []byte, err error) {
	if env = a.env; env == nil {
		if env, err = engine.Environ(); err != nil {
			return nil, fmt.Errorf("read the environment: %w", err)
		}
	} else if !a.given("uid") && !a.given("gid") {
		return env, nil
	}
	variables, err := engine.UserVariables(s)
	if err != nil {
		return nil, usage("--uid, --gid: %v", err)
	}
	for key, value := range variables {
		env = setVariable(env, key, key+"="+value)
	}
	return env, nil
}

// announce tells the user of a job that was submitted.
func (r *jobFlags) announce(a *app, j *job.Job) error {
	if r.Follow {
		if !a.Quiet {
			fmt.Fprintln(a.stderr, j.ID)
		}
		return a.followRun(j)
	}
	if a.JSON {
		return a.printJobs([]*job.Job{j})
	}
	if _, err := fmt.Fprintln(a.stdout, j.ID); err != nil {
		return nil // run tells it
	}
	if a.Verbose || isTerminal(os.Stderr) && !a.Quiet {
		fmt.Fprintf(a.stderr, "see it: jobman logs -f %s    end it: jobman kill %[1]s\n", j.ID.Short())
	}
	return nil
}

// chooseBackend chooses once.
func (a *app) chooseBackend() (_ string, err error) {
	if a.chosen == "" {
		a.chosen, err = a.findBackend()
	}
	return a.chosen, err
}

func (a *app) findBackend() (string, error) {
	p := probe(a.scope, a.BackendKind)
	if p.linux && p.booted && !p.manager && a.scope == "user" && a.BackendKind != "fork" {
		// As under cron(8) or su(1): nobody has logged in, so there is none.
		if err := house.StartManager(a.ctx); err == nil {
			a.note("started your systemd, which stays from now on (lingering)")
			p = probe(a.scope, a.BackendKind)
		} else {
			a.debug(fmt.Errorf("start the user's systemd: %w", err))
		}
	}
	backend, why, err := detect(p)
	if err != nil {
		return "", err
	}
	// A machine that runs systemd, but not for this user, is a surprise.
	level := events.Info
	if backend == "fork" && p.booted && p.wanted == "auto" {
		level = events.Warn
	}
	a.say(level, fmt.Sprintf("backend %s: %s", backend, why))
	if backend == "systemd" && a.scope == "user" {
		a.outliveLogout()
	}
	return backend, nil
}

// outliveLogout sees to it that the user's jobs do, or says that they don't.
func (a *app) outliveLogout() {
	lingers, err := house.Lingers()
	if err != nil || lingers {
		a.debug(err)
		return
	}
	if err := house.SetLinger(a.ctx, true); err != nil {
		a.debug(err)
		a.note("this job ends when you log out, because lingering is off")
		if !a.Quiet {
			fmt.Fprintln(a.stderr, "try: sudo loginctl enable-linger $USER")
		}
		return
	}
	a.note("turned lingering on, so that your jobs go on when you log out")
}

// submitError words what can go wrong when a job is submitted: if no backend takes
// it, the store can't.
func submitError(err error) error {
	var backend *engine.BackendError
	if errors.As(err, &backend) {
		return &problem{kind: "backend", text: "start the job: " + err.Error(), err: err}
	}
	return storeProblem(err)
}

// pathCause strips what an error says of the system call.
func pathCause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%s: %w", p.Path, p.Err)
	}
	return err
}

// variable returns the first value of a variable in NUL-terminated strings.
func variable(env []byte, key string) string {
	for entry := range bytes.SplitSeq(env, []byte{0}) {
		if v, ok := bytes.CutPrefix(entry, []byte(key+"=")); ok {
			return string(v)
		}
	}
	return ""
}

// setVariable replaces a variable, wherever it stands.
func setVariable(env []byte, key, entry string) []byte {
	var out []byte
	for old := range bytes.SplitSeq(env, []byte{0}) {
		if len(old) > 0 && !bytes.HasPrefix(old, []byte(key+"=")) {
			out = append(append(out, old...), 0)
		}
	}
	return append(append(out, entry...), 0)
}

var _ kong.HelpProvider = (*runCmd)(nil)
