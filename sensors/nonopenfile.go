package sensors

import (
	"context"
	"fmt"
	"strings"

	"jobman/job"
)

// proof is what was found out about files that match.
type proof struct {
	there []string // what was still there when it was looked at
	open  []string // those of them that are open
	by    []string // how it was proved; to be told
}

func lookNonopenFile(ctx context.Context, target string) (job.Check, error) {
	found, err := expand(ctx, target)
	if err != nil || len(found) == 0 {
		return job.Check{Detail: files(nil)}, err
	}
	p, err := prove(ctx, found)
	switch {
	case err != nil:
		return job.Check{}, err
	case len(p.there) == 0:
		return job.Check{Detail: files(nil)}, nil
	case len(p.open) > 0:
		return job.Check{Detail: fmt.Sprintf("%s open, by %s", files(p.open), strings.Join(p.by, " and "))}, nil
	}
	return job.Check{Met: true, Detail: fmt.Sprintf("%s not open, by %s", files(p.there), strings.Join(p.by, " and "))}, nil
}
