package manager

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"jobman/test/settings"
	"jobman/units"
)

// samples has, for each property that a run may be given, values that are not the
// default.
var samples = map[string][]string{
	"CPUAccounting":            {"no"},
	"CPUWeight":                {"20", "idle"},
	"StartupCPUWeight":         {"30"},
	"CPUQuota":                 {"50%", "12.34%"},
	"CPUQuotaPeriodSec":        {"10ms", "0.25"},
	"AllowedCPUs":              {"0", "0-2,9"},
	"AllowedMemoryNodes":       {"0"},
	"MemoryAccounting":         {"no"},
	"MemoryMin":                {"16M", "1%"},
	"MemoryLow":                {"16M", "1%"},
	"MemoryHigh":               {"1.5G", "60%"},
	"MemoryMax":                {"1G 512M", "50%", "12.34%"},
	"MemorySwapMax":            {"0", "10%"},
	"TasksAccounting":          {"no"},
	"TasksMax":                 {"77", "10%", "infinity"},
	"IOAccounting":             {"yes"},
	"IOWeight":                 {"200"},
	"StartupIOWeight":          {"300"},
	"IODeviceWeight":           {"/dev/null 300"},
	"IOReadBandwidthMax":       {"/dev/null 5M"},
	"IOWriteBandwidthMax":      {"/dev/null 1.5K"},
	"IOReadIOPSMax":            {"/dev/null 1K"},
	"IOWriteIOPSMax":           {"/dev/null 9"},
	"IPAccounting":             {"yes"},
	"IPAddressAllow":           {"10.1.0.0/16 ::1", "localhost", "link-local"},
	"IPAddressDeny":            {"any", "multicast"},
	"DevicePolicy":             {"closed"},
	"DeviceAllow":              {"/dev/null", "char-pts rw"},
	"ManagedOOMSwap":           {"kill"},
	"ManagedOOMMemoryPressure": {"kill"},
	"OOMScoreAdjust":           {"100"},
	"OOMPolicy":                {"continue", "kill"},
	"CPUSchedulingPolicy":      {"batch", "idle", "fifo", "rr"},
	"CPUSchedulingPriority":    {"5"},
	"CPUAffinity":              {"0"},
	"IOSchedulingClass":        {"idle", "realtime"},
	"IOSchedulingPriority":     {"7"},
	"NoNewPrivileges":          {"yes"},
	"PrivateNetwork":           {"yes"},
	"PrivateIPC":               {"yes"},
	"PrivateDevices":           {"yes"},
	"ProtectKernelTunables":    {"yes"},
	"ProtectKernelModules":     {"yes"},
	"ProtectKernelLogs":        {"yes"},
	"ProtectControlGroups":     {"yes"},
	"ProtectClock":             {"yes"},
	"ProtectHostname":          {"yes"},
	"RestrictRealtime":         {"yes"},
	"RestrictSUIDSGID":         {"yes"},
	"LockPersonality":          {"yes"},
	"MemoryDenyWriteExecute":   {"yes"},
	"RestrictNamespaces":       {"yes", "user mnt", "~user mnt"},
	"CapabilityBoundingSet":    {"CAP_CHOWN CAP_KILL", "~CAP_CHECKPOINT_RESTORE"},
	"AmbientCapabilities":      {"CAP_NET_BIND_SERVICE", "~CAP_SYS_ADMIN"},
	"KeyringMode":              {"shared"},
}

// busctl writes a value as busctl(1) takes it: its type and its words.
func busctl(v reflect.Value) (signature string, words []string) {
	switch v.Kind() {
	case reflect.Bool:
		return "b", []string{fmt.Sprint(v)}
	case reflect.Uint8:
		return "y", []string{fmt.Sprint(v.Uint())}
	case reflect.Int32:
		return "i", []string{fmt.Sprint(v)}
	case reflect.Uint32:
		return "u", []string{fmt.Sprint(v)}
	case reflect.Uint64:
		return "t", []string{fmt.Sprint(v)}
	case reflect.String:
		return "s", []string{v.String()}
	case reflect.Slice:
		signature, _ = busctl(reflect.Zero(v.Type().Elem()))
		words = []string{fmt.Sprint(v.Len())}
		for i := range v.Len() {
			_, more := busctl(v.Index(i))
			words = append(words, more...)
		}
		return "a" + signature, words
	case reflect.Struct:
		for i := range v.NumField() {
			s, more := busctl(v.Field(i))
			signature += s
			words = append(words, more...)
		}
		return "(" + signature + ")", words
	}
	panic("no type of D-Bus: " + v.Type().String())
}

