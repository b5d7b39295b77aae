package bolt

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"jobman/job"
)

// The outbox is made by the first delivery: most stores never have one.
var (
	bucketOutbox = []byte("outbox")
	bucketTry    = []byte("by_try")
)

// keepRuns is of how many of a job's last runs deliveries are kept: a receiver that is gone
// must not make what a transaction has to do grow with each run.
const keepRuns = 100

func deliveryKey(d *job.Delivery) []byte {
	return append(runKey(d.Event.Job, d.Event.Run), d.Event.ID...)
}

// tryKey is the key in by_try; nil where there is nothing left to try.
func tryKey(d *job.Delivery) []byte {
	if d.State != job.DeliveryPending {
		return nil
	}
	return append(timeKey(d.NextAt.UnixMicro()), deliveryKey(d)...)
}

// tell adds to the outbox what callbacks are to be told of a change.
func (t tx) tell(before, after *job.Job) error {
	for _, d := range job.Told(before, after) {
		if b := t.Bucket(bucketOutbox); b != nil && b.Get(deliveryKey(&d)) != nil {
			continue
		}
		if err := t.putDelivery(&d, nil); err != nil {
			return err
		}
		if err := t.forgetBefore(d.Event.Job, d.Event.Run-keepRuns); err != nil {
			return err
		}
	}
	return nil
}

// forgetBefore forgets the deliveries of a job up to a run.
func (t tx) forgetBefore(id job.ID, run int) error {
	c := t.Bucket(bucketOutbox).Cursor()
	for {
		k, v := c.Seek(runsOf(id))
		if !bytes.HasPrefix(k, runsOf(id)) {
			return nil
		}
		d, err := t.delivery(v)
		if err != nil || d.Event.Run > run {
			return err
		}
		if err := t.dropDelivery(d); err != nil {
			return err
		}
	}
}

// putDelivery stores a delivery; was is what it was until now, if it was there.
func (t tx) putDelivery(d, was *job.Delivery) error {
	outbox, err := t.CreateBucketIfNotExists(bucketOutbox)
	if err != nil {
		return err
	}
	try, err := t.CreateBucketIfNotExists(bucketTry)
	if err != nil {
		return err
	}
	if was != nil {
		if key := tryKey(was); key != nil {
			if err := try.Delete(key); err != nil {
				return err
			}
		}
	}
	if key := tryKey(d); key != nil {
		if err := try.Put(key, nil); err != nil {
			return err
		}
	}
	b, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode a delivery of %s: %w", d.Event.Job, err)
	}
	return outbox.Put(deliveryKey(d), b)
}

func (t tx) delivery(value []byte) (*job.Delivery, error) {
	d := new(job.Delivery)
	if err := json.Unmarshal(value, d); err != nil {
		return nil, t.store.damaged("a delivery can't be read: %v", err)
	}
	return d, nil
}

// deliveries returns those of a job, oldest first.
func (t tx) deliveries(id job.ID) (all []job.Delivery, err error) {
	b := t.Bucket(bucketOutbox)
	if b == nil {
		return nil, nil
	}
	c := b.Cursor()
	for k, v := c.Seek(runsOf(id)); bytes.HasPrefix(k, runsOf(id)); k, v = c.Next() {
		d, err := t.delivery(v)
		if err != nil {
			return nil, err
		}
		all = append(all, *d)
	}
	return all, nil
}

// dropDelivery forgets one.
func (t tx) dropDelivery(d *job.Delivery) error {
	if key := tryKey(d); key != nil {
		if err := t.Bucket(bucketTry).Delete(key); err != nil {
			return err
		}
	}
	return t.Bucket(bucketOutbox).Delete(deliveryKey(d))
}

// untell forgets what a job's callbacks are to be told of.
func (t tx) untell(id job.ID) error {
	all, err := t.deliveries(id)
	if err != nil {
		return err
	}
	for i := range all {
		if err := t.dropDelivery(&all[i]); err != nil {
			return err
		}
	}
	return nil
}

// Pending returns deliveries that are not over; see store.Store.
func (s *Store) Pending(ctx context.Context, host string, limit int, skip func(*job.Delivery) bool) (all []job.Delivery, err error) {
	err = s.view(ctx, func(t tx) error {
		b := t.Bucket(bucketTry)
		if b == nil {
			return nil
		}
		const timeSize = 8
		c := b.Cursor()
		for k, _ := c.First(); k != nil && len(all) < limit; k, _ = c.Next() {
			v := t.Bucket(bucketOutbox).Get(k[timeSize:])
			if v == nil {
				return s.damaged("%s has a delivery that is not there", bucketTry)
			}
			d, err := t.delivery(v)
			if err != nil {
				return err
			}
			if d.HostID == host && (skip == nil || !skip(d)) {
				all = append(all, *d)
			}
		}
		return nil
	})
	return all, err
}

// Tried stores what has become of deliveries; see store.Store.
func (s *Store) Tried(ctx context.Context, all []job.Delivery) error {
	return s.update(ctx, func(t tx) (bool, error) {
		wrote := false
		outbox := t.Bucket(bucketOutbox)
		if outbox == nil {
			return false, nil
		}
		for i := range all {
			v := outbox.Get(deliveryKey(&all[i]))
			if v == nil {
				continue
			}
			was, err := t.delivery(v)
			if err != nil {
				return false, err
			}
			if err := t.putDelivery(&all[i], was); err != nil {
				return false, err
			}
			wrote = true
		}
		return wrote, nil
	}, func() {})
}

// Deliveries returns those of a job; see store.Store.
func (s *Store) Deliveries(ctx context.Context, id job.ID) (all []job.Delivery, err error) {
	err = s.view(ctx, func(t tx) error {
		all, err = t.deliveries(id)
		return err
	})
	return all, err
}

// checkOutbox finds deliveries that belong to no job, and pending ones that nobody would try.
func (t tx) checkOutbox() (problems []error) {
	outbox := t.Bucket(bucketOutbox)
	if outbox == nil {
		return nil
	}
	pending := 0
	for k, v := range all(outbox) {
		d, err := t.delivery(v)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if t.jobs().Get([]byte(d.Event.Job)) == nil || !bytes.Equal(k, deliveryKey(d)) {
			problems = append(problems, fmt.Errorf("%s has an entry of job %s that is not its own", bucketOutbox, d.Event.Job))
		}
		if key := tryKey(d); key != nil {
			pending++
			if t.Bucket(bucketTry).Get(key) == nil {
				problems = append(problems, fmt.Errorf("%s does not hold a pending delivery of job %s", bucketTry, d.Event.Job))
			}
		}
	}
	if n := count(t.Bucket(bucketTry)); n != pending {
		problems = append(problems, fmt.Errorf("%s has %d entries for %d pending deliveries", bucketTry, n, pending))
	}
	return problems
}
