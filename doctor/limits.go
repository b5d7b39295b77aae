package doctor

import (
	"slices"
	"strings"
)

// Inotify is what the user may have of inotify(7), and what is in use.
type Inotify struct {
	Instances, MaxInstances int
	Watches, MaxWatches     int
}

// Watching judges whether paths can be watched: systemd takes an instance for each.
// Where there is none jobs are still started, from looking every few seconds.
func Watching(i Inotify) Finding {
	const about = "inotify"
	scarce := func(used, limit int) bool { return limit > 0 && used > limit*8/10 }
	switch {
	case scarce(i.Instances, i.MaxInstances):
		return Warn(about, "%d of %d instances are in use; without one, files that jobs wait for are noticed seconds late", i.Instances, i.MaxInstances).
			try("%s", root("sysctl fs.inotify.max_user_instances=1024"))
	case scarce(i.Watches, i.MaxWatches):
		return Warn(about, "%d of %d watches are in use; without one, files that jobs wait for are noticed seconds late", i.Watches, i.MaxWatches).
			try("%s", root("sysctl fs.inotify.max_user_watches=524288"))
	}
	return Fine(about, "%d of %d instances and %d of %d watches are in use", i.Instances, i.MaxInstances, i.Watches, i.MaxWatches)
}

// Controllers judges which limits of a run the kernel enforces: there are the
// controllers of the control group that the scope's units are in, all those of the
// machine. unified tells whether it is cgroups(7) version 2.
func Controllers(unified bool, there, all []string, scope string) Finding {
	const about = "limits"
	if !unified {
		return Warn(about, "the control groups are of version 1: MemoryMax= and the like are accepted, and not enforced for all that a run starts")
	}
	var missing, given []string
	for _, c := range []struct{ controller, property string }{{"memory", "MemoryMax="}, {"pids", "TasksMax="}, {"cpu", "CPUQuota="}} {
		if !slices.Contains(there, c.controller) {
			missing = append(missing, c.property)
			if slices.Contains(all, c.controller) {
				given = append(given, c.controller)
			}
		}
	}
	if len(missing) == 0 {
		return Fine(about, "MemoryMax=, TasksMax= and CPUQuota= are enforced")
	}
	f := Warn(about, "%s accepted, and not enforced", strings.Join(missing, ", ")+map[bool]string{true: " is", false: " are"}[len(missing) == 1])
	if scope == "user" && len(given) > 0 {
		return f.try("%s", dropIn("jobman-delegate", "Delegate=cpu cpuset io memory pids"))
	}
	return f
}
