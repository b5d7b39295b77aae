package supervisor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
	"unsafe"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/windows"

	"jobman/events"
	"jobman/job"
	"jobman/journal"
)

// tending is what it takes to see to the processes of a run: they are in a job object, and
// in a process group that Ctrl-Break is for.
type tending struct {
	requests *fsnotify.Watcher
	object   windows.Handle
	exec     *exec.Cmd
	told     bool // of the stop signal
	killed   bool
}

// breakCode is how a program ends that Ctrl-Break ended: STATUS_CONTROL_C_EXIT.
const breakCode = 0xC000013A

// killCode is that of what is killed.
const killCode = 137

// listen makes the shim deaf to Ctrl-Break, and has it notice requests.
func (s *shim) listen() (err error) {
	listen()
	if s.requests, err = fsnotify.NewWatcher(); err != nil {
		return err
	}
	return s.requests.Add(string(s.run))
}

// start starts `jobman exec`, which starts the command and waits for it, and the pump.
func (s *shim) start() (keep func() error, err error) {
	if s.spec, err = s.run.Spec(); err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if s.object, err = newJobObject(); err != nil {
		return nil, fmt.Errorf("make a job object: %w", err)
	}
	out, err := s.pipes()
	if err != nil {
		return nil, err
	}
	defer out.handedOver()
	cmd := exec.Command(exe, "exec", string(s.run))
	cmd.Env = []string{"INVOCATION_ID=" + s.exit.InvocationID}
	if out.ends[0] != nil {
		cmd.Stdout = out.ends[0]
	}
	if out.ends[1] != nil {
		cmd.Stderr = out.ends[1]
	}
	goOn, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("execute jobman: %w", err)
	}
	s.exec, s.main = cmd, cmd.Process.Pid
	if err := s.enclose(); err != nil {
		return nil, errors.Join(fmt.Errorf("put the command into a job object: %w", err), cmd.Process.Kill())
	}
	// It starts nothing before it is enclosed.
	if _, err := goOn.Write([]byte{'\n'}); err != nil {
		s.complain(err) // it has ended, and what it left says why
	}
	return out.pump(s.run.Logs(), journal.OptionsFor(&s.spec.Log)), nil
}

// newJobObject makes a job object, which jobman alone may leave.
func newJobObject() (windows.Handle, error) {
	object, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, err
	}
	var limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_BREAKAWAY_OK
	_, err = windows.SetInformationJobObject(object, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	return object, err
}

func (s *shim) enclose() error {
	p, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(s.main))
	if err != nil {
		return err
	}
	return errors.Join(windows.AssignProcessToJobObject(s.object, p), windows.CloseHandle(p))
}

// supervise waits for the end of the command and then of all that it started. As under
// systemd (KillMode=control-group), what the command leaves behind is stopped.
func (s *shim) supervise() {
	ended := make(chan struct{})
	go func() {
		_ = s.exec.Wait() // its state tells
		close(ended)
	}()
	over := ended
	heart := time.NewTicker(beatEvery)
	defer heart.Stop()
	var late <-chan time.Time
	if s.limit > 0 {
		late = time.After(s.limit)
	}
	for pause := firstPause; ; {
		select {
		case e := <-s.requests.Events:
			if e.Name == s.run.File(killName) || e.Name == s.run.File(stopName) {
				s.takeUp()
				pause = firstPause
			}
		case <-over:
			over, s.ended = nil, true
			s.exit.At, s.exit.StopQueued = time.Now().UTC(), s.stopping
			s.describe(uint32(s.exec.ProcessState.ExitCode()))
		case <-s.alarm(pause):
			pause = min(2*pause, lastPause)
		case <-heart.C:
			s.beat()
		case <-late:
			s.timeOut()
		}
		left, err := s.usage()
		switch {
		case err != nil:
			s.complain(fmt.Errorf("look for processes: %w", err))
		case s.ended && left == 0:
			return
		case s.ended && s.killAt.IsZero():
			s.stopAsSpecified()
		}
		if s.killing() {
			s.kill()
		}
	}
}

// stop has the command end by Ctrl-Break, and what is left after the grace killed, or at
// once where nobody could be told.
func (s *shim) stop(how job.StopRequest) {
	s.killBy(how)
	if s.told || s.killing() {
		return // the loop kills
	}
	s.told = true
	if err := windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(s.main)); err != nil {
		if s.killAt = time.Now(); !s.ended {
			s.complain(fmt.Errorf("send Ctrl-Break: %w", err))
		}
		return
	}
	s.run.Log().Add(events.New(events.Info, "signalled", "signal", "BREAK", "kill-at", s.killAt))
}

func (s *shim) kill() {
	if !s.killed {
		s.killed = true
		s.run.Log().Add(events.New(events.Info, "killed"))
	}
	if err := windows.TerminateJobObject(s.object, killCode); err != nil {
		s.complain(fmt.Errorf("terminate the job object: %w", err))
	}
}

// describe says how the command ended.
func (s *shim) describe(code uint32) {
	switch {
	case s.killed && code == killCode:
		s.exit.Signal = "KILL"
	case s.told && code == breakCode:
		s.exit.Signal = s.spec.StopSignal
	default:
		n := int(code)
		s.exit.Code = &n
	}
}

// accounting is JOBOBJECT_BASIC_ACCOUNTING_INFORMATION.
type accounting struct {
	TotalUserTime, TotalKernelTime, PeriodUserTime, PeriodKernelTime int64 // in 100 ns
	PageFaults, Processes, Active, Terminated                        uint32
}

// usage notes what the run has used so far, and returns how many processes it has.
func (s *shim) usage() (processes int, err error) {
	var a accounting
	if err := windows.QueryInformationJobObject(s.object, windows.JobObjectBasicAccountingInformation, uintptr(unsafe.Pointer(&a)), uint32(unsafe.Sizeof(a)), nil); err != nil {
		return 0, err
	}
	seconds := float64(a.TotalUserTime+a.TotalKernelTime) / 1e7
	s.exit.CPUSeconds = &seconds
	var limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	if err := windows.QueryInformationJobObject(s.object, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)), nil); err == nil && limits.PeakJobMemoryUsed > 0 {
		peak := int64(limits.PeakJobMemoryUsed)
		s.exit.MemoryPeak = &peak
	}
	return int(a.Active), nil
}
