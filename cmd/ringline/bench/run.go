package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
)

// Over is how commands are sent and notifications heard.
type Over string

// The ways.
const (
	OverSubjects Over = "subjects" // commands to subjects, answers and notifications from subjects
	OverAPI      Over = "api"      // commands as requests, notifications from subjects
	OverSessions Over = "sessions" // both over the WebSockets of an edge
)

// Overs lists them.
func Overs() []Over { return []Over{OverSubjects, OverAPI, OverSessions} }

// Options say what is measured.
type Options struct {
	App      string // of the calls; nobody else's
	Mix      Mix
	Over     Over
	Beside   int           // calls beside each other, for the most that can be done
	Rate     float64       // calls a second; 0: half of the most that can be done
	Long     time.Duration // of each phase
	Warm     time.Duration // before each phase
	Runs     int
	Users    int // all in all; each is in one call at a time
	Seed     uint64
	Edge     string // host and port of an edge, for sessions
	Parallel int    // commands that the floor's worker has in hand at once
	Floor    bool   // measure it too

	Connect func(name string) (*nats.Conn, error)
	Tell    func(line string) // of the progress; may be nil
}

// Side is one of both that are compared.
type Side struct {
	Idle *Phase `json:"idle"`   // one call after another
	Most *Phase `json:"most"`   // so many beside each other
	Half *Phase `json:"loaded"` // as they arrive, at half of the most or at the rate that was asked for
}

// Run is one run.
type Run struct {
	Ringline Side  `json:"ringline"`
	Floor    *Side `json:"floor,omitempty"`
}

// bench is a benchmark that runs.
type bench struct {
	Options

	conns []*nats.Conn
	ends  []func() // of what else is open
	name  string   // of this benchmark: begins the id of each call
}

// Measure measures.
func Measure(ctx context.Context, o Options) (r *Report, err error) {
	b := &bench{Options: o, name: nuid.Next()[12:]}
	defer b.close()
	e := &ears{of: map[string]ear{}}
	c := newCasts(o.Users, o.Mix.size(), e)
	product, err := b.product(ctx, e)
	if err != nil {
		return nil, err
	}
	r = &Report{Options: o.describe(), Machine: machine()}
	var low *floor
	if o.Floor {
		var done func() error
		if low, done, err = b.floor(ctx, product, e, c, r); err != nil {
			return r, err
		}
		defer func() { err = errors.Join(err, done()) }()
	}
	for i := range o.Runs {
		run := Run{}
		if low != nil {
			run.Floor = &Side{}
		}
		if err := b.run(ctx, i, &run, product, low, e, c); err != nil {
			return r, err
		}
		r.Runs = append(r.Runs, run)
	}
	r.conclude()
	return r, nil
}

func (b *bench) connect(name string) (*nats.Conn, error) {
	nc, err := b.Connect(name)
	if err != nil {
		return nil, fmt.Errorf("bench: connect: %w", err)
	}
	b.conns = append(b.conns, nc)
	return nc, nil
}

func (b *bench) close() {
	for _, end := range b.ends {
		end()
	}
	for _, nc := range b.conns {
		nc.Close()
	}
}

// product gives the stage that is measured.
func (b *bench) product(ctx context.Context, e *ears) (stage, error) {
	nc, err := b.connect("ringline bench")
	if err != nil {
		return nil, err
	}
	if b.Over == OverSessions {
		s, err := openSessions(ctx, nc, b.Edge, b.App, e.users(), e)
		if err == nil {
			b.ends = append(b.ends, s.close)
		}
		return s, err
	}
	if err := listen(nc, ringline, b.App, e); err != nil {
		return nil, err
	}
	if b.Over == OverAPI {
		return api{nc}, nil
	}
	d, err := newDesk(nc, ringline, b.App)
	return subjects{d}, err
}

// census plays a few calls, each alone, and counts what they do on the broker.
func (b *bench) census(ctx context.Context, s stage, d dialect, e *ears, c *casts) (*census, error) {
	nc, err := b.connect("ringline bench observer")
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	o, err := observe(nc)
	if err != nil {
		return nil, err
	}
	k := newCensus(s, o, d)
	x := player{stage: k, app: b.App, mix: b.Mix, times: &times{}}
	const calls = 20 // of each of the kinds that a mix consists of
	for n := range calls {
		users := <-c.free
		call := &played{id: fmt.Sprintf("%s-%s%d", b.name, d.subject[:1], n), users: users, ears: e.all(users)}
		err := x.play(ctx, n, call, time.Time{})
		c.free <- users
		if err != nil {
			return nil, fmt.Errorf("bench: the census of %s: %w", call.id, err)
		}
	}
	return k, nil
}

