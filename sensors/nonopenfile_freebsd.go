package sensors

import "context"

const opener = "fstat"

// opened: below a heading there is a line for each descriptor of a process, see fstat(1).
func opened(ctx context.Context, path string) (bool, error) {
	lines, err := ask(ctx, "/usr/bin/fstat", path)
	return len(lines) > 1, err
}
