package journal

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// pump is a Pump or Drain at work.
type pump struct {
	opt    Options
	inlets []*inlet
	intake *intake
	log    *appender
	last   time.Time // when the last byte came
	errs   []error
}

func newPump(ctx context.Context, logs string, sources []Source, opt Options) (*pump, error) {
	switch {
	case opt.Hold == 0:
		opt.Hold = defaultHold
	case opt.Hold < 0:
		opt.Hold = 0
	}
	if opt.now == nil {
		opt.now = time.Now
	}
	in, err := newIntake(ctx, sources)
	if err != nil {
		return nil, fmt.Errorf("open the sources: %w", err)
	}
	p := &pump{opt: opt, intake: in, log: newAppender(logs, opt), last: time.Now()}
	p.log.copy = newCopier(opt.Copy)
	for i, s := range sources {
		p.inlets = append(p.inlets, &inlet{stream: s.Stream, index: i, buf: make([]byte, inletSize)})
	}
	return p, nil
}

// run copies until one of the three ends.
func (p *pump) run(ctx context.Context) {
	for p.alive() {
		wait, idle := p.patience()
		if idle {
			return
		}
		if err := p.intake.wait(wait); err != nil {
			p.errs = append(p.errs, fmt.Errorf("wait for output: %w", err))
			return
		}
		if ctx.Err() != nil {
			p.takeRest(ctx)
			return
		}
		if !p.round(ctx) {
			return
		}
	}
}

func (p *pump) alive() bool {
	for _, in := range p.inlets {
		if !in.ended {
			return true
		}
	}
	return false
}

// patience returns how long nothing is to be done but wait: less than 0, for ever.
// idle says that it is time to leave instead.
func (p *pump) patience() (wait time.Duration, idle bool) {
	now := time.Now()
	wait = -1
	until := func(t time.Time) {
		if d := max(0, t.Sub(now)); wait < 0 || d < wait {
			wait = d
		}
	}
	if p.opt.Idle > 0 {
		until(p.last.Add(p.opt.Idle))
		idle = wait == 0
	}
	for _, in := range p.inlets {
		if in.held > 0 {
			until(in.due)
		}
		if p.log.spool.pending(in.stream) > 0 {
			until(now)
		}
	}
	return wait, idle
}

// round reads each source that has something once, and writes. It returns false if
// the context ended while another process had the lock.
func (p *pump) round(ctx context.Context) bool {
	for _, in := range p.inlets {
		switch {
		case in.ended || p.log.spool.pending(in.stream) == 0 && !p.intake.ready(in.index):
		case p.log.spool.pending(in.stream) == 0 && p.intake.atEnd(in.index):
			p.end(in)
		case p.log.acquire(ctx) != nil:
			return false
		default:
			p.take(in)
		}
	}
	p.letGo(time.Now())
	return true
}

// takeRest empties the sources of what is in them now. A job that goes on printing
// is not waited for.
func (p *pump) takeRest(ctx context.Context) {
	p.log.retry = time.Time{} // there is no later
	for _, in := range p.inlets {
		for left := p.waiting(in); left > 0 && !in.ended; {
			// With the context over this takes a free lock and waits for none. Who
			// has it now is a Drain, and will take all.
			if p.log.acquire(ctx) != nil {
				return
			}
			n := p.take(in)
			if n == 0 {
				break
			}
			left -= n
		}
	}
}

// waiting returns how many bytes can be taken at once.
func (p *pump) waiting(in *inlet) int {
	return p.log.spool.pending(in.stream) + p.intake.waiting(in.index)
}

// close writes everything that is still held here.
func (p *pump) close() error {
	for _, in := range p.inlets {
		p.writeHeld(in)
		if in.grown && !in.ended {
			p.intake.resize(in.index, pipeSize) // others may need the pages
		}
	}
	if err := p.log.close(); err != nil {
		p.errs = append(p.errs, err)
	}
	return errors.Join(p.errs...)
}
