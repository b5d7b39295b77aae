package units

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"jobman/job"
)

// ErrProperty is wrapped by the error for what is not a property for a run.
var ErrProperty = errors.New("refused")

// DeviceLimit is a limit or a weight for a device, of the type a(st).
type DeviceLimit struct {
	Path  string
	Value uint64
}

// DeviceAccess is a device that may be opened, of the type a(ss).
type DeviceAccess struct {
	Path   string
	Access string
}

// Prefix is a range of IP addresses, of the type a(iayu).
type Prefix struct {
	Family  int32
	Address []byte
	Bits    uint32
}

// ParseProperty reads KEY=VALUE in the syntax of systemd.resource-control(5) and
// systemd.exec(5), and returns what goes over D-Bus, which may have another name.
// An error wraps ErrProperty.
func ParseProperty(s string) ([]Property, error) {
	name, value, ok := strings.Cut(s, "=")
	switch {
	case !ok || name == "":
		return nil, fmt.Errorf("%w: %q: write NAME=VALUE", ErrProperty, s)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return nil, fmt.Errorf("%w: %q: there are characters in it that are no text", ErrProperty, s)
	}
	parse := properties[name]
	if parse == nil {
		return nil, fmt.Errorf("%w: %s: %s; there are %s", ErrProperty, name, whyNot(name), strings.Join(PropertyNames(), ", "))
	}
	if value == "" {
		return nil, fmt.Errorf("%w: %s=: there is no value; nothing is set that an empty one could reset", ErrProperty, name)
	}
	p, err := parse(name, value)
	if err != nil {
		return nil, fmt.Errorf("%w: %s=%s: %w", ErrProperty, name, value, err)
	}
	return []Property{p}, nil
}

// PropertyNames lists the names that ParseProperty takes, sorted.
func PropertyNames() []string { return slices.Sorted(maps.Keys(properties)) }

// Nice recognises Nice=N, which jobman applies itself. ok tells whether it is
// that; an error wraps ErrProperty.
func Nice(s string) (n int, ok bool, err error) {
	value, ok := strings.CutPrefix(s, "Nice=")
	if !ok {
		return 0, false, nil
	}
	v, err := between(-20, 19)(value)
	if err != nil {
		return 0, true, fmt.Errorf("%w: %s: %w", ErrProperty, s, err)
	}
	return int(v), true, nil
}

// properties are those that a run may be given: nothing that hides the store or
// /run from exec and stop-post, makes them read-only, or changes what jobman
// reads from the unit.
var properties = map[string]parser{
	"CPUAccounting":            plain(boolean),
	"CPUWeight":                plain(cpuWeight),
	"StartupCPUWeight":         plain(cpuWeight),
	"CPUQuota":                 as("CPUQuotaPerSecUSec", cpuQuota),
	"CPUQuotaPeriodSec":        as("CPUQuotaPeriodUSec", timespan),
	"AllowedCPUs":              plain(cpuSet),
	"AllowedMemoryNodes":       plain(cpuSet),
	"MemoryAccounting":         plain(boolean),
	"MemoryMin":                limit(0, size(1024)),
	"MemoryLow":                limit(0, size(1024)),
	"MemoryHigh":               limit(1, size(1024)),
	"MemoryMax":                limit(1, size(1024)),
	"MemorySwapMax":            limit(0, size(1024)),
	"TasksAccounting":          plain(boolean),
	"TasksMax":                 limit(1, unsigned),
	"IOAccounting":             plain(boolean),
	"IOWeight":                 plain(weight),
	"StartupIOWeight":          plain(weight),
	"IODeviceWeight":           plain(deviceLimit(weight)),
	"IOReadBandwidthMax":       plain(deviceLimit(infinite(size(1000)))),
	"IOWriteBandwidthMax":      plain(deviceLimit(infinite(size(1000)))),
	"IOReadIOPSMax":            plain(deviceLimit(infinite(size(1000)))),
	"IOWriteIOPSMax":           plain(deviceLimit(infinite(size(1000)))),
	"IPAccounting":             plain(boolean),
	"IPAddressAllow":           plain(prefixes),
	"IPAddressDeny":            plain(prefixes),
	"DevicePolicy":             plain(devicePolicy),
	"DeviceAllow":              plain(deviceAllow),
	"ManagedOOMSwap":           plain(oneOf("auto", "kill")),
	"ManagedOOMMemoryPressure": plain(oneOf("auto", "kill")),

	"OOMScoreAdjust":        plain(between(-1000, 1000)),
	"OOMPolicy":             plain(oneOf("continue", "stop", "kill")),
	"CPUSchedulingPolicy":   plain(named(schedulers)),
	"CPUSchedulingPriority": plain(between(0, 99)),
	"CPUAffinity":           plain(cpuSet),
	"IOSchedulingClass":     plain(named(ioClasses)),
	"IOSchedulingPriority":  plain(between(0, 7)),

	"NoNewPrivileges":        plain(boolean),
	"PrivateNetwork":         plain(boolean),
	"PrivateIPC":             plain(boolean),
	"PrivateDevices":         plain(boolean),
	"ProtectKernelTunables":  plain(boolean),
	"ProtectKernelModules":   plain(boolean),
	"ProtectKernelLogs":      plain(boolean),
	"ProtectControlGroups":   plain(boolean),
	"ProtectClock":           plain(boolean),
	"ProtectHostname":        plain(boolean),
	"RestrictRealtime":       plain(boolean),
	"RestrictSUIDSGID":       plain(boolean),
	"LockPersonality":        plain(boolean),
	"MemoryDenyWriteExecute": plain(boolean),
	"RestrictNamespaces":     plain(namespaces),
	"CapabilityBoundingSet":  plain(capabilities),
	"AmbientCapabilities":    plain(capabilities),
	"KeyringMode":            plain(oneOf("inherit", "private", "shared")),
}

