package engine

// Outputs are the FIFOs that a run's output goes to. Where they are empty the
// run keeps the stdout and stderr that exec was started with.
type Outputs struct {
	Stdout, Stderr string

	// Identifier is set where the streams go to journald instead: what Connect
	// opens for each, by its descriptor's number, has this name and the stream's.
	Identifier string
	Connect    func(stream int) (fd int, err error)
}
