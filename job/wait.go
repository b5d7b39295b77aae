package job

import "time"

// Kind is a kind of condition that a job can wait for.
type Kind string

// The kinds. All but the first two are checked by package sensors.
const (
	KindDatetime    Kind = "datetime"     // a moment has come
	KindTimedelta   Kind = "timedelta"    // time has passed since the submission
	KindFile        Kind = "file"         // a file is there; a glob
	KindNonopenFile Kind = "nonopen-file" // and no process has it open; a glob
	KindScript      Kind = "script"       // an executable ends with 0
	KindHTTP        Kind = "http"         // a URL answers GET with 2xx
	KindS3          Kind = "s3"           // a bucket, key or prefix is there
	KindJob         Kind = "job"          // a job has completed: "ID:success", "ID:failure" or "ID:any"
)

// Polled tells whether nothing says when a condition comes to hold, so that it
// is checked again and again; such a check may take its time.
func (k Kind) Polled() bool {
	return k == KindNonopenFile || k == KindScript || k == KindHTTP || k == KindS3
}

// Check is what a look at a condition found.
type Check struct {
	At         time.Time `json:"at"` // when it ended; zero: the condition was not checked
	Met        bool      `json:"met"`
	Impossible bool      `json:"impossible,omitzero"` // it can never be met any more
	Detail     string    `json:"detail,omitzero"`     // for people: how it was proved, or what is missing
	Error      string    `json:"error,omitzero"`      // why it could not be checked; then it is not met
}