// refusals say why what systemd has is not for runs. A name may end in *; the
// first one that fits counts.
var refusals = []struct {
	why   string
	names string
}{
	{"use --uid", "User"},
	{"use --gid", "Group SupplementaryGroups"},
	{"use --chdir", "WorkingDirectory"},
	{"use --env", "Environment*"},
	{"the environment is that of the shell; see --env", "PassEnvironment UnsetEnvironment"},
	{"use --group", "Slice"},
	{"use --stop-signal", "KillSignal"},
	{"use --stop-grace", "TimeoutStopSec TimeoutSec"},
	{"use --timeout.run", "RuntimeMaxSec"},
	{"use --name", "Description"},
	{"jobman applies it itself", "Nice"},
	{"it is inherited from the shell; set it there with umask", "UMask"},
	{"it is inherited from the shell; set it there with ulimit", "Limit*"},
	{"use MemoryMax", "MemoryLimit"},
	{"use CPUWeight", "CPUShares StartupCPUShares"},
	{"use the one that begins with IO", "BlockIO* StartupBlockIOWeight"},
	{"jobman sets it itself", "Exec ExecStart* ExecStop* ExecCondition* ExecReload* Type Restart* RemainAfterExit SuccessExitStatus KillMode " +
		"CollectMode Standard* OnFailure* OnSuccess* IgnoreSIGPIPE SyslogIdentifier"},
	{"it would break the records of the run", "Delegate* GuessMainPID PIDFile NotifyAccess BusName Watchdog* FinalKillSignal " +
		"SendSIGKILL SendSIGHUP Timeout* RuntimeRandomizedExtraSec NonBlocking FileDescriptorStore* Sockets TTY* PAMName Utmp* USB* ExitType " +
		"StartLimit* FailureAction* SuccessAction* JobTimeout* JobRunningTimeoutSec RebootArgument"},
	{"a run depends on nothing but what jobman has it depend on", "Condition* Assert* Requires Requisite Wants BindsTo PartOf Upholds Conflicts " +
		"Before After PropagatesReloadTo ReloadPropagatedFrom PropagatesStopTo StopPropagatedFrom JoinsNamespaceOf RequiresMountsFor " +
		"WantsMountsFor DefaultDependencies StopWhenUnneeded RefuseManualStart RefuseManualStop AllowIsolate IgnoreOnIsolate " +
		"SurviveFinalKillSignal SourcePath Documentation"},
	{"it hides from jobman what it needs to record the run", "ProtectHome ProtectSystem ProtectProc ProcSubset RootDirectory RootImage Root* " +
		"PrivateTmp PrivateUsers PrivateMounts PrivatePIDs TemporaryFileSystem BindPaths BindReadOnlyPaths Mount* ExtensionImages " +
		"ExtensionDirectories DynamicUser InaccessiblePaths InaccessibleDirectories ReadOnlyPaths ReadOnlyDirectories ReadWritePaths " +
		"ReadWriteDirectories ExecPaths NoExecPaths RuntimeDirectory* StateDirectory* CacheDirectory* LogsDirectory* ConfigurationDirectory*"},
	{"it would hold for jobman as well, which records the run", "SystemCall* RestrictAddressFamilies RestrictFileSystems SecureBits " +
		"AppArmorProfile SELinuxContext SmackProcessLabel Personality"},
}

// whyNot says why there is no such property.
func whyNot(name string) string {
	var known []string
	for _, r := range refusals {
		for _, n := range strings.Fields(r.names) {
			if begin, all := strings.CutSuffix(n, "*"); n == name || all && strings.HasPrefix(name, begin) {
				return r.why
			} else if !all {
				known = append(known, n)
			}
		}
	}
	if near := nearest(name, append(PropertyNames(), known...)); near != "" {
		return "jobman knows no such property; do you mean " + near + "?"
	}
	return "jobman knows no such property"
}

// nearest finds the name that is least far from it; none where that would be
// another one altogether.
func nearest(name string, names []string) (best string) {
	if len(name) > 64 {
		return ""
	}
	least := len(name)/2 + 1
	for _, n := range names {
		if d := job.Distance(strings.ToLower(name), strings.ToLower(n)); d < least {
			best, least = n, d
		}
	}
	return best
}
