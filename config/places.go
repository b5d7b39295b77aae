package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Places are where files are looked for: a file that was named, then .jobman.EXT in
// the working directory and in the home directory, then jobman.EXT in /etc/jobman;
// the first is the strongest. There may be one file in each place.
type Places struct {
	File string // given by name; "": none
	Here string // the working directory; "": unknown
	Home string
	Etc  string
	// Trusted tells whether the user trusts a file that was found Here, by the
	// SHA-256 of its content.
	Trusted func(sum string) bool
}

// formats are the endings of the files that are read. Others are ignored.
var formats = map[string]string{
	"toml": "toml", "yaml": "yaml", "yml": "yaml", "json": "json", "ini": "ini", "hcl": "hcl", "properties": "properties", "env": "env",
}

// extensions are the keys of formats, in the order in which they are told.
var extensions = []string{"toml", "yaml", "yml", "json", "ini", "hcl", "properties", "env"}

// place is where one file may be.
type place struct {
	name  string // without an ending, or of the file
	here  bool   // in the working directory
	exact bool
}

func (p Places) all() []place {
	var all []place
	if p.File != "" {
		all = append(all, place{name: p.File, exact: true})
	}
	if p.Here != "" && !sameDir(p.Here, p.Home) {
		all = append(all, place{name: filepath.Join(p.Here, ".jobman"), here: true})
	}
	return append(all, place{name: filepath.Join(p.Home, ".jobman")}, place{name: filepath.Join(p.Etc, "jobman")})
}

func sameDir(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// find returns the file of a place; nil where there is none.
func (p place) find() (*file, *Problem) {
	if p.exact {
		if formats[ending(p.name)] == "" {
			return nil, &Problem{File: p.name, Text: fmt.Sprintf("its ending says no format; there are %v", extensions)}
		}
		if info, err := os.Stat(p.name); err != nil {
			return nil, &Problem{File: p.name, Text: cause(err).Error()}
		} else if info.IsDir() {
			return nil, &Problem{File: p.name, Text: "it is a directory"}
		}
		return &file{name: p.name}, nil
	}
	found := ""
	for _, ext := range extensions {
		name := p.name + "." + ext
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		if err != nil {
			if errors.Is(err, fs.ErrPermission) {
				return nil, nil // nothing below a directory that is closed to us is meant for us
			}
			return nil, &Problem{File: name, Text: cause(err).Error()}
		}
		if found != "" {
			return nil, &Problem{File: found, Text: "there are two configurations in one place: the other is " + name}
		}
		found = name
	}
	if found == "" {
		return nil, nil
	}
	return &file{name: found, here: p.here}, nil
}

func ending(name string) string {
	ext := filepath.Ext(name)
	if ext == "" {
		return ""
	}
	return ext[1:]
}

func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Paths are all files that are looked for, strongest first, each with whether it is
// there.
func (p Places) Paths() (paths []Path) {
	for _, place := range p.all() {
		pattern := place.name
		if !place.exact {
			pattern += ".*"
		}
		path := Path{Pattern: pattern}
		if f, problem := place.find(); problem != nil {
			path.Problem = problem.Error()
		} else if f != nil {
			path.File, path.Untrusted = f.name, f.here
			if sum, err := Sum(f.name); err == nil && f.here {
				path.Untrusted = p.Trusted == nil || !p.Trusted(sum)
			}
		}
		paths = append(paths, path)
	}
	return paths
}

// Path is a place where a file is looked for.
type Path struct {
	Pattern   string // with .* where the ending says the format
	File      string // that is there; "": none
	Untrusted bool   // it may set options of run only
	Problem   string // why none of them is read
}
