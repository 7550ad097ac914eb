package abuse

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/device"
	"ringline.io/ringline/tests/faults/play"
)

// Config configures the attack: its target and its durations.
type Config struct {
	NC       *nats.Conn
	Edge     string        // host:port
	Pairs    int           // honest pairs
	Quiet    time.Duration // before the attack, and again at the end
	Each     time.Duration // duration of each kind alone
	Combined time.Duration // duration of all kinds together

	CommandsPerS int // the setting of the app that floods; 0: the default

	Attack  func(ctx context.Context, a Attack) (Counts, error)
	Refused func(ctx context.Context) (map[string]float64, error) // the edge's counters of refusals
	Say     func(format string, args ...any)
}

// Run runs the whole plan.
func Run(ctx context.Context, cfg Config) (o Outcome, err error) {
	t, err := newTarget(ctx, cfg)
	if err != nil {
		return o, err
	}
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
	counts := Counts{}
	for _, p := range cfg.plan() {
		h.take()
		found, uncounted, err := cfg.phase(ctx, t, p)
		if err != nil {
			return o, err
		}
		counts.add(found)
		o.Uncounted = append(o.Uncounted, uncounted...)
		pairs, trips := h.take()
		o.Phases = append(o.Phases, Phase{p.name, len(p.kinds) == 0, pairs, trips})
		cfg.Say("%s: done", p.name)
	}
	stop()
	for _, k := range kinds() {
		o.Rows = append(o.Rows, k.judge(counts[k.name]))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	o.Failed = h.failed
	return o, ctx.Err()
}

// step is one part of a run.
type step struct {
	name  string
	long  time.Duration
	kinds []string
}

// plan lists the steps: quiet, each fast kind alone, the slow kinds together, all kinds together, quiet
// again.
func (cfg Config) plan() []step {
	list := []step{{name: "quiet", long: cfg.Quiet}}
	var slow, all []string
	for _, k := range kinds() {
		if all = append(all, k.name); k.slow {
			slow = append(slow, k.name)
		} else {
			list = append(list, step{k.name, cfg.Each, []string{k.name}})
		}
	}
	return append(list, step{"half-open, all five", cfg.Each, slow}, step{"all together", cfg.Combined, all},
		step{name: "quiet again", long: cfg.Quiet})
}

// countedWithin is how long a refusal may take to be counted. A close is counted once the connection is gone, after up to 5 s.
const countedWithin = 10 * time.Second

// phase runs one step. It returns the outcomes, and the refusals that the edge did not count.
func (cfg Config) phase(ctx context.Context, t Target, s step) (found Counts, uncounted []string, err error) {
	if len(s.kinds) == 0 {
		play.Sleep(ctx, s.long)
		return nil, nil, ctx.Err()
	}
	before, err := cfg.Refused(ctx)
	if err != nil {
		return nil, nil, err
	}
	if found, err = cfg.Attack(ctx, Attack{t, s.kinds, s.long}); err != nil {
		return nil, nil, err
	}
	for end := time.Now().Add(countedWithin); ; {
		after, err := cfg.Refused(ctx)
		uncounted = missing(found, before, after)
		if err != nil || len(uncounted) == 0 || time.Now().After(end) || !play.Sleep(ctx, time.Second) {
			return found, uncounted, err
		}
	}
}

// missing lists the counters of the edge that are too low.
func missing(found Counts, before, after map[string]float64) (list []string) {
	wanted := map[string]int{}
	for _, k := range kinds() {
		if k.counted != "" {
			wanted[k.counted] += found[k.name][k.must[0]]
		}
	}
	for _, label := range slices.Sorted(maps.Keys(wanted)) {
		if got := int(after[label] - before[label]); got < wanted[label] {
			list = append(list, fmt.Sprintf("%d were refused, and the edge counted %d as %s", wanted[label], got, label))
		}
	}
	return list
}

func newTarget(ctx context.Context, cfg Config) (t Target, err error) {
	js, err := jetstream.New(cfg.NC)
	if err != nil {
		return t, fmt.Errorf("abuse: %w", err)
	}
	t = Target{Server: cfg.Edge, Public: "public"}
	if t.App, err = device.NewApp(ctx, js, "honest", events.AppSettings{PairInvitesPerMin: events.MaxPairInvitesPerMin}); err != nil {
		return t, err
	}
	if t.Other, err = device.NewApp(ctx, js, "other", events.AppSettings{CommandsPerS: cfg.CommandsPerS}); err != nil {
		return t, err
	}
	public, text, err := publicKey()
	if err != nil {
		return t, err
	}
	t.Key = text
	last, err := device.NewApp(ctx, js, t.Public, events.AppSettings{TokenKeys: []events.TokenKey{public}})
	if err != nil {
		return t, err
	}
	return t, last.Await(ctx, cfg.Edge)
}
