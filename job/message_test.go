package job

import "testing"

func TestAFailureTellsHowManySuccessesWereWanted(t *testing.T) {
	for _, c := range []struct {
		wanted, successes, runs int
		last                    Result
		want                    string
	}{
		{2, 1, 2, Success, "1 of 2 successes in 2 runs; the last one exited with code 0"},
		{1, 0, 3, Failure, "0 of 1 successes in 3 runs; the last one exited with code 3"},
		{1, 0, 1, Failure, "exited with code 3"},
		{-1, 0, 3, Failure, "exited with code 3"},
	} {
		message := "exited with code 3"
		if c.last == Success {
			message = "exited with code 0"
		}
		j := Job{RunCount: c.runs, SuccessCount: c.successes}
		j.Spec.Retries.NumSuccesses = c.wanted
		r := &Run{Result: c.last, Message: message}
		j.endAs(r, ReasonExit, message, j.SubmittedAt)
		if j.Message != c.want {
			t.Errorf("got %q, want %q", j.Message, c.want)
		}
	}
}
