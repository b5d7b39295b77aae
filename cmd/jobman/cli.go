package main

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
	"jobman/job"
)

// common are the options of every verb.
type common struct {
	JSON        bool   `name:"json" help:"Print JSON, errors too; docs/json.md has all its keys."`
	Quiet       bool   `short:"q" help:"Print errors only; with list, ids alone."`
	Verbose     bool   `short:"v" help:"Say more on stderr, such as which backend was chosen and why."`
	LogLevel    string `enum:",error,warn,info,debug" default:"" placeholder:"LEVEL" help:"How much jobman says on stderr: error (as -q), warn (default), info (as -v) or debug; with show --events from which level on events are shown."`
	ConfigFile  string `placeholder:"FILE" help:"Read this configuration too; it is stronger than .jobman.*, ~/.jobman.* and /etc/jobman/jobman.*."`
	User        bool   `help:"Use the user's systemd (default for all but root)."`
	System      bool   `help:"Use the system's systemd (default for root)."`
	BackendKind string `name:"backend" enum:"auto,systemd,fork" default:"auto" placeholder:"KIND" help:"What runs jobs: systemd, fork (a small supervisor of jobman's own), or auto (default): systemd where it runs, else fork."`
	DB          string `name:"db" placeholder:"DIR" help:"The store (default: ~/.jobman/.db)."`
}

// grammar is the command line.
type grammar struct {
	runGrammar
	jobVerbs
	Rerun rerunCmd `cmd:"" help:"Submit a copy of a job."`
	upkeepVerbs
}

// runGrammar is the command line where run is known to be the verb. Its parser is
// made in a third of the time, which is what run would else spend most on.
type runGrammar struct {
	common `group:"Common options"`

	Version versionFlag `help:"Print the version."`

	Run runCmd `cmd:"" help:"Submit a job. This is the verb where none is written: jobman sleep 10."`
}

// lightGrammar is the command line where rerun is known not to be the verb: it has
// all the flags of run once more.
type lightGrammar struct {
	runGrammar
	jobVerbs
	upkeepVerbs
}

// jobVerbs are those for jobs that there are.
type jobVerbs struct {
	List   listCmd   `cmd:"" help:"Show active jobs and the newest completed ones."`
	Show   showCmds  `cmd:"" help:"Show all about a job or one of its runs."`
	Logs   logsCmd   `cmd:"" help:"Print the output of jobs."`
	Kill   killCmds  `cmd:"" help:"End jobs, or one run of a job."`
	Start  startCmd  `cmd:"" help:"End a job's waiting: it runs now."`
	Signal signalCmd `cmd:"" help:"Send a signal to a running command, nothing else."`
	Wait   waitCmd   `cmd:"" help:"Wait until jobs complete."`
}

// upkeepVerbs are the others.
type upkeepVerbs struct {
	Clean  cleanCmd   `cmd:"" help:"Delete completed jobs, or their output."`
	Notify notifyCmds `cmd:"" help:"Try a callback."`
	Config configCmds `cmd:"" help:"Show and check the configuration."`
	Doctor doctorCmd  `cmd:"" help:"Say what works here and what doesn't; rebuild a damaged index."`
	Setup  setupCmd   `cmd:"" help:"Make jobs survive logout and reboot; take that back."`

	Completion completionCmd `cmd:"" help:"Print a script that has a shell complete jobman's words."`

	Help helpCmd `cmd:"" help:"Show help for a verb."`
}

type showCmds struct {
	Job showCmd    `cmd:"" help:"Show all about a job; show job JOB is the same."`
	Run showRunCmd `cmd:"" help:"Show one run of a job."`
}

type killCmds struct {
	Job killCmd    `cmd:"" help:"End jobs in any phase; kill job JOB is the same."`
	Run killRunCmd `cmd:"" help:"End one run; what the job does then is its policy's."`
}

type notifyCmds struct {
	Test notifyTestCmd `cmd:"" help:"Tell a callback of something that did not happen, and say what came of it."`
}

