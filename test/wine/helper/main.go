// Helper is what jobs run in the tests on Windows, where there is no shell.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"time"
)

func main() {
	if err := do(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
}

func do(verb string, args []string) error {
	switch verb {
	case "say": // lines with CR LF; the last is left open
		for _, s := range args[:len(args)-1] {
			fmt.Print(s, "\r\n")
		}
		fmt.Print(args[len(args)-1])
	case "variable":
		fmt.Print(os.Getenv(args[0]))
	case "directory":
		dir, err := os.Getwd()
		if err != nil {
			return err
		}
		fmt.Print(dir)
	case "exit":
		n, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		os.Exit(n)
	case "until": // a file is there
		for {
			if _, err := os.Stat(args[0]); err == nil {
				return nil
			}
			time.Sleep(10 * time.Millisecond)
		}
	case "stubborn": // ends by no signal, nor does its child, which writes the time to a file
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
		if err := exec.Command(os.Args[0], "tick", args[0]).Start(); err != nil {
			return err
		}
		time.Sleep(time.Hour)
	case "tick":
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
		for {
			if err := os.WriteFile(args[0], []byte(time.Now().String()), 0o600); err != nil {
				return err
			}
			time.Sleep(20 * time.Millisecond)
		}
	case "nest": // submits a job that outlives this one
		return exec.Command(args[0], args[1:]...).Run()
	}
	return nil
}
