// Package callbacks tells people and programs of what happened to jobs. It makes the
// notice of an event, runs scripts, and has jobman-net do all that needs a network or a
// template (callbacks/remote): what that is linked with would cost each process of a job
// its start.
package callbacks
