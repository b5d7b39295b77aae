package main

import (
	"fmt"
	"time"

	"jobman/job"
)

// deliveryView is an event that a callback was told of, or is to be.
type deliveryView struct {
	EventID  string            `json:"event_id"`
	Event    job.EventKind     `json:"event"`
	Run      int               `json:"run"`
	Callback string            `json:"callback"`
	State    job.DeliveryState `json:"state"`
	Tries    int               `json:"tries"`
	At       *stamp            `json:"at"`
	TriedAt  *stamp            `json:"tried_at"`
	NextAt   *stamp            `json:"next_at"`
	Error    *string           `json:"error"`
}

// deliveries are those of a job.
func (a *app) deliveries(j *job.Job) ([]job.Delivery, error) {
	if j.Spec.Notify.IsZero() {
		return nil, nil
	}
	return a.store.Deliveries(a.ctx, j.ID)
}

func deliveryViews(all []job.Delivery) *[]deliveryView {
	views := make([]deliveryView, 0, len(all))
	for _, d := range all {
		views = append(views, deliveryView{
			d.Event.ID, d.Event.Kind, d.Event.Run, job.RedactCallback(d.Callback), d.State, d.Tries,
			at(d.Event.At), at(d.TriedAt), at(d.NextAt), known(d.Error),
		})
	}
	return &views
}

// printDeliveries says who is told of the job, and what has become of that.
func printDeliveries(f *fields, j *job.Job, all []job.Delivery, now time.Time) {
	for _, c := range j.Callbacks {
		on := ""
		for _, kind := range c.On {
			on += " " + string(kind)
		}
		f.add("tells", job.RedactCallback(c.Name)+" of"+on)
	}
	for _, d := range all {
		text := fmt.Sprintf("%s of %s", job.RedactCallback(d.Callback), d.Event.Kind)
		if d.Event.Run > 0 {
			text += fmt.Sprintf(" (run %d)", d.Event.Run)
		}
		text += ": " + d.Describe()
		if d.State == job.Delivered {
			text += " " + moment(d.TriedAt)
		}
		if d.Error != "" {
			text += "; " + d.Error
		}
		if d.State == job.DeliveryPending && d.Tries > 0 {
			text += fmt.Sprintf("; the next at %s, in %s", moment(d.NextAt), roughly(d.NextAt.Sub(now)))
		}
		f.add("told", text)
	}
}
