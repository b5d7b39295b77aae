package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"jobman/doctor"
	"jobman/engine"
	"jobman/house"
	"jobman/journal"
	"jobman/store"
	"jobman/units"
)

// examineMachine looks at what of this machine jobs depend on, where a backend of
// that name runs them.
func (a *app) examineMachine(backend string) (all []doctor.Finding) {
	all = append(all, a.examineJournald(backend))
	if found := house.FindSystemd(a.scope); a.scope == "user" && found.Booted && !found.Manager && a.BackendKind != "fork" {
		all = append(all, doctor.NoManager())
	}
	if backend == "systemd" {
		all = append(all, a.examineSystemd()...)
		all = append(all, doctor.Controllers(readControllers(a.scope)))
	}
	inotify, err := doctor.ReadInotify(os.Geteuid())
	all = append(all, findingOf("inotify", err, func() doctor.Finding { return doctor.Watching(inotify) }))
	dir := string(a.tree)
	if _, err := os.Stat(dir); err != nil {
		dir = existing(dir)
	}
	kind, err := doctor.ReadFileSystem(dir)
	all = append(all, findingOf("file system", err, func() doctor.Finding { return doctor.FileSystem(kind) }))
	room, err := doctor.ReadRoom(dir)
	all = append(all, findingOf("free space", err, func() doctor.Finding { return doctor.Space(room) }))
	if unix.Access(dir, unix.W_OK) == nil {
		all = append(all, doctor.Leases(doctor.TryLease(dir)))
	}
	return all
}

func readControllers(scope string) (unified bool, there, machine []string, of string) {
	unified, there, machine = doctor.ReadControllers(scope, os.Geteuid())
	return unified, there, machine, scope
}

// existing is the innermost directory of a path that is there.
func existing(path string) string {
	for _, dir := range doctor.Above(path) {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
	}
	return "/"
}

func (a *app) examineJournald(backend string) doctor.Finding {
	found := journal.Probe()
	j := doctor.Journal{Runs: found.Runs, Why: found.Why, Scope: a.scope, Sink: "auto"}
	if set, ok := a.settings.Find(verbRun, "log.sink"); ok && set.Text != "" {
		j.Sink = set.Text
	}
	if backend == "systemd" && a.scope == "user" {
		j.Burst, _ = strconv.Atoi(a.managerUnit()["LogRateLimitBurst"]) // it is journald's own where there is none
	}
	return doctor.Journald(j)
}

// examineSystemd looks at the manager of the scope.
func (a *app) examineSystemd() (all []doctor.Finding) {
	about := a.showUnit("--"+a.scope, "Version")
	all = append(all, doctor.Version(about["Version"], a.scope))
	if a.scope == "user" {
		all = append(all, doctor.Manager(a.managerUnit()["Restart"]))
		lingers, err := house.Lingers()
		all = append(all, findingOf("lingering", err, func() doctor.Finding { return doctor.Lingering(lingers) }))
	}
	return append(all, a.examineBoot(), a.examineFailed())
}

// managerUnit is the system's unit of the user's manager.
func (a *app) managerUnit() map[string]string {
	return a.showUnit("--system", "Restart,LogRateLimitBurst", fmt.Sprintf("user@%d.service", os.Geteuid()))
}

// patience is how long doctor waits for systemd.
const patience = 10 * time.Second

// showUnit asks systemctl(1) for properties; what it does not tell is not there.
func (a *app) showUnit(scope, properties string, unit ...string) map[string]string {
	ctx, cancel := context.WithTimeout(a.ctx, patience)
	defer cancel()
	out, err := a.systemctlCommand(ctx, scope, append([]string{"show", "--property=" + properties}, unit...)...).Output()
	a.debug(err)
	found := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			found[name] = value
		}
	}
	return found
}

// examineBoot looks at what setup has arranged.
func (a *app) examineBoot() doctor.Finding {
	file, err := a.recoverFile()
	was, serr := a.setUp()
	if err == nil {
		err = serr
	}
	if err != nil {
		return examined("boot", err, "")
	}
	b := doctor.Boot{Noted: was.Unit != "", File: file}
	if text, err := os.ReadFile(file); err == nil {
		b.Program = executes(string(text))
		b.Works = unix.Access(b.Program, unix.X_OK) == nil
		ctx, cancel := context.WithTimeout(a.ctx, patience)
		defer cancel()
		b.Enabled = a.systemctlCommand(ctx, "--"+a.scope, "is-enabled", "--quiet", recoverUnit).Run() == nil
	}
	return doctor.AtBoot(b)
}

// executes is the program of a unit that setup has written, see unitWord.
func executes(unit string) string {
	_, line, _ := strings.Cut(unit, "\nExecStart=\"")
	program, _, _ := strings.Cut(line, `" reconcile "`)
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`, "%%", "%", "$$", "$").Replace(program)
}

// examineFailed looks for failed units of this store's runs.
func (a *app) examineFailed() doctor.Finding {
	const about = "failed units"
	b, err := a.Backend("systemd", a.scope)
	keeper, ok := b.(engine.Keeper)
	if err != nil || !ok {
		return examined(about, err, "can't be told")
	}
	ctx, cancel := context.WithTimeout(a.ctx, patience)
	defer cancel()
	failed, err := keeper.Failed(ctx)
	if err != nil {
		return examined(about, err, "")
	}
	var known, orphans []string
	for _, ref := range failed {
		found, err := a.store.Query(ctx, store.Filter{ID: ref.ID, Brief: true})
		switch {
		case err != nil:
			return examined(about, err, "")
		case len(found) > 0:
			known = append(known, units.RunName(ref))
		default:
			orphans = append(orphans, units.RunName(ref))
		}
	}
	return doctor.FailedUnits(a.scope, known, orphans)
}

// findingOf is an error, or else what there is to find.
func findingOf(about string, err error, find func() doctor.Finding) doctor.Finding {
	if err != nil {
		return examined(about, err, "")
	}
	return find()
}
