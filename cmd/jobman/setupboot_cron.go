//go:build unix && !darwin

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"jobman/job"
)

// An entry @reboot of the user's crontab, see crontab(5).

const bootMoment = "boot"

func (bootEntry) where() string { return "the entry @reboot of your crontab" }

// mark ends the line, by which it is known.
func (e bootEntry) mark() string { return " # jobman of " + e.store }

func (e bootEntry) line() string {
	command := quote(job.Texts([]string{e.exe, "reconcile", e.store}))
	return "@reboot " + strings.ReplaceAll(command+e.mark(), "%", `\%`)
}

// crontab are the lines of the user's.
func crontab() ([]string, error) {
	var out, errs bytes.Buffer
	cmd := exec.Command("crontab", "-l")
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := new(exec.ExitError); errors.As(err, &exit) && strings.Contains(errs.String(), "no crontab") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("crontab -l: %w: %s", err, strings.TrimSpace(errs.String()))
	}
	if out.Len() == 0 {
		return nil, nil
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n"), nil
}

func setCrontab(lines []string) error {
	cmd := exec.Command("crontab", "-")
	if len(lines) == 0 {
		cmd = exec.Command("crontab", "-r")
	}
	cmd.Stdin = strings.NewReader(strings.Join(append(lines, ""), "\n"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// installed tells whether the entry is there as it would be made now, or at all.
func (e bootEntry) installed() (current, there bool, err error) {
	lines, err := crontab()
	return slices.Contains(lines, e.line()), slices.ContainsFunc(lines, e.is), err
}

// is tells whether a line is our entry.
func (e bootEntry) is(line string) bool {
	return strings.HasSuffix(line, strings.ReplaceAll(e.mark(), "%", `\%`))
}

// others are the lines that are none of ours.
func (e bootEntry) others() ([]string, error) {
	lines, err := crontab()
	return slices.DeleteFunc(lines, e.is), err
}

func (e bootEntry) install() error {
	lines, err := e.others()
	if err != nil {
		return err
	}
	return setCrontab(append(lines, e.line()))
}

func (e bootEntry) remove() error {
	lines, err := e.others()
	if err != nil {
		return err
	}
	return setCrontab(lines)
}
