package units

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const (
	mib  = uint64(1) << 20
	gib  = uint64(1) << 30
	most = uint64(math.MaxUint64)
)

func TestPropertiesAreReadAsSystemdDoes(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range []struct {
		in    string
		name  string // on D-Bus, where it is another
		value any
	}{
		{"CPUAccounting=yes", "", true},
		{"CPUAccounting=OFF", "", false},
		{"CPUWeight=1", "", uint64(1)},
		{"CPUWeight=10000", "", uint64(10000)},
		{"CPUWeight=idle", "", uint64(0)},
		{"StartupCPUWeight=20", "", uint64(20)},
		{"CPUQuota=50%", "CPUQuotaPerSecUSec", uint64(500000)},
		{"CPUQuota=250.5%", "CPUQuotaPerSecUSec", uint64(2505000)},
		{"CPUQuota=0.01%", "CPUQuotaPerSecUSec", uint64(100)},
		{"CPUQuota=12.3‰", "CPUQuotaPerSecUSec", uint64(12300)},
		{"CPUQuota=7‱", "CPUQuotaPerSecUSec", uint64(700)},
		{"CPUQuotaPeriodSec=10ms", "CPUQuotaPeriodUSec", uint64(10000)},
		{"CPUQuotaPeriodSec=0.25", "CPUQuotaPeriodUSec", uint64(250000)},
		{"CPUQuotaPeriodSec=1s 500ms", "CPUQuotaPeriodUSec", uint64(1500000)},
		{"CPUQuotaPeriodSec=1min2us", "CPUQuotaPeriodUSec", uint64(60000002)},
		{"CPUQuotaPeriodSec=infinity", "CPUQuotaPeriodUSec", most},
		{"AllowedCPUs=0-2,9 4", "", []byte{0b10111, 0b10, 0, 0, 0, 0, 0, 0}},
		{"AllowedMemoryNodes=0", "", []byte{1, 0, 0, 0, 0, 0, 0, 0}},
		{"MemoryAccounting=1", "", true},
		{"MemoryMin=0", "", uint64(0)},
		{"MemoryMin=0%", "MemoryMinScale", uint32(0)},
		{"MemoryLow=64M", "", 64 * mib},
		{"MemoryHigh=1.5G", "", gib + gib/2},
		{"MemoryMax=1G 512M", "", gib + 512*mib},
		{"MemoryMax=1G512M", "", gib + 512*mib},
		{"MemoryMax=4096", "", uint64(4096)},
		{"MemoryMax=4096B", "", uint64(4096)},
		{"MemoryMax=15E", "", uint64(15) << 60},
		{"MemoryMax=infinity", "", most},
		{"MemoryMax=50%", "MemoryMaxScale", uint32(0x80000000)},
		{"MemoryMax=100%", "MemoryMaxScale", uint32(math.MaxUint32)},
		{"MemoryMax=12.34%", "MemoryMaxScale", uint32(529998964)},
		{"MemorySwapMax=0", "", uint64(0)},
		{"TasksAccounting=t", "", true},
		{"TasksMax=7", "", uint64(7)},
		{"TasksMax=infinity", "", most},
		{"TasksMax=10%", "TasksMaxScale", uint32(429496730)},
		{"IOAccounting=no", "", false},
		{"IOWeight=100", "", uint64(100)},
		{"StartupIOWeight=200", "", uint64(200)},
		{"IODeviceWeight=/dev/sda 300", "", []DeviceLimit{{"/dev/sda", 300}}},
		{"IOReadBandwidthMax=/dev/sda 5M", "", []DeviceLimit{{"/dev/sda", 5e6}}},
		{"IOWriteBandwidthMax=/ infinity", "", []DeviceLimit{{"/", most}}},
		{"IOReadIOPSMax=/dev/sda 1K", "", []DeviceLimit{{"/dev/sda", 1000}}},
		{"IOWriteIOPSMax=/dev/sda 9", "", []DeviceLimit{{"/dev/sda", 9}}},
		{"IPAccounting=true", "", true},
		{"IPAddressAllow=10.1.0.0/16 ::1", "", []Prefix{{2, []byte{10, 1, 0, 0}, 16}, {10, append(make([]byte, 15), 1), 128}}},
		{"IPAddressAllow=localhost", "", []Prefix{{2, []byte{127, 0, 0, 0}, 8}, {10, append(make([]byte, 15), 1), 128}}},
		{"IPAddressDeny=any", "", []Prefix{{2, make([]byte, 4), 0}, {10, make([]byte, 16), 0}}},
		{"DevicePolicy=closed", "", "closed"},
		{"DeviceAllow=/dev/null", "", []DeviceAccess{{"/dev/null", ""}}},
		{"DeviceAllow=char-pts rw", "", []DeviceAccess{{"char-pts", "rw"}}},
		{"ManagedOOMSwap=kill", "", "kill"},
		{"ManagedOOMMemoryPressure=auto", "", "auto"},
		{"OOMScoreAdjust=-1000", "", int32(-1000)},
		{"OOMPolicy=continue", "", "continue"},
		{"CPUSchedulingPolicy=batch", "", int32(3)},
		{"CPUSchedulingPriority=99", "", int32(99)},
		{"CPUAffinity=63-64", "", append(append(make([]byte, 7), 0x80, 1), make([]byte, 7)...)},
		{"IOSchedulingClass=best-effort", "", int32(2)},
		{"IOSchedulingPriority=7", "", int32(7)},
		{"NoNewPrivileges=on", "", true},
		{"PrivateNetwork=yes", "", true},
		{"PrivateIPC=yes", "", true},
		{"PrivateDevices=yes", "", true},
		{"ProtectKernelTunables=yes", "", true},
		{"ProtectKernelModules=yes", "", true},
		{"ProtectKernelLogs=yes", "", true},
		{"ProtectControlGroups=yes", "", true},
		{"ProtectClock=yes", "", true},
		{"ProtectHostname=yes", "", true},
		{"RestrictRealtime=yes", "", true},
		{"RestrictSUIDSGID=yes", "", true},
		{"LockPersonality=yes", "", true},
		{"MemoryDenyWriteExecute=yes", "", true},
		{"RestrictNamespaces=yes", "", uint64(0)},
		{"RestrictNamespaces=no", "", uint64(0x7e020000)},
		{"RestrictNamespaces=user mnt", "", uint64(0x10020000)},
		{"RestrictNamespaces=~user mnt", "", uint64(0x6e000000)},
		{"CapabilityBoundingSet=CAP_CHOWN cap_kill", "", uint64(0x21)},
		{"CapabilityBoundingSet=~CAP_CHECKPOINT_RESTORE", "", most ^ 1<<40},
		{"AmbientCapabilities=CAP_NET_BIND_SERVICE", "", uint64(0x400)},
		{"KeyringMode=private", "", "private"},
	} {
		name, _, _ := strings.Cut(c.in, "=")
		tested[name] = true
		if c.name == "" {
			c.name = name
		}
		want := []Property{{c.name, c.value}}
		if got, err := ParseProperty(c.in); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v; want %#v", c.in, got, err, want)
		}
	}
	for _, name := range PropertyNames() {
		if !tested[name] {
			t.Errorf("%s is not tested", name)
		}
	}
}