type configCmds struct {
	Show   configShowCmd   `cmd:"" help:"Print what is set, or what a job would get; config show is the same."`
	Check  configCheckCmd  `cmd:"" help:"Tell everything that is wrong with the configuration."`
	Paths  configPathsCmd  `cmd:"" help:"Print where configuration is looked for, strongest first."`
	Schema configSchemaCmd `cmd:"" help:"Print a JSON Schema of configuration files, for editors."`
	Trust  configTrustCmd  `cmd:"" help:"Let a file in a working directory, as it is now, set everything."`
}

type versionFlag bool

// BeforeReset implements kong's hook: it wins over everything else.
func (versionFlag) BeforeReset(app *kong.Kong) error {
	fmt.Fprintln(app.Stdout, "jobman", version)
	app.Exit(0)
	return nil
}

// helpShown is how kong leaves when it has shown help, as an error or a panic.
type helpShown struct{}

func (helpShown) Error() string { return "help was shown" }

// helpWriter is where kong prints.
type helpWriter struct{ stdout, stderr io.Writer }

// newParser returns a parser that fills a grammar, or the part of it.
func newParser(g any, out helpWriter, options ...kong.Option) (*kong.Kong, error) {
	return kong.New(g, append([]kong.Option{
		kong.Name("jobman"),
		kong.Description("Run a command so that it will be done: detached from the terminal, its output kept, its end recorded, its whole process tree under control. " +
			"The manual is in man jobman, man jobman-VERB and man 7 jobman."),
		kong.Writers(out.stdout, out.stderr),
		kong.Exit(func(int) { panic(helpShown{}) }),
		kong.Help(printHelp),
		kong.KindMapper(reflect.String, kong.MapperFunc(byteForByte)),
		kong.TypeMapper(reflect.TypeFor[job.Duration](), textMapper(job.ParseDuration)),
		kong.TypeMapper(reflect.TypeFor[job.Size](), textMapper(job.ParseSize)),
		kong.TypeMapper(reflect.TypeFor[job.Signal](), textMapper(job.ParseSignal)),
		kong.TypeMapper(reflect.TypeFor[job.MaxDelay](), textMapper(job.ParseMaxDelay)),
		kong.TypeMapper(reflect.TypeFor[job.Codes](), textMapper(job.ParseCodes)),
		kong.TypeMapper(reflect.TypeFor[moment_](), textMapper(parseMoment)),
	}, options...)...)
}

// byteForByte takes a string as it is. kong's own mapper takes the way of JSON, which
// replaces what is no UTF-8.
func byteForByte(ctx *kong.DecodeContext, target reflect.Value) error {
	token, err := ctx.Scan.PopValue("string")
	if err != nil {
		return err
	}
	s, ok := token.Value.(string)
	if !ok {
		return fmt.Errorf("%v is no text", token.Value)
	}
	target.SetString(s)
	return nil
}

// textMapper lets kong read a type of package job.
func textMapper[T any](parse func(string) (T, error)) kong.MapperFunc {
	return func(ctx *kong.DecodeContext, target reflect.Value) error {
		var s string
		if err := ctx.Scan.PopValueInto("value", &s); err != nil {
			return err
		}
		v, err := parse(s)
		if err == nil {
			target.Set(reflect.ValueOf(v))
		}
		return err
	}
}

// explain turns kong's errors into ours.
func explain(err error, w words) error {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	return usage("%s", plainly(strings.TrimSuffix(err.Error(), "\n"))).try("jobman help %s", strings.Join(w.verb, " "))
}

// cutFlag returns the value of --name=value.
func cutFlag(arg, name string) (string, bool) {
	return strings.CutPrefix(arg, name+"=")
}

// commandStart is where a command may begin at the latest, so that nothing of
// it is taken for ours before the line is split.
func commandStart(argv []string) int {
	for i, a := range argv {
		if a == "--" {
			return i
		}
	}
	return len(argv)
}
