package supervisor

// detached tells a deliverer that it was started by this package, not by systemd.
const detached = "detached"

// Detached tells that from the arguments of the internal verb `deliver`.
func Detached(args []string) bool { return len(args) > 1 && args[1] == detached }
