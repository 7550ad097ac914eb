package abuse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/worker/streams"
)

// Shares is the effect of one app on another. Honest pairs of one app call, while users and the backend of
// the other app flood.
type Shares struct {
	Phases []SharePhase
	Failed map[string]int // failed honest calls, by reason
}

// SharePhase is the measurement of one phase.
type SharePhase struct {
	Name     string
	Ring     Latencies // latency of honest pairs, from the invitation to the ring
	Trips    Latencies
	Counts   Counts
	Stored   float64 // growth of RINGLINE_CALLS, in bytes per second
	MayStore float64 // the limit of Stored; 0: none
}

// shareGoal is the maximum ratio of two p99 values of an app: while another app floods, and on an equally
// busy machine.
const shareGoal = 5

// Limits for the growth of RINGLINE_CALLS, in bytes per second: for one user of the other app, and for the
// whole other app. The latter is its bytes_per_s plus what the honest pairs store.
const (
	oneUserStores = 200_000
	appStores     = 2<<20 + 400_000
)

// busy is the name of the reference phase.
const busy = "a busy machine"

// Share measures all phases.
func Share(ctx context.Context, cfg Config) (o Shares, err error) {
	t, err := newTarget(ctx, cfg)
	if err != nil {
		return o, err
	}
	js, err := jetstream.New(cfg.NC)
	if err != nil {
		return o, fmt.Errorf("abuse: %w", err)
	}
	t.NATS = cfg.NC.ConnectedUrl()
	working, stop := context.WithCancel(ctx)
	defer stop()
	h := &honest{failed: map[string]int{}}
	for i := range cfg.Pairs {
		if err := h.pair(working, cfg.Edge, t.App, i); err != nil {
			return o, err
		}
		play.Sleep(ctx, honestEvery/time.Duration(cfg.Pairs))
	}
	go h.watch(working, cfg.NC)
	play.Sleep(ctx, 2*honestEvery) // warm up
	for _, p := range cfg.shares() {
		h.take()
		before, err := bytesOfCalls(ctx, js)
		if err != nil {
			return o, err
		}
		begun := time.Now()
		if len(p.kinds) == 0 {
			play.Sleep(ctx, p.long)
		} else if p.Counts, err = cfg.Attack(ctx, Attack{t, p.kinds, p.long}); err != nil {
			return o, err
		}
		after, err := bytesOfCalls(ctx, js)
		if err != nil {
			return o, err
		}
		p.Stored = float64(after-before) / time.Since(begun).Seconds()
		all, trips := h.take()
		p.Ring, p.Trips = all.rings(), trips
		o.Phases = append(o.Phases, p.SharePhase)
		cfg.Say("%s: done", p.Name)
	}
	stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	o.Failed = h.failed
	return o, ctx.Err()
}

// rings returns every second latency. The others belong to the answers.
func (l Latencies) rings() (rings Latencies) {
	for i := 0; i < len(l); i += 2 {
		rings = append(rings, l[i])
	}
	return rings
}

func bytesOfCalls(ctx context.Context, js jetstream.JetStream) (int64, error) {
	st, err := js.Stream(ctx, streams.StreamCalls)
	if err != nil {
		return 0, fmt.Errorf("abuse: %w", err)
	}
	return int64(st.CachedInfo().State.Bytes), nil //nolint:gosec // it is below the stream's limit
}

type share struct {
	SharePhase

	kinds []string
	long  time.Duration
}

func (cfg Config) shares() []share {
	list := []share{
		{SharePhase{Name: "quiet"}, nil, cfg.Quiet},
		{SharePhase{Name: busy}, []string{spinning}, cfg.Combined},
		{SharePhase{Name: "one user, at all limits", MayStore: oneUserStores}, []string{oneUser}, cfg.Combined},
	}
	var all []string
	for _, f := range floods() {
		long := cfg.Each
		switch f.name {
		case spinning, oneUser:
			continue
		case manyUsers: // its initial burst is small only compared with what it stores in a minute
			long = cfg.Combined
		}
		all = append(all, f.name)
		list = append(list, share{SharePhase{Name: f.name, MayStore: appStores}, []string{f.name}, long})
	}
	return append(list, share{SharePhase{Name: "one app floods in every way", MayStore: appStores}, all, cfg.Combined},
		share{SharePhase{Name: "quiet again"}, nil, cfg.Quiet})
}

// Busy returns the reference phase.
func (o Shares) Busy() (p SharePhase) {
	for _, p = range o.Phases {
		if p.Name == busy {
			return p
		}
	}
	return SharePhase{}
}

// Err returns what failed, or nil.
func (o Shares) Err() error {
	var errs []error
	for what, n := range o.Failed {
		errs = append(errs, fmt.Errorf("honest calls failed %d times: %s", n, what))
	}
	most := shareGoal * o.Busy().Ring.At(0.99)
	for _, p := range o.Phases {
		if p99 := p.Ring.At(0.99); len(p.Ring) == 0 || p99 > most {
			errs = append(errs, fmt.Errorf("%s: an invitation rang after %v at p99 of %d, the maximum is %v", p.Name, p99, len(p.Ring), most))
		}
		if p.MayStore > 0 && p.Stored > p.MayStore {
			errs = append(errs, fmt.Errorf("%s: RINGLINE_CALLS grew by %.0f bytes a second, the maximum is %.0f", p.Name, p.Stored, p.MayStore))
		}
	}
	return errors.Join(errs...)
}