// floor counts what Ringline does, and makes a stage that does the same without it. Done takes it down.
func (b *bench) floor(ctx context.Context, product stage, e *ears, c *casts, r *Report) (f *floor, done func() error, err error) {
	b.tell("counting what passes on the broker")
	counted, err := b.census(ctx, product, ringline, e, c)
	if err != nil {
		return nil, nil, err
	}
	plans, err := counted.plans()
	if err != nil {
		return nil, nil, err
	}
	sender, err := b.connect("ringline bench floor")
	if err != nil {
		return nil, nil, err
	}
	work, err := b.connect("ringline bench floor worker")
	if err != nil {
		return nil, nil, err
	}
	if f, err = newFloor(ctx, sender, work, b.App, plans, b.Parallel); err != nil {
		return nil, nil, err
	}
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	if err := b.floorHears(working, f, e); err != nil {
		stop()
		return nil, nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- f.Run(working) }()
	done = func() error {
		stop()
		return errors.Join(<-ended, f.tearDown(context.WithoutCancel(ctx)))
	}
	b.tell("counting what passes for the floor")
	again, err := b.census(ctx, f, bare, e, c)
	if err == nil {
		r.Counted, r.FloorCounted = counted.counted(), again.counted()
		err = r.FloorCounted.exceeds(r.Counted)
	}
	if err != nil {
		return nil, nil, errors.Join(err, done())
	}
	return f, done, nil
}

// floorHears lets users hear what the floor tells them.
func (b *bench) floorHears(ctx context.Context, f *floor, e *ears) error {
	if b.Over != OverSessions {
		return listen(f.sender, bare, b.App, e)
	}
	h, done, err := openHop(ctx, f, b.App, e.users(), e)
	if err == nil {
		f.hop = h
		b.ends = append(b.ends, done)
	}
	return err
}

// run measures both sides, phase by phase, so that what else happens on the machine is the same for both.
func (b *bench) run(ctx context.Context, i int, r *Run, product stage, low *floor, e *ears, c *casts) error {
	sides := []*Side{&r.Ringline}
	stages := []stage{product}
	if low != nil {
		sides, stages = append(sides, r.Floor), append(stages, low)
	}
	phase := func(side int, what string, beside int, rate float64) (*Phase, error) {
		title := fmt.Sprintf("run %d of %d, %s, %s", i+1, b.Runs, []string{"Ringline", "floor"}[side], what)
		l := &load{
			casts: c, ears: e, name: fmt.Sprintf("%s-%d%d%.1s", b.name, i, side, what), beside: beside, rate: rate, seed: b.Seed, warm: b.Warm, long: b.Long,
			play: func(ctx context.Context, n int, call *played, due time.Time, t *times) error {
				return player{stage: stages[side], app: b.App, mix: b.Mix, times: t}.play(ctx, n, call, due)
			},
			tell: func(calls, failed int64, left time.Duration) {
				b.tell(fmt.Sprintf("%s: %d calls, %d failed, %.0f s left", title, calls, failed, left.Seconds()))
			},
		}
		p, err := l.run(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", title, err)
		}
		return p, nil
	}
	var err error
	for side, s := range sides {
		if s.Idle, err = phase(side, "idle", 1, 0); err != nil {
			return err
		}
	}
	for side, s := range sides {
		if s.Most, err = phase(side, "most", b.Beside, 0); err != nil {
			return err
		}
	}
	for side, s := range sides {
		rate := b.Rate
		if rate == 0 {
			rate = s.Most.CallsPerSecond / 2
		}
		if s.Half, err = phase(side, "loaded", 0, rate); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) tell(line string) {
	if b.Tell != nil {
		b.Tell(line)
	}
}

// Machine is where it was measured.
type Machine struct {
	Cores int    `json:"cores"`
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	Go    string `json:"go"`
}

func machine() Machine {
	return Machine{runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version()}
}
