package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"ringline.io/ringline/events"
)

// Over is the transport of commands and notifications.
type Over string

// The transports.
const (
	OverSubjects Over = "subjects" // commands to subjects, answers and notifications from subjects
	OverAPI      Over = "api"      // commands as requests, notifications from subjects
	OverSessions Over = "sessions" // both over the WebSockets of an edge
)

// Overs lists the transports.
func Overs() []Over { return []Over{OverSubjects, OverAPI, OverSessions} }

// DefaultApp is the app of a benchmark's calls.
const DefaultApp = "bench"

// Options configure a benchmark.
type Options struct {
	App        string // the app of the calls, used by the benchmark alone
	Mix        Mix
	Over       Over
	Concurrent int           // concurrent calls in the phase most
	Rate       float64       // calls per second; 0: half of the most
	Long       time.Duration // duration of each phase
	Warm       time.Duration // warm-up before each phase
	Runs       int
	Users      int // in total; each is in one call at a time
	Seed       uint64
	Edge       string // host:port of an edge, for sessions
	Parallel   int    // commands that the floor's worker has in flight
	Floor      bool   // measure the floor too

	Connect  func(name string) (*nats.Conn, error)
	Progress func(line string) // reports progress; may be nil
}

// Side is the result of Ringline or of the floor.
type Side struct {
	Idle   *Phase `json:"idle"`   // one call after another
	Most   *Phase `json:"most"`   // a fixed number of concurrent calls
	Loaded *Phase `json:"loaded"` // calls arrive at half of the most, or at the given rate
}

// Run is the result of one run.
type Run struct {
	Ringline Side  `json:"ringline"`
	Floor    *Side `json:"floor,omitempty"`
}

// bench is a running benchmark.
type bench struct {
	Options

	conns []*nats.Conn
	ends  []func() // close other open resources
	name  string   // of this benchmark: prefix of the call ids
}