// started is the call that starts a service with a property.
func started(scope, unit, property string) ([]string, error) {
	all := []units.Property{
		{Name: "Type", Value: "oneshot"}, {Name: "RemainAfterExit", Value: true},
		{Name: "ExecStart", Value: []units.Exec{{Path: "/bin/true", Args: []string{"/bin/true"}}}},
	}
	if property != "" {
		more, err := units.ParseProperty(property)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	const name, path = "org.freedesktop.systemd1", "/org/freedesktop/systemd1"
	call := []string{"busctl", scope, "-q", "call", name, path, name + ".Manager", "StartTransientUnit", "ssa(sv)a(sa(sv))",
		unit, "fail", fmt.Sprint(len(all))}
	for _, p := range all {
		signature, words := busctl(reflect.ValueOf(p.Value))
		call = append(append(call, p.Name, signature), words...)
	}
	return append(call, "0"), nil
}

// volatile is what differs from one service to another.
var volatile = regexp.MustCompile(`Timestamp|^(Id|Names|Description|ControlGroup|ControlGroupId|InvocationID|Fragment.*|Exec.*|.*PID|` +
	`[A-Za-z]*(Current|Peak|Available)|CPUUsageNSec|IO(Read|Write)(Bytes|Operations)|IP(Ingress|Egress)(Bytes|Packets)|After|Before|` +
	`Requires|RequiresMountsFor|WorkingDirectory|User|Environment)$`)

// stable is what systemctl show says of each of the units that were started, by name.
func stable(out string) map[string]map[string]string {
	all := map[string]map[string]string{}
	for block := range strings.SplitSeq(out, "\n\n") {
		of := map[string]string{}
		name := ""
		for line := range strings.SplitSeq(block, "\n") {
			k, v, _ := strings.Cut(line, "=")
			if k == "Id" {
				name = v
			}
			if !volatile.MatchString(k) {
				of[k] += v + "\n"
			}
		}
		all[name] = of
	}
	return all
}

func differ(a, b map[string]string) (keys []string) {
	for k := range maps.Keys(a) {
		if a[k] != b[k] {
			keys = append(keys, fmt.Sprintf("%s: %q, %q", k, a[k], b[k]))
		}
	}
	for k := range maps.Keys(b) {
		if _, is := a[k]; !is {
			keys = append(keys, fmt.Sprintf("%s: -, %q", k, b[k]))
		}
	}
	slices.Sort(keys)
	return keys
}

func TestSystemdTakesEachPropertyAsFromSystemdRun(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for _, name := range units.PropertyNames() {
		if len(samples[name]) == 0 {
			t.Errorf("there is no sample of %s", name)
		}
	}
	l := settings.Lab(ctx, t)
	for user, scope := range map[string]string{"root": "--system", "alice": "--user"} {
		t.Run(user, func(t *testing.T) { (&site{t, l, ctx}).takes(user, scope) })
	}
}

// takes starts, for each sample, a service as jobman would and another one with
// systemd-run, and compares what systemd says of them.
func (s *site) takes(user, scope string) {
	var properties []string
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		for _, value := range samples[name] {
			properties = append(properties, name+"="+value)
		}
	}
	// One script for all: its words are quoted, each call in the background.
	var script strings.Builder
	say := func(unit string, words []string) {
		for _, w := range words {
			script.WriteString("'" + strings.ReplaceAll(w, "'", `'\''`) + "' ")
		}
		fmt.Fprintf(&script, "2>&1 | sed 's/^/%s: /' &\n", unit)
	}
	direct := func(i int) string { return fmt.Sprintf("direct-%d.service", i) }
	theirs := func(i int) string { return fmt.Sprintf("theirs-%d.service", i) }
	for i, p := range append(properties, "") {
		call, err := started(scope, direct(i), p)
		if err != nil {
			s.Error(err)
			continue
		}
		say(direct(i), call)
		run := []string{"systemd-run", scope, "-q", "--no-block", "--unit=" + theirs(i), "-p", "Type=oneshot", "-p", "RemainAfterExit=yes"}
		if p != "" {
			run = append(run, "-p", p)
		}
		say(theirs(i), append(run, "/bin/true"))
		if i%16 == 15 {
			script.WriteString("wait\n")
		}
	}
	script.WriteString("wait\n")
	if out := s.must(user, "sh", "-c", script.String()); out != "" {
		s.Errorf("systemd refuses: %s", out)
	}
	s.eventually("all have ended", func() bool {
		return s.must(user, "systemctl", scope, "list-units", "--no-legend", "--state=activating", "direct-*", "theirs-*") == ""
	})
	all := stable(s.must(user, "systemctl", scope, "show", "--all", "direct-*", "theirs-*"))
	none := all[direct(len(properties))]
	if d := differ(none, all[theirs(len(properties))]); len(none) == 0 || d != nil {
		s.Fatalf("what has no property differs: %q", d)
	}
	for i, p := range properties {
		got, want := all[direct(i)], all[theirs(i)]
		if len(got) == 0 || len(want) == 0 {
			s.Errorf("%s: there is no unit", p)
			continue
		}
		if d := differ(got, want); d != nil {
			s.Errorf("%s: otherwise than systemd-run: %q", p, d)
		}
		changes := differ(none, got)
		if len(changes) == 0 {
			s.Errorf("%s changes nothing", p)
		}
		s.Logf("%s: %s %s: %q", p, strings.TrimSpace(got["ActiveState"]), strings.TrimSpace(got["Result"]), changes)
	}
}
