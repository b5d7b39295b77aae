package sensors

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"jobman/job"
)

// net asks jobman-net. What it prints is free of secrets.
func (c Checker) net(ctx context.Context, kind job.Kind, target string) (job.Check, error) {
	if c.Net == "" {
		return job.Check{}, errors.New("this jobman was built without jobman-net; build it with make")
	}
	var stdout bytes.Buffer
	// In /, lest the job's directory has to exist; the path is the same on Windows.
	_, stderr, err := c.run(ctx, &stdout, "/", c.Net, "check", string(kind), target)
	if err != nil {
		if stderr != "" {
			err = fmt.Errorf("%w: %s", err, stderr)
		}
		return job.Check{}, fmt.Errorf("jobman-net: %w", err)
	}
	var check job.Check
	if err := json.Unmarshal(stdout.Bytes(), &check); err != nil {
		return job.Check{}, fmt.Errorf("jobman-net said no check: %w", err)
	}
	return check, nil
}
