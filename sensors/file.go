package sensors

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"jobman/job"
)

func lookFile(ctx context.Context, target string) (job.Check, error) {
	found, err := expand(ctx, target)
	if err != nil {
		return job.Check{}, err
	}
	return job.Check{Met: len(found) > 0, Detail: files(found)}, nil
}

// files says what was found.
func files(found []string) string {
	switch len(found) {
	case 0:
		return "no such file"
	case 1:
		return oneLine(found[0])
	}
	return fmt.Sprintf("%d files", len(found))
}

// expand returns what matches the glob. It is not filepath.Glob, which hides
// errors, and it agrees with glob(3), by which systemd watches: a wildcard does
// not match the dot at the beginning of a name.
func expand(ctx context.Context, glob string) ([]string, error) {
	_, err := os.Stat(glob)
	if err == nil {
		return []string{glob}, nil
	}
	if !hasMeta(glob) {
		if gone(err) {
			err = nil
		}
		return nil, err
	}
	if _, err := filepath.Match(glob, ""); err != nil {
		return nil, fmt.Errorf("%q: %w", glob, err)
	}
	root, rest := components(glob)
	found := []string{root}
	var failed error // what could be seen counts, though it be not all
	for i, pattern := range rest {
		var next []string
		for _, path := range found {
			if err := ctx.Err(); err != nil {
				return nil, context.Cause(ctx)
			}
			matches, err := step(path, pattern, i == len(rest)-1)
			if err != nil && !gone(err) && failed == nil {
				failed = err
			}
			next = append(next, matches...)
		}
		found = next
	}
	if len(found) > 0 {
		failed = nil
	}
	return found, failed
}

// step returns what in dir matches one component of a pattern.
func step(dir, pattern string, last bool) ([]string, error) {
	if !hasMeta(pattern) {
		path := filepath.Join(dir, pattern)
		if !last {
			return []string{path}, nil // the component after tells whether it is there
		}
		if _, err := os.Stat(path); err != nil {
			return nil, err
		}
		return []string{path}, nil
	}
	names, err := list(dir)
	var found []string
	for _, name := range names {
		if matches(pattern, name) {
			found = append(found, filepath.Join(dir, name))
		}
	}
	return found, err
}

func matches(pattern, name string) bool {
	ok, err := filepath.Match(pattern, name)
	return ok && err == nil && (name[0] != '.' || strings.TrimPrefix(pattern, `\`)[0] == '.')
}

func list(dir string) ([]string, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, err // a FIFO must not be opened
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

// hasMeta reports the characters that filepath.Match does not take for
// themselves.
func hasMeta(path string) bool {
	if runtime.GOOS == "windows" {
		return strings.ContainsAny(path, `*?[`)
	}
	return strings.ContainsAny(path, `*?[\`)
}

// components splits an absolute path.
func components(path string) (root string, rest []string) {
	path = filepath.Clean(path)
	root = filepath.VolumeName(path) + string(filepath.Separator)
	if rel := strings.TrimPrefix(path, root); rel != "" {
		rest = strings.Split(rel, string(filepath.Separator))
	}
	return root, rest
}

// maxPaths bounds what Watch returns, because each path costs a watch.
const maxPaths = 200

// Watch returns what to watch in order to notice that something comes to match an
// absolute glob. What a wildcard in a directory stands for may change whenever a
// path with PathChanged does: then the glob is to be checked, and Watch called,
// again. Of more than 200 paths only those are returned.
func Watch(glob string) []job.Watch {
	var w watched
	glob = filepath.Clean(glob)
	_, err := filepath.Match(glob, "")
	if self, _ := filepath.Match(glob, glob); !hasMeta(glob) || err != nil || !self {
		w.add(job.PathExists, glob)
	}
	if !hasMeta(glob) || err != nil {
		return w.all
	}
	root, rest := components(glob)
	w.queue = []branch{{root, rest}}
	// Breadth first: near the root the most can happen, if the bound is met.
	for len(w.queue) > 0 && w.parents < maxPaths {
		b := w.queue[0]
		w.queue = w.queue[1:]
		w.branch(b)
	}
	if len(w.all) > maxPaths {
		w.all = slices.DeleteFunc(w.all, func(w job.Watch) bool { return w.Kind != job.PathChanged })
	}
	return w.all[:min(len(w.all), maxPaths)]
}

type branch struct {
	dir  string   // literal
	rest []string // begins with a wildcard, or with what it was followed by
}

type watched struct {
	all     []job.Watch
	parents int
	queue   []branch
}

func (w *watched) add(kind, path string) {
	one := job.Watch{Kind: kind, Path: job.Text(path)}
	switch {
	case slices.Contains(w.all, one):
	case kind == job.PathChanged:
		w.parents++
		w.all = append(w.all, one)
	case len(w.all)-w.parents <= maxPaths: // one more tells that there are too many
		w.all = append(w.all, one)
	}
}

func (w *watched) branch(b branch) {
	for len(b.rest) > 0 && !hasMeta(b.rest[0]) {
		b = branch{filepath.Join(b.dir, b.rest[0]), b.rest[1:]}
	}
	switch len(b.rest) {
	case 0:
		w.add(job.PathExists, b.dir)
	case 1:
		dir := escape(b.dir)
		if dir != b.dir {
			// systemd watches only what is before the first special character, be it
			// escaped or not.
			w.add(job.PathChanged, b.dir)
		}
		w.add(job.PathExistsGlob, filepath.Join(dir, forSystemd(b.rest[0])))
	default:
		w.add(job.PathChanged, b.dir)
		// An error leaves the parent, and the check will tell it.
		names, _ := list(b.dir)
		for _, name := range names {
			path := filepath.Join(b.dir, name)
			if !matches(b.rest[0], name) {
				continue
			}
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				w.queue = append(w.queue, branch{path, b.rest[1:]})
			}
		}
	}
}

// escape makes a pattern that matches the path alone, for glob(3) with GLOB_BRACE
// too, as systemd calls it. On Windows there is no escape, and no systemd.
func escape(path string) string {
	if runtime.GOOS == "windows" {
		return path
	}
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`, `{`, `\{`).Replace(path)
}

// forSystemd makes glob(3) read a pattern as filepath.Match does: {a,b} is no
// choice, [!a] no negation, and [[:digit:]] no class.
func forSystemd(pattern string) string {
	if runtime.GOOS == "windows" {
		return pattern
	}
	var b strings.Builder
	brackets := false // within them
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			b.WriteByte(c)
			i++
		case c == '{', brackets && (c == '[' || c == '!' && pattern[i-1] == '['):
			b.WriteByte('\\')
		case c == '[':
			brackets = true
		case c == ']':
			brackets = false
		}
		b.WriteByte(pattern[i])
	}
	return b.String()
}