// Measure runs a benchmark. After an error it returns no report, because a partial report could pass for a complete
// one.
func Measure(ctx context.Context, o Options) (r *Report, err error) {
	b := &bench{Options: o, name: nuid.Next()[12:]}
	defer b.close()
	e := &inboxes{of: map[string]inbox{}}
	c := newCasts(o.Users, o.Mix.Size(), e)
	product, err := b.product(ctx, e)
	if err != nil {
		return nil, err
	}
	if err := b.answered(ctx, product); err != nil {
		return nil, err
	}
	r = &Report{Options: o.describe(), Machine: machine()}
	var low *floor
	if o.Floor {
		var done func() error
		if low, done, err = b.floor(ctx, product, e, c, r); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, done()) }()
	}
	for i := range o.Runs {
		run := Run{}
		if low != nil {
			run.Floor = &Side{}
		}
		sides := []side{{"Ringline", product, &run.Ringline}}
		if low != nil {
			sides = append(sides, side{"floor", low, run.Floor})
		}
		if err := b.run(ctx, i, sides, e, c); err != nil {
			return nil, err
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

// product returns the stage of Ringline.
func (b *bench) product(ctx context.Context, e *inboxes) (stage, error) {
	nc, err := b.connect("ringline bench")
	if err != nil {
		return nil, err
	}
	app, err := b.makeApp(ctx, nc)
	if err != nil {
		return nil, err
	}
	if b.Over == OverSessions {
		s, err := openSessions(ctx, b.Edge, app, e.users(), e)
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

// answered waits until the service answers a command that changes nothing, so that the start of the service is not
// measured.
func (b *bench) answered(ctx context.Context, s stage) error {
	const once, again = time.Second, 50 * time.Millisecond
	b.report("waiting for the service")
	for end := time.Now().Add(patience); ; {
		cmd := events.Command{
			CommandAddress: events.CommandAddress{App: b.App, CallID: b.name + "-none", Verb: events.VerbRing},
			CommandID:      nuid.Next(), UserID: "u0-0", // the first user of newCasts
		}
		try, stop := context.WithTimeout(ctx, once)
		err := s.send(try, step{cmd: cmd})
		stop()
		switch refusal, refused := errors.AsType[*events.Error](err); {
		case err == nil, refused && refusal.Code == events.CodeNotFound:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(end):
			return fmt.Errorf("bench: the service did not answer within %v: %w", patience, err)
		}
		time.Sleep(again)
	}
}

// mostCounts is how often a census counts at most.
const mostCounts = 5

// census plays a few calls, each command alone, and counts their broker operations. It counts again until that is enough,
// because on a busy machine concurrent operations may look sequential.
func (b *bench) census(ctx context.Context, s stage, d dialect, e *inboxes, c *casts, enough func(*census) bool) (*census, error) {
	nc, err := b.connect("ringline bench observer")
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	o, err := observe(nc)
	if err != nil {
		return nil, err
	}
	k := newCensus(s, o, d.in(b.App))
	x := player{stage: k, app: b.App, mix: b.Mix, times: &times{}}
	for n := range mostCounts * b.Mix.counted() {
		if n > 0 && n%b.Mix.counted() == 0 && enough(k) {
			break
		}
		users := <-c.free
		call := &played{id: fmt.Sprintf("%s-%s%d", b.name, d.subject[:1], n), users: users, inboxes: e.all(users)}
		err := x.play(ctx, n, call, time.Time{})
		c.free <- users
		if err != nil {
			return nil, fmt.Errorf("bench: the census of %s: %w", call.id, err)
		}
	}
	return k, nil
}

// floor takes a census of Ringline and creates the stage that repeats its operations. done removes the stage.
func (b *bench) floor(ctx context.Context, product stage, e *inboxes, c *casts, r *Report) (f *floor, done func() error, err error) {
	b.report("counting messages on the broker")
	counted, err := b.census(ctx, product, ringline, e, c, func(*census) bool { return true })
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
	if err := b.deliverFloor(working, f, e); err != nil {
		stop()
		return nil, nil, errors.Join(err, f.tearDown(context.WithoutCancel(ctx)))
	}
	ended := make(chan error, 1)
	go func() { ended <- f.Run(working) }()
	done = func() error {
		stop()
		return errors.Join(<-ended, f.tearDown(context.WithoutCancel(ctx)))
	}
	b.report("counting messages of the floor")
	r.Counted = counted.counted()
	again, err := b.census(ctx, f, bare, e, c, func(k *census) bool { return k.counted().exceeds(r.Counted) == nil })
	if err == nil {
		r.FloorCounted = again.counted()
		err = r.FloorCounted.exceeds(r.Counted)
	}
	if err != nil {
		return nil, nil, errors.Join(err, done())
	}
	return f, done, nil
}

// deliverFloor delivers the notifications of the floor to the users.
func (b *bench) deliverFloor(ctx context.Context, f *floor, e *inboxes) error {
	if b.Over != OverSessions {
		return errors.Join(f.serveAPI(ctx), listen(f.sender, bare, b.App, e))
	}
	h, done, err := openHop(ctx, f, b.App, e.users(), e)
	if err == nil {
		f.hop = h
		b.ends = append(b.ends, done)
	}
	return err
}

// side is Ringline or the floor, while it is measured.
type side struct {
	name  string
	stage stage
	*Side
}

// run measures both sides in turns, so that other load on the machine affects both. The sides alternate by call (idle),
// by second (most), or by phase (loaded).
func (b *bench) run(ctx context.Context, i int, sides []side, e *inboxes, c *casts) error {
	loads := make([]*load, len(sides))
	for at, s := range sides {
		loads[at] = &load{
			stage: s.stage, app: b.App, mix: b.Mix, casts: c, inboxes: e, name: fmt.Sprintf("%s-%d%.1s", b.name, i, s.name), parallel: b.Concurrent,
			random: rand.New(rand.NewPCG(b.Seed, uint64(i))), //nolint:gosec // it is not below 0
		}
	}
	phase := func(name string, turns func(context.Context, []*load, []*tally, func(string)) error, to func(side, *Phase)) error {
		tallies := make([]*tally, len(sides))
		for at := range sides {
			tallies[at] = &tally{rate: loads[at].rate}
		}
		report := func(left string) {
			b.report(fmt.Sprintf("run %d of %d, %s: %s", i+1, b.Runs, name, left))
		}
		if err := turns(ctx, loads, tallies, report); err != nil {
			return err
		}
		for at, s := range sides {
			p, err := tallies[at].phase()
			if err != nil {
				return fmt.Errorf("bench: run %d, %s, %s: %w", i+1, name, s.name, err)
			}
			to(s, p)
		}
		return nil
	}
	if err := phase("idle", b.idle, func(s side, p *Phase) { s.Idle = p }); err != nil {
		return err
	}
	if err := phase("most", b.slices(time.Second), func(s side, p *Phase) { s.Most = p }); err != nil {
		return err
	}
	for at, s := range sides {
		if loads[at].rate = b.Rate; b.Rate == 0 {
			loads[at].rate = s.Most.CallsPerSecond / 2
		}
	}
	// One slice only: the end of a slice stops new calls, which would let the system recover from a stall.
	return phase("loaded", b.slices(b.Long), func(s side, p *Phase) { s.Loaded = p })
}

// idle plays one call after another. The sides alternate.
func (b *bench) idle(ctx context.Context, loads []*load, tallies []*tally, report func(string)) error {
	warm := time.Now().Add(b.Warm)
	end := warm.Add(b.Long * time.Duration(len(loads)))
	for reported := time.Now(); time.Now().Before(end); {
		for at, l := range loads {
			begun := time.Now()
			if begun.Before(warm) {
				l.one(ctx, nil, time.Time{})
				continue
			}
			l.one(ctx, tallies[at], time.Time{})
			tallies[at].took += time.Since(begun)
			tallies[at].finished = tallies[at].calls.Load()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(reported) > reportEvery {
			reported = time.Now()
			report(progressOf(tallies, time.Until(end)))
		}
	}
	return nil
}

const reportEvery = time.Second / 2

// slices plays on the sides in turns, for one slice each.
func (b *bench) slices(slice time.Duration) func(context.Context, []*load, []*tally, func(string)) error {
	const settle = 200 * time.Millisecond
	return func(ctx context.Context, loads []*load, tallies []*tally, report func(string)) error {
		for left := b.Long; left > 0; left -= slice {
			for at, l := range loads {
				warm := settle
				if left == b.Long {
					warm = b.Warm
				}
				report(progressOf(tallies, left*time.Duration(len(loads))))
				if err := l.run(ctx, tallies[at], warm, min(left, slice)); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

func progressOf(tallies []*tally, left time.Duration) string {
	var calls, failed int64
	for _, t := range tallies {
		calls, failed = calls+t.calls.Load(), failed+t.failed.Load()
	}
	return fmt.Sprintf("%d calls, %d failed, %.0f s left", calls, failed, left.Seconds())
}

func (b *bench) report(line string) {
	if b.Progress != nil {
		b.Progress(line)
	}
}

// Machine is the machine of the measurement.
type Machine struct {
	Cores int    `json:"cores"`
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	Go    string `json:"go"`
}

func machine() Machine {
	return Machine{runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version()}
}
