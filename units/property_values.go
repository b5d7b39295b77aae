package units

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
)

// parser reads the value of a property.
type parser func(name, value string) (Property, error)

// plain is for those that D-Bus knows by the same name.
func plain[T any](parse func(string) (T, error)) parser {
	return func(name, value string) (Property, error) {
		v, err := parse(value)
		return Property{name, v}, err
	}
}

// as is for those that D-Bus knows by another name.
func as[T any](name string, parse func(string) (T, error)) parser {
	return func(_, value string) (Property, error) {
		v, err := parse(value)
		return Property{name, v}, err
	}
}

// limit is for those that may be a share of what there is.
func limit(least uint64, parse func(string) (uint64, error)) parser {
	return func(name, value string) (Property, error) {
		if strings.HasSuffix(value, "%") || strings.HasSuffix(value, "‰") || strings.HasSuffix(value, "‱") {
			p, err := permyriad(value)
			switch {
			case err != nil:
				return Property{}, err
			case p > 10000:
				return Property{}, errors.New("more than all there is")
			case p == 0 && least > 0:
				return Property{}, errors.New("nothing at all is too little")
			}
			return Property{name + "Scale", uint32((p*math.MaxUint32 + 5000) / 10000)}, nil
		}
		v, err := infinite(parse)(value)
		if err == nil && v < least {
			err = errors.New("nothing at all is too little")
		}
		return Property{name, v}, err
	}
}

func infinite(parse func(string) (uint64, error)) func(string) (uint64, error) {
	return func(s string) (uint64, error) {
		if s == "infinity" {
			return math.MaxUint64, nil
		}
		return parse(s)
	}
}

func boolean(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "1", "yes", "y", "true", "t", "on":
		return true, nil
	case "0", "no", "n", "false", "f", "off":
		return false, nil
	}
	return false, errors.New("neither yes nor no")
}

func oneOf(values ...string) func(string) (string, error) {
	return func(s string) (string, error) {
		if !slices.Contains(values, s) {
			return "", fmt.Errorf("none of %s", strings.Join(values, ", "))
		}
		return s, nil
	}
}

// sched(7) and ioprio_set(2).
var (
	schedulers = map[string]int32{"other": 0, "fifo": 1, "rr": 2, "batch": 3, "idle": 5}
	ioClasses  = map[string]int32{"none": 0, "realtime": 1, "best-effort": 2, "idle": 3}
)

func named(numbers map[string]int32) func(string) (int32, error) {
	return func(s string) (int32, error) {
		n, ok := numbers[s]
		if !ok {
			return 0, fmt.Errorf("none of %s", strings.Join(slices.Sorted(maps.Keys(numbers)), ", "))
		}
		return n, nil
	}
}

// unsigned reads a decimal number. One that begins with 0 is octal to systemd, so
// it is none.
func unsigned(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errors.New("too large")
	case err != nil || len(s) > 1 && s[0] == '0':
		return 0, errors.New("not a whole number")
	}
	return n, nil
}

func between(least, most int32) func(string) (int32, error) {
	return func(s string) (int32, error) {
		digits, negative := strings.CutPrefix(s, "-")
		n, err := unsigned(digits)
		v := int64(min(n, math.MaxInt32))
		if negative {
			v = -v
		}
		if err != nil || v < int64(least) || v > int64(most) {
			return 0, fmt.Errorf("not a whole number from %d to %d", least, most)
		}
		return int32(v), nil
	}
}

func weight(s string) (uint64, error) {
	n, err := between(1, 10000)(s)
	return uint64(n), err
}

// cpuWeight also takes idle, which D-Bus knows as 0.
func cpuWeight(s string) (uint64, error) {
	if s == "idle" {
		return 0, nil
	}
	n, err := weight(s)
	if err != nil {
		err = fmt.Errorf("neither idle nor %s", strings.TrimPrefix(err.Error(), "not "))
	}
	return n, err
}

// permyriad reads a share in %, ‰ or ‱, to the hundredth of a percent.
func permyriad(s string) (uint64, error) {
	bad := errors.New("not a percentage")
	for sign, places := range map[string]int{"%": 2, "‰": 1, "‱": 0} {
		number, ok := strings.CutSuffix(s, sign)
		if !ok {
			continue
		}
		whole, part, dot := strings.Cut(number, ".")
		if dot && (part == "" || len(part) > places) {
			return 0, bad
		}
		if _, err := unsigned(whole); err != nil {
			return 0, bad
		}
		n, err := strconv.ParseInt(whole+part+strings.Repeat("0", places-len(part)), 10, 32)
		if err != nil || n < 0 {
			return 0, bad
		}
		return uint64(n), nil
	}
	return 0, bad
}

