package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"jobman/job"
	"jobman/store/tree"
)

// reaper reads the configuration's [reaper].
func (a *app) reaper() (r tree.Reaper, err error) {
	bad := func(key string, value any, why error) error {
		return &problem{kind: "config", text: fmt.Sprintf("reaper.%s is %v: %v", key, value, why), err: why}
	}
	if v, ok := a.settings.Lookup("reaper", "max_jobs"); ok && v != "" {
		if r.MaxJobs, err = strconv.Atoi(fmt.Sprint(v)); err != nil || r.MaxJobs < 1 {
			return r, bad("max_jobs", v, errors.New("give a number from 1"))
		}
	}
	if v, ok := a.settings.Lookup("reaper", "max_age"); ok && v != "" {
		r.MaxAge, err = job.ParseDuration(fmt.Sprint(v))
		if err == nil && r.MaxAge == 0 {
			err = errors.New("give a duration longer than nothing")
		}
		if err != nil {
			return r, bad("max_age", v, err)
		}
	}
	return r, nil
}

// tellReaper tells those who record ends what the configuration says of reaping: a
// job may end as soon as it is submitted. Where there is no store yet there is no
// place for it; told, which is called after the submission, does it then.
func (a *app) tellReaper() (told func(), err error) {
	r, err := a.reaper()
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(string(a.tree)); errors.Is(err, fs.ErrNotExist) {
		return func() { a.debug(a.tree.SetReaper(r)) }, nil
	}
	// It is about output, which is no reason to refuse a job.
	a.debug(a.tree.SetReaper(r))
	return func() {}, nil
}
