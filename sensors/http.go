package sensors

import (
	"context"

	"jobman/job"
)

func (c Checker) lookHTTP(ctx context.Context, target string) (job.Check, error) {
	return c.net(ctx, job.KindHTTP, target)
}
