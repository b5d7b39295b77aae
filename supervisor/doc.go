// Package supervisor is the backend where there is no systemd: it forks. Each
// running run has a small detached process of its own, the shim, which starts
// `jobman exec`, takes in the output, waits for the whole process tree to end,
// and leaves the same records that systemd's stop-post leaves.
//
// That a run is under way is known from a lock that its shim holds and that the
// kernel releases, whatever ends the shim: runs/<n>/lock, of fcntl(2), since its
// F_GETLK tells the holder's pid. There is no pid file that could be stale.
//
// (On Windows, LockFileEx, the pid is in the file.)
//
// Requests reach a shim as a file, runs/<n>/stop or kill, and a SIGUSR1 that says
// to look at it; on Windows the shim watches the directory.
//
// On Linux the tree of a run is known whole, because the shim is the subreaper of
// all below it (tree_linux.go), and on Windows because it is in a job object; elsewhere
// it is the command's process group. What a command leaves behind ends with it, but for
// the shims of jobs that it submitted: those have runs of their own.
//
// A shim that is killed leaves its command running without supervision: a stray, whose
// end nobody will see. On Linux it is found by the names in its environment, and ended
// before the run is called lost (stray.go).
//
// Files without a system in their name are for all of them; what a system has of its own
// is in *_unix.go, *_linux.go, *_windows.go and so on, behind the same functions.
package supervisor
