package sensors

import (
	"context"

	"jobman/job"
)

func (c Checker) lookS3(ctx context.Context, target string) (job.Check, error) {
	return c.net(ctx, job.KindS3, target)
}