func TestPropertiesThatAreRefused(t *testing.T) {
	for in, want := range map[string]string{
		"":                                      "write NAME=VALUE",
		"MemoryMax":                             "write NAME=VALUE",
		"=5":                                    "write NAME=VALUE",
		"MemoryMax=":                            "there is no value",
		"MemoryMax=1\n":                         "no text",
		"CPUWeight=1\xff":                       "no text",
		"memorymax=1G":                          "do you mean MemoryMax?",
		"MemoryMaks=1G":                         "do you mean MemoryMax?",
		" MemoryMax=1G":                         "do you mean MemoryMax?",
		"MemoryMaxScale=1":                      "do you mean MemoryMax?",
		"KillSignl=TERM":                        "do you mean KillSignal?",
		"Qwzxj=1":                               "knows no such property",
		"MemoryMax=x":                           "not a number",
		"MemoryMax=-1":                          "not a number",
		"MemoryMax=0":                           "too little",
		"MemoryMax=0%":                          "too little",
		"MemoryMax=101%":                        "more than all",
		"MemoryMax=1.234%":                      "not a percentage",
		"MemoryMax=1.%":                         "not a percentage",
		"MemoryMax=-0%":                         "not a percentage",
		"MemoryMax=%":                           "not a percentage",
		"MemoryMax=1GiB":                        "not a number",
		"MemoryMax=1 2":                         "not a number",
		"MemoryMax=1K 1G":                       "not a number",
		"MemoryMax=1.G":                         "not a number",
		"MemoryMax=16E":                         "not a number",
		"MemoryMax=15E 1024P":                   "not a number",
		"MemoryMax=Infinity":                    "not a number",
		"TasksMax=010":                          "not a whole number",
		"TasksMax=1K":                           "not a whole number",
		"TasksMax=0":                            "too little",
		"TasksMax=99999999999999999999":         "too large",
		"CPUWeight=0":                           "neither idle nor a whole number from 1 to 10000",
		"IOWeight=10001":                        "from 1 to 10000",
		"IOWeight=idle":                         "from 1 to 10000",
		"CPUQuota=0%":                           "too little",
		"CPUQuota=50":                           "not a percentage",
		"CPUQuota=99999999999%":                 "not a percentage",
		"CPUQuotaPeriodSec=0":                   "too little",
		"CPUQuotaPeriodSec=1x":                  "not a time",
		"CPUQuotaPeriodSec=s":                   "not a time",
		"AllowedCPUs=3-1":                       "range",
		"AllowedCPUs=8192":                      "range",
		"AllowedCPUs=a":                         "range",
		"AllowedCPUs=,":                         "no number",
		"CPUAffinity=numa":                      "range",
		"CPUAccounting=2":                       "neither yes nor no",
		"IODeviceWeight=/dev/sda":               "a device, a space",
		"IODeviceWeight=sda 5":                  "absolute path",
		"IODeviceWeight=/dev/../sda 5":          "absolute path",
		"IODeviceWeight=/dev/%s 5":              "quotes",
		"IODeviceWeight=/dev/sda 0":             "from 1 to 10000",
		"IOReadBandwidthMax=/dev/sda 5%":        "not a number",
		"IPAddressAllow=example.org":            "no address",
		"IPAddressAllow=10.0.0.0/33":            "no address",
		"IPAddressAllow=fe80::1%eth0":           "no address",
		"IPAddressDeny= ":                       "no address",
		"DevicePolicy=strict":                   "use closed",
		"DevicePolicy=open":                     "none of auto, closed",
		"DeviceAllow=/home/x":                   "not below /dev",
		"DeviceAllow=/dev/null x":               "come r, w and m",
		"DeviceAllow=char- r":                   "no kind of devices",
		"ManagedOOMSwap=no":                     "none of auto, kill",
		"OOMScoreAdjust=1001":                   "from -1000 to 1000",
		"OOMScoreAdjust=--1":                    "from -1000 to 1000",
		"OOMPolicy=none":                        "none of continue",
		"CPUSchedulingPolicy=deadline":          "none of batch",
		"CPUSchedulingPriority=100":             "from 0 to 99",
		"IOSchedulingClass=3":                   "none of best-effort",
		"IOSchedulingPriority=8":                "from 0 to 7",
		"RestrictNamespaces=time":               "none of cgroup",
		"RestrictNamespaces=~":                  "no name",
		"CapabilityBoundingSet=CAP_NOTHING":     "none of CAP_",
		"KeyringMode=none":                      "none of inherit",
		"User=x":                                "--uid",
		"Group=x":                               "--gid",
		"WorkingDirectory=/":                    "--chdir",
		"Environment=A=b":                       "--env",
		"EnvironmentFile=/x":                    "--env",
		"PassEnvironment=A":                     "--env",
		"Slice=x.slice":                         "--group",
		"KillSignal=INT":                        "--stop-signal",
		"TimeoutStopSec=1":                      "--stop-grace",
		"RuntimeMaxSec=1":                       "--timeout.run",
		"Description=x":                         "--name",
		"Nice=5":                                "jobman applies it itself",
		"UMask=077":                             "umask",
		"LimitNOFILE=5":                         "ulimit",
		"ExecStartPost=/x":                      "jobman sets it itself",
		"Type=oneshot":                          "jobman sets it itself",
		"RestartSec=1":                          "jobman sets it itself",
		"StandardOutput=null":                   "jobman sets it itself",
		"OnFailure=x.service":                   "jobman sets it itself",
		"Delegate=yes":                          "break the records",
		"WatchdogSec=1":                         "break the records",
		"ConditionPathExists=/x":                "depends on nothing",
		"AssertUser=x":                          "depends on nothing",
		"Requires=x.service":                    "depends on nothing",
		"ProtectHome=yes":                       "hides from jobman",
		"PrivateTmp=yes":                        "hides from jobman",
		"RootImage=/x":                          "hides from jobman",
		"DynamicUser=yes":                       "hides from jobman",
		"InaccessiblePaths=/x":                  "hides from jobman",
		"SystemCallFilter=x":                    "hold for jobman as well",
		"RestrictAddressFamilies=AF_UNIX":       "hold for jobman as well",
		strings.Repeat("MemoryMax", 1e5) + "=1": "no such property",
	} {
		got, err := ParseProperty(in)
		if !errors.Is(err, ErrProperty) || !strings.Contains(err.Error(), want) || got != nil {
			t.Errorf("%.80q: %v, %v; want %q", in, got, err, want)
		}
	}
}

