package sensors

import (
	"context"
	"errors"
	"io/fs"

	"golang.org/x/sys/windows"
)

// prove opens the files for itself alone, which fails while anybody has them open.
func prove(ctx context.Context, paths []string) (proof, error) {
	p := proof{by: []string{"exclusive open"}}
	for _, path := range paths {
		if ctx.Err() != nil {
			return p, context.Cause(ctx)
		}
		name, err := windows.UTF16PtrFromString(path)
		if err != nil {
			return p, err
		}
		// Backup semantics open directories too.
		h, err := windows.CreateFile(name, windows.GENERIC_READ, 0, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
		switch {
		case err == nil:
			if err := windows.CloseHandle(h); err != nil {
				return p, err
			}
		case gone(err):
			continue
		case errors.Is(err, windows.ERROR_SHARING_VIOLATION):
			p.open = append(p.open, path)
		default:
			return p, &fs.PathError{Op: "open", Path: path, Err: err}
		}
		p.there = append(p.there, path)
	}
	return p, nil
}