// cpuQuota is the CPU time in each second; 100% is one CPU.
func cpuQuota(s string) (uint64, error) {
	p, err := permyriad(s)
	if err == nil && p == 0 {
		err = errors.New("nothing at all is too little")
	}
	return p * 100, err
}

// size reads one as systemd does: 1G, 1.5G, 1G 512M.
func size(base uint64) func(string) (uint64, error) {
	return func(s string) (uint64, error) {
		const suffixes = "EPTGMKB"
		bad := errors.New("not a number with or without one of K, M, G, T, P and E")
		var sum uint64
		for rest, left := s, suffixes; ; {
			var number string
			number, rest = splitNumber(strings.TrimLeft(rest, " "))
			rest = strings.TrimLeft(rest, " ")
			factor := uint64(1)
			if i := strings.IndexAny(left, rest[:min(1, len(rest))]); i >= 0 {
				for range len(left) - 1 - i {
					factor *= base
				}
				left, rest = left[i+1:], rest[1:]
			} else if rest != "" {
				return 0, bad
			}
			n, ok := times(number, factor)
			if !ok || sum+n < sum {
				return 0, bad
			}
			if sum += n; rest == "" {
				return sum, nil
			}
		}
	}
}

// splitNumber splits off what may be a number.
func splitNumber(s string) (number, rest string) {
	end := len(s) - len(strings.TrimLeft(s, "0123456789."))
	return s[:end], s[end:]
}

// times multiplies a decimal number, and cuts off what is less than 1.
func times(number string, factor uint64) (uint64, bool) {
	whole, part, dot := strings.Cut(number, ".")
	n, err := strconv.ParseUint(whole, 10, 64)
	if err != nil || n > math.MaxUint64/factor {
		return 0, false
	}
	n *= factor
	if !dot {
		return n, true
	}
	f, err := strconv.ParseUint(part, 10, 64)
	if err != nil || len(part) > 18 {
		return 0, false
	}
	power := uint64(1)
	for range len(part) {
		power *= 10
	}
	hi, lo := bits.Mul64(f, factor)
	more, _ := bits.Div64(hi, lo, power)
	return n + more, n+more >= n
}

var timeUnits = map[string]uint64{
	"us": 1, "usec": 1, "µs": 1, "μs": 1, "ms": 1e3, "msec": 1e3,
	"": 1e6, "s": 1e6, "sec": 1e6, "second": 1e6, "seconds": 1e6,
	"m": 60e6, "min": 60e6, "minute": 60e6, "minutes": 60e6,
}

// timespan reads one as systemd does, in microseconds: 10ms, 1s 500ms, 1.5.
func timespan(s string) (uint64, error) {
	if s == "infinity" {
		return math.MaxUint64, nil
	}
	var sum uint64
	for rest := s; rest != ""; {
		var number string
		number, rest = splitNumber(strings.TrimLeft(rest, " "))
		rest = strings.TrimLeft(rest, " ")
		end := strings.IndexAny(rest, " 0123456789.")
		if end < 0 {
			end = len(rest)
		}
		factor, known := timeUnits[rest[:end]]
		n, ok := times(number, max(factor, 1))
		if !known || !ok || sum+n < sum {
			return 0, errors.New("not a time like 10ms, 0.5s or 1s")
		}
		sum, rest = sum+n, rest[end:]
	}
	if sum == 0 {
		return 0, errors.New("no time at all is too little")
	}
	return sum, nil
}

// maxCPUs is how many systemd knows.
const maxCPUs = 8192

// cpuSet reads numbers and ranges, and returns a bit for each.
func cpuSet(s string) ([]byte, error) {
	set := make([]byte, 0, 8)
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' }) {
		from, to, ranged := strings.Cut(word, "-")
		if !ranged {
			to = from
		}
		first, err1 := unsigned(from)
		last, err2 := unsigned(to)
		if err1 != nil || err2 != nil || first > last || last >= maxCPUs {
			return nil, fmt.Errorf("%q is neither a number below %d nor a range of them", word, maxCPUs)
		}
		for n := first; n <= last; n++ {
			for n/8 >= uint64(len(set)) {
				set = append(set, make([]byte, 8)...)
			}
			set[n/8] |= 1 << (n % 8)
		}
	}
	if len(set) == 0 {
		return nil, errors.New("there is no number in it")
	}
	return set, nil
}

// device reads the path of a device or of a file on it. systemd 252 writes it as
// it is into the unit's file, and reads that anew at daemon-reload.
func device(s string) error {
	switch {
	case !path.IsAbs(s) || path.Clean(s) != s:
		return fmt.Errorf("%q is not an absolute path without . and .. in it", s)
	case strings.ContainsAny(s, "%'\"\\"):
		return fmt.Errorf("%q: a device with %% or quotes in its name is not possible", s)
	}
	return nil
}

