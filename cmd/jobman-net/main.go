// As in jobman: nothing here lives long or is parallel.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Jobman-net checks the conditions of a job that need a network, and tells callbacks; it
// prints what came of it as JSON. It is a program of its own because of what an HTTP
// client costs at the start of each process; jobman calls it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"jobman/callbacks"
	tell "jobman/callbacks/remote"
	"jobman/job"
	"jobman/sensors/remote"
)

func main() {
	answer, err := do(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "jobman-net: "+err.Error())
		os.Exit(2)
	}
}

func do(args []string) (any, error) {
	checks := map[job.Kind]func(context.Context, string) job.Check{job.KindHTTP: remote.HTTP, job.KindS3: remote.S3}
	switch {
	case len(args) == 3 && args[0] == "check" && checks[job.Kind(args[1])] != nil:
		return checks[job.Kind(args[1])](context.Background(), args[2]), nil
	case len(args) == 1 && args[0] == "send":
		var r callbacks.Request
		if err := json.NewDecoder(os.Stdin).Decode(&r); err != nil {
			return nil, fmt.Errorf("read the request: %w", err)
		}
		return tell.Send(context.Background(), &r), nil
	case len(args) == 1 && args[0] == "templates":
		var c job.Callback
		if err := json.NewDecoder(os.Stdin).Decode(&c); err != nil {
			return nil, fmt.Errorf("read the callback: %w", err)
		}
		if err := tell.CheckTemplates(&c); err != nil {
			return callbacks.Answer{Error: &job.SendError{Text: err.Error()}}, nil
		}
		return callbacks.Answer{}, nil
	}
	return nil, errors.New("usage: jobman-net check http|s3 TARGET, or send or templates with JSON on stdin")
}
