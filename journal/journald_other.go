//go:build !linux

package journal

import (
	"errors"
	"time"

	"jobman/job"
)

// Probe says that there is no journald here.
func Probe() job.Journald { return job.Journald{Why: "this is no Linux, so there is no journald"} }

// DialStream is not possible here.
func DialStream(string, string, Stream) (int, error) { return -1, errors.ErrUnsupported }

type native struct{}

func newNative() (*native, error) { return nil, errors.ErrUnsupported }

func (*native) send([]byte, func() time.Time) error { return errors.ErrUnsupported }

func (*native) close() {}

func broken(error) bool { return true }
