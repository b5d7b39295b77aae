package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"jobman/job"
	"jobman/store"
)

// cleanBatch is how many jobs are deleted in one transaction: submissions wait for
// it.
const cleanBatch = 100

// cleaner deletes jobs, or their output, and tells of it.
type cleaner struct {
	app   *app
	logs  bool
	count int
	cleaned
}

// cleaned is what it came to, as JSON.
type cleaned struct {
	Jobs   []cleanedView `json:"jobs"`
	Kept   []keptView    `json:"kept"`
	Bytes  int64         `json:"bytes"`
	DryRun bool          `json:"dry_run"`
}

type cleanedView struct {
	jobView
	Bytes int64 `json:"bytes"` // freed
}

type keptView struct {
	ID        job.ID `json:"id"`
	AwaitedBy job.ID `json:"awaited_by"`
}

// keepAwaited takes those out that an incomplete job waits for.
func (c *cleaner) keepAwaited(jobs []*job.Job) (left []*job.Job, err error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	active, err := c.app.store.Query(c.app.ctx, store.Filter{Active: true, Brief: true})
	if err != nil {
		return nil, err
	}
	awaited := map[job.ID]job.ID{}
	for _, j := range active {
		for _, id := range j.Awaiting() {
			awaited[id] = j.ID
		}
	}
	for _, j := range jobs {
		by, ok := awaited[j.ID]
		if !ok {
			left = append(left, j)
			continue
		}
		c.Kept = append(c.Kept, keptView{j.ID, by})
		c.app.note("%s (%s) is kept: %s waits for it", j.ID, shorten(j.Spec.Name, maxName), by.Short())
	}
	return left, nil
}

// clean deletes jobs, batch by batch.
func (c *cleaner) clean(jobs []*job.Job) error {
	progress := func(int, int) {}
	if !isTerminal(os.Stdout) { // else the lines show it
		progress = c.app.progress("jobs cleaned")
	}
	if len(jobs) == 0 && !c.DryRun {
		// What was interrupted is finished all the same.
		_, err := c.app.store.Delete(c.app.ctx, nil)
		return err
	}
	for done := 0; done < len(jobs); {
		batch := jobs[done:min(done+cleanBatch, len(jobs))]
		if err := c.batch(batch); err != nil {
			return err
		}
		done += len(batch)
		progress(done, len(jobs))
	}
	return nil
}

func (c *cleaner) batch(jobs []*job.Job) error {
	size := c.app.tree.Size
	if c.logs {
		size = c.app.tree.OutputSize
	}
	sizes := make(map[job.ID]int64, len(jobs))
	var ids []job.ID
	for _, j := range jobs {
		bytes, err := size(j.ID)
		if err != nil {
			return &problem{kind: "store", text: "look at the files of " + j.ID.Short() + ": " + err.Error(), err: err}
		}
		if !c.logs || bytes > 0 { // else it printed nothing, or that is gone
			sizes[j.ID], ids = bytes, append(ids, j.ID)
		}
	}
	gone, err := c.delete(ids)
	if err != nil {
		return err
	}
	var left []*job.Job
	for _, j := range jobs {
		if slices.Contains(gone, j.ID) {
			c.add(j, sizes[j.ID])
		} else {
			left = append(left, j)
		}
	}
	if !c.logs {
		// Somebody has come to wait for them meanwhile, or has deleted them.
		_, err = c.keepAwaited(left)
	}
	return err
}

// delete deletes jobs, or their output, and returns of which.
func (c *cleaner) delete(ids []job.ID) ([]job.ID, error) {
	switch {
	case c.DryRun:
		return ids, nil
	case c.logs:
		_, err := c.app.store.Reap(c.app.ctx, ids, job.Retention{})
		return ids, err
	}
	return c.app.store.Delete(c.app.ctx, ids)
}

// add tells of a job that was deleted.
func (c *cleaner) add(j *job.Job, bytes int64) {
	c.count++
	c.Bytes += bytes
	switch {
	case c.app.JSON:
		c.Jobs = append(c.Jobs, cleanedView{c.app.view(j, false), bytes})
	case !c.app.Quiet:
		fmt.Fprintf(c.app.stdout, "%s  %s  %s\n", j.ID, bytesText(bytes), shorten(j.Spec.Name, maxName))
	}
}

// tell says what it came to.
func (c *cleaner) tell() error {
	if c.app.JSON {
		return c.app.printJSON(c.cleaned)
	}
	if c.app.Quiet {
		return nil
	}
	text := fmt.Sprintf("%d jobs deleted, %s freed", c.count, bytesText(c.Bytes))
	if c.count == 1 {
		text = strings.Replace(text, "jobs", "job", 1)
	}
	if c.logs {
		text = "output of " + text
	}
	if c.DryRun {
		text = "dry run: " + text
	}
	fmt.Fprintln(c.app.stdout, text)
	return nil
}
