// Package supervisor is the backend where there is no systemd: it forks. Each
// running run has a small detached process of its own, the shim, which starts
// `jobman exec`, takes in the output, waits for the whole process tree to end,
// and leaves the same records that systemd's stop-post leaves.
//
// That a run is under way is known from a lock that its shim holds and that the
// kernel releases, whatever ends the shim: runs/<n>/lock, of fcntl(2), since its
// F_GETLK tells the holder's pid. There is no pid file that could be stale.
//
// Requests reach a shim as a file, runs/<n>/stop, and a SIGUSR1 that says to look
// at it. A shim that is killed leaves its command running without supervision;
// how that ends nobody can say then, so its run is lost.
package supervisor
