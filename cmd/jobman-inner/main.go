// As in jobman: nothing here lives long or is parallel.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Jobman-inner is jobman without its command line: the internal verbs alone,
// which units execute. It is a program of its own because of what the others cost
// at the start of each process. It is never installed: jobman carries it, and puts
// it into the store.
package main

import (
	"fmt"
	"os"

	"jobman/house"
)

func main() {
	house.Restrict()
	if !house.IsInternal(os.Args[1:]) {
		fmt.Fprintln(os.Stderr, "jobman-inner: this is a part of jobman, to be called by it alone")
		os.Exit(1)
	}
	os.Exit(house.RunInternal(os.Args[1:]))
}