func TestNothingIsBothAllowedAndRefused(t *testing.T) {
	if names := PropertyNames(); !slices.IsSorted(names) {
		t.Errorf("not sorted: %q", names)
	}
	for _, name := range PropertyNames() {
		if why := whyNot(name); !strings.Contains(why, "do you mean "+name+"?") {
			t.Errorf("%s is also refused: %s", name, why)
		}
	}
	for _, r := range refusals {
		for _, n := range strings.Fields(r.names) {
			if begin, _ := strings.CutSuffix(n, "*"); whyNot(begin) != r.why {
				t.Errorf("%s: %q comes before %q", n, whyNot(begin), r.why)
			}
		}
	}
}

func TestNice(t *testing.T) {
	for in, want := range map[string]int{"Nice=5": 5, "Nice=-20": -20, "Nice=19": 19, "Nice=0": 0} {
		if n, ok, err := Nice(in); n != want || !ok || err != nil {
			t.Errorf("%s: %d, %v, %v", in, n, ok, err)
		}
	}
	for _, in := range []string{"Nice=", "Nice=20", "Nice=-21", "Nice=x", "Nice=1.5"} {
		if _, ok, err := Nice(in); !ok || !errors.Is(err, ErrProperty) {
			t.Errorf("%s: %v, %v", in, ok, err)
		}
	}
	for _, in := range []string{"", "Nice", "nice=5", "NiceX=5", "MemoryMax=5"} {
		if _, ok, err := Nice(in); ok || err != nil {
			t.Errorf("%s: %v, %v", in, ok, err)
		}
	}
}

func FuzzParseProperty(f *testing.F) {
	for _, name := range PropertyNames() {
		for _, value := range []string{"yes", "1.5G", "50%", "/dev/sda 5M", "0-3,8", "10.0.0.0/8 any", "~user mnt", "10ms"} {
			f.Add(name + "=" + value)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseProperty(s)
		switch {
		case err != nil && (!errors.Is(err, ErrProperty) || p != nil):
			t.Errorf("%q: %v, %v", s, p, err)
		case err == nil && (len(p) == 0 || p[0].Name == "" || p[0].Value == nil):
			t.Errorf("%q: %v", s, p)
		}
	})
}
