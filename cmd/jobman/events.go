package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"jobman/events"
	"jobman/job"
)

// told is an event with the run that it is of; 0: of the job.
type told struct {
	events.Event
	run int
}

// showEvents prints what jobman did to a job and its loaded runs, by time.
func (a *app) showEvents(j *job.Job) error {
	logs := [][]told{}
	take := func(log events.Log, run int) error {
		all, err := log.Read()
		logs = append(logs, withRun(all, run))
		return err
	}
	if err := take(a.tree.JobLog(j.ID), 0); err != nil {
		return err
	}
	for i := range j.Runs {
		n := j.Runs[i].N
		if err := take(a.tree.Run(job.Ref{ID: j.ID, Run: n}).Log(), n); err != nil {
			return err
		}
	}
	level := a.eventLevel()
	all := slices.DeleteFunc(byTime(logs), func(t told) bool { return t.Level < level })
	for _, t := range all {
		if !a.JSON {
			fmt.Fprintln(a.stdout, printable(describeEvent(t)))
		} else if err := a.printJSON(viewEvent(j.ID, t)); err != nil {
			return err
		}
	}
	if len(all) == 0 && !a.JSON {
		a.note("nothing is known of %s at the level %s and above", j.ID.Short(), level)
	}
	return nil
}

// withRun says of which run events are. What is no event stands where it was found.
func withRun(all []events.Event, run int) []told {
	out := make([]told, len(all))
	var last time.Time
	for i, e := range all {
		if e.Text != "" {
			e.Time, e.Level = last, events.Error
		}
		last = e.Time
		out[i] = told{e, run}
		for _, f := range e.Fields {
			if n, err := strconv.Atoi(f.Value); err == nil && run == 0 && f.Key == "run" {
				out[i].run = n
			}
		}
	}
	return out
}

// byTime merges logs. Events of one instant stay in the order of their files, the
// job's before the runs'.
func byTime(logs [][]told) []told {
	all := slices.Concat(logs...)
	slices.SortStableFunc(all, func(x, y told) int { return cmp.Compare(x.Time.UnixMicro(), y.Time.UnixMicro()) })
	return all
}

// describeEvent is an event in one line for people.
func describeEvent(t told) string {
	if t.Text != "" {
		return t.Text
	}
	run := ""
	if t.run > 0 {
		run = "run " + strconv.Itoa(t.run)
	}
	line := fmt.Sprintf("%s  %-5s  %-18s %-7s  %s", moment(t.Time), t.Level, fmt.Sprintf("%s[%d]", t.By, t.PID), run, t.What)
	for _, f := range t.Fields {
		if f.Key == "run" && f.Value == strconv.Itoa(t.run) {
			continue
		}
		value := f.Value
		if at, err := time.Parse(time.RFC3339Nano, value); err == nil {
			value = moment(at)
		}
		if strings.ContainsAny(value, " \"") || value == "" {
			value = strconv.Quote(value)
		}
		line += "  " + f.Key + "=" + value
	}
	return line
}

// eventView is an event as JSON.
type eventView struct {
	Job     job.ID            `json:"job"`
	Run     *int              `json:"run"`
	Time    *stamp            `json:"time"`
	Level   events.Level      `json:"level"`
	Process *string           `json:"process"`
	PID     *int              `json:"pid"`
	Event   *string           `json:"event"`
	Fields  map[string]string `json:"fields"`
	Text    *string           `json:"text"`
}

func viewEvent(id job.ID, t told) eventView {
	v := eventView{
		Job: id, Run: known(t.run), Time: at(t.Time), Level: t.Level, Process: known(t.By), PID: known(t.PID),
		Event: known(t.What), Fields: map[string]string{}, Text: known(t.Text),
	}
	for _, f := range t.Fields {
		v.Fields[f.Key] = f.Value
	}
	return v
}
