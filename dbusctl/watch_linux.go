package dbusctl

import (
	"context"
	"fmt"
	"time"

	"jobman/job"
	"jobman/units"
)

// systemd opens an inotify instance for each path of a path unit, and a user has 128
// of them by default (fs.inotify.max_user_instances), for all programs together. So
// path units watch but so many paths, in all and of one job; beyond that a watcher
// does, one process with one instance for all jobs of the store.
const (
	maxPaths      = 32
	maxPathsOfJob = 8
)

// Resident is a process of a store of which there is one at a time, and which looks
// into the index by itself.
type Resident interface {
	// Poke makes it look again, if it is there.
	Poke() error
	// There tells whether it is.
	There() (bool, error)
}

// room is what is known of the paths that path units watch.
type room struct {
	asked time.Time      // when they were counted
	units map[job.ID]int // how many by whose, with those that Room has given away since
}

// roomFor is how long a count is taken for true.
const roomFor = time.Second

// Room implements engine.Watching.
func (s *Systemd) Room(ctx context.Context, id job.ID, paths int) (bool, error) {
	if paths > maxPathsOfJob {
		return false, nil
	}
	c, err := s.connect(ctx)
	defer s.disconnect()
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.room.asked) > roomFor {
		found, err := c.list(ctx, []string{units.FilesPattern})
		if err != nil {
			return false, err
		}
		s.room = room{time.Now(), watchedPaths(found)}
	}
	total := paths
	for other, n := range s.room.units {
		if other != id {
			total += n
		}
	}
	if total > maxPaths {
		return false, nil
	}
	s.room.units[id] = paths
	return true, nil
}

// watchedPaths counts the paths of path units that are there, by the jobs that they
// are of.
func watchedPaths(found []listed) map[job.ID]int {
	count := map[job.ID]int{}
	for _, u := range found {
		if id, paths, ok := units.ParseFiles(u.Name); ok && (u.Active == "active" || u.JobType == "start") {
			count[id] += paths
		}
	}
	return count
}

// watching waits until a path unit whose start was queued is active. From then on it
// sees changes; what was there before, its caller looks for. It returns
// job.ErrUnwatched where the unit could not be started, since another program uses up
// what the user has of inotify(7), or where there are too many of them: all look only
// when they have made theirs, so the last one sees all that are left.
func (c *conn) watching(ctx context.Context, name string) error {
	for pause := time.Millisecond; ; pause *= 2 {
		found, err := c.list(ctx, []string{units.FilesPattern})
		if err != nil {
			return err
		}
		state := "missing"
		waiting := false
		for _, u := range found {
			if u.Name == name {
				state, waiting = u.Active, u.Active == "activating" || u.Active == "inactive" && u.JobType == "start"
			}
		}
		total := 0
		for _, n := range watchedPaths(found) {
			total += n
		}
		switch {
		case state == "active" && total <= maxPaths:
			return nil
		case state == "active":
			return fmt.Errorf("%w: path units watch %d paths", job.ErrUnwatched, total)
		case !waiting:
			return fmt.Errorf("%w: %s is %s", job.ErrUnwatched, name, state)
		case pause > deadline:
			return fmt.Errorf("%s stays %s", name, state)
		}
		time.Sleep(pause)
	}
}

// residentPause is how long startResident waits at most between two looks.
const residentPause = 100 * time.Millisecond

// startWatcher sees to it that there is a watcher that knows of a job which was
// committed before.
func (s *Systemd) startWatcher(ctx context.Context, c *conn, steps units.Steps) error {
	return s.startResident(ctx, c, "watcher", s.Watcher, steps.WatcherName(), steps.Watcher)
}

// startResident sees to it that there is a process which looks into the index after
// what was committed before. One that finds nothing left gives up its lock and looks
// once more. So it has seen what there is, or it is seen here that it is gone.
func (s *Systemd) startResident(ctx context.Context, c *conn, who string, it Resident, name string, build func() (units.Unit, []units.Unit)) error {
	end := time.Now().Add(deadline)
	for pause := time.Millisecond; ; pause = min(2*pause, residentPause) {
		if err := it.Poke(); err != nil {
			return fmt.Errorf("tell the %s: %w", who, err)
		}
		there, err := it.There()
		if err != nil {
			return fmt.Errorf("look for the %s: %w", who, err)
		}
		if there {
			return nil
		}
		// It reads the index when it has begun.
		err = c.startTransient(ctx, build).Store()
		if !is(err, "UnitExists") {
			if err != nil {
				err = fmt.Errorf("start the %s: %w", who, refused(err))
			}
			return err
		}
		// It is about to come, or to go.
		if time.Now().After(end) {
			return fmt.Errorf("the %s %s does not come", who, name)
		}
		time.Sleep(pause)
	}
}