func deviceLimit(parse func(string) (uint64, error)) func(string) ([]DeviceLimit, error) {
	return func(s string) ([]DeviceLimit, error) {
		dev, value, ok := strings.Cut(s, " ")
		if !ok {
			return nil, errors.New("write a device, a space and a number")
		}
		if err := device(dev); err != nil {
			return nil, err
		}
		n, err := parse(value)
		if err != nil {
			return nil, err
		}
		return []DeviceLimit{{dev, n}}, nil
	}
}

func deviceAllow(s string) ([]DeviceAccess, error) {
	dev, access, given := strings.Cut(s, " ")
	class := strings.HasPrefix(dev, "char-") || strings.HasPrefix(dev, "block-")
	if class {
		if strings.HasSuffix(dev, "-") && strings.Count(dev, "-") == 1 || strings.ContainsAny(dev, "%'\"\\") {
			return nil, fmt.Errorf("%q names no kind of devices", dev)
		}
	} else if err := device(dev); err != nil {
		return nil, err
	} else if !strings.HasPrefix(dev, "/dev/") {
		return nil, fmt.Errorf("%q is not below /dev, and no char-* or block-*", dev)
	}
	if given && (access == "" || strings.Trim(access, "rwm") != "") {
		return nil, errors.New("after the device come r, w and m")
	}
	return []DeviceAccess{{dev, access}}, nil
}

// devicePolicy leaves out strict: without /dev/null systemd cannot even start
// jobman's exec.
func devicePolicy(s string) (string, error) {
	if s == "strict" {
		return "", errors.New("not even /dev/null could be opened, which starting the run takes; use closed")
	}
	return oneOf("auto", "closed")(s)
}

// The families of addresses in Linux.
const (
	inet  = 2
	inet6 = 10
)

var namedPrefixes = map[string][]string{
	"any":        {"0.0.0.0/0", "::/0"},
	"localhost":  {"127.0.0.0/8", "::1/128"},
	"link-local": {"169.254.0.0/16", "fe80::/64"},
	"multicast":  {"224.0.0.0/4", "ff00::/8"},
}

func prefixes(s string) (all []Prefix, err error) {
	for word := range strings.FieldsSeq(s) {
		texts, known := namedPrefixes[word]
		if !known {
			texts = []string{word}
		}
		for _, text := range texts {
			p, err := netip.ParsePrefix(text)
			if a, errAddr := netip.ParseAddr(text); err != nil && errAddr == nil && a.Zone() == "" {
				p, err = netip.PrefixFrom(a, a.BitLen()), nil
			}
			if err != nil {
				return nil, fmt.Errorf("%q is no address, no prefix and none of any, localhost, link-local and multicast", word)
			}
			family := int32(inet6)
			if p.Addr().Is4() {
				family = inet
			}
			all = append(all, Prefix{family, p.Addr().AsSlice(), uint32(p.Bits())})
		}
	}
	if all == nil {
		return nil, errors.New("there is no address in it")
	}
	return all, nil
}

// namespaceFlags are those of clone(2).
var namespaceFlags = map[string]uint64{
	"cgroup": 0x02000000, "ipc": 0x08000000, "net": 0x40000000, "mnt": 0x00020000,
	"pid": 0x20000000, "user": 0x10000000, "uts": 0x04000000,
}

const allNamespaces = 0x7e020000

// namespaces reads what a run may still make; yes: none.
func namespaces(s string) (uint64, error) {
	if restrict, err := boolean(s); err == nil {
		if restrict {
			return 0, nil
		}
		return allNamespaces, nil
	}
	list, invert := strings.CutPrefix(s, "~")
	flags, err := union(list, namespaceFlags)
	if err != nil {
		return 0, err
	}
	if invert {
		flags ^= allNamespaces
	}
	return flags, nil
}

func union(list string, flags map[string]uint64) (sum uint64, err error) {
	for word := range strings.FieldsSeq(list) {
		flag, ok := flags[word]
		if !ok {
			return 0, fmt.Errorf("%q is none of %s", word, strings.Join(slices.Sorted(maps.Keys(flags)), ", "))
		}
		sum |= flag
	}
	if sum == 0 {
		return 0, errors.New("there is no name in it")
	}
	return sum, nil
}

// capabilityBits has those of capabilities(7), in the order of their numbers.
var capabilityBits = func() map[string]uint64 {
	all := map[string]uint64{}
	for i, name := range strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
		LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT
		SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE
		AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`) {
		all["CAP_"+name] = 1 << i
	}
	return all
}()

func capabilities(s string) (uint64, error) {
	list, invert := strings.CutPrefix(s, "~")
	sum, err := union(strings.ToUpper(list), capabilityBits)
	if err != nil {
		return 0, err
	}
	if invert {
		sum = ^sum
	}
	return sum, nil
}
