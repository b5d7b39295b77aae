package sensors

import "context"

const opener = "lsof"

// opened: -t prints the pids of those that have it open and nothing else, see lsof(8).
func opened(ctx context.Context, path string) (bool, error) {
	lines, err := ask(ctx, "/usr/sbin/lsof", "-t", "--", path)
	return len(lines) > 0 && lines[0] != "", err
}
