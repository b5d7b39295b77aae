// As in jobman: nothing here lives long or is parallel.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Jobman-net checks the conditions of a job that need a network, and prints what it
// found as JSON. It is a program of its own because of what an HTTP client costs at
// the start of each process; jobman calls it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"jobman/job"
	"jobman/sensors/remote"
)

func main() {
	checks := map[job.Kind]func(context.Context, string) job.Check{job.KindHTTP: remote.HTTP, job.KindS3: remote.S3}
	if len(os.Args) != 4 || os.Args[1] != "check" || checks[job.Kind(os.Args[2])] == nil {
		fail("usage: jobman-net check http|s3 TARGET")
	}
	check := checks[job.Kind(os.Args[2])](context.Background(), os.Args[3])
	if err := json.NewEncoder(os.Stdout).Encode(check); err != nil {
		fail(err.Error())
	}
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, "jobman-net: "+why)
	os.Exit(2)
}
