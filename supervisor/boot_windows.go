package supervisor

import (
	"strconv"
	"unsafe"

	"golang.org/x/sys/windows"
)

// timeOfDay is SYSTEM_TIMEOFDAY_INFORMATION, see NtQuerySystemInformation.
type timeOfDay struct {
	BootTime, CurrentTime, TimeZoneBias int64
	TimeZoneID, Reserved                uint32
	BootTimeBias, SleepTimeBias         uint64
}

const systemTimeOfDay = 3

// bootID is when the system was booted, by the clock of then.
func bootID() (string, error) {
	var t timeOfDay
	err := windows.NtQuerySystemInformation(systemTimeOfDay, unsafe.Pointer(&t), uint32(unsafe.Sizeof(t)), nil)
	return strconv.FormatInt(t.BootTime-int64(t.BootTimeBias), 10), err
}
