package churn

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/device"
	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/worker/streams"
)

// Config configures a run.
type Config struct {
	NC            *nats.Conn
	Edges         []string // host:port of each
	Clients       int      // a fifth of their users have two
	Notifications int
	Concurrent    int // concurrent calls
	Grace         time.Duration
	Breaks        func(context.Context) []Break // breaks all edges but the first until ctx ends; or nil
	Seed          uint64
	Longest       time.Duration // time limit of the run
	Say           func(format string, args ...any)
}

const app = "churn"

// Play makes clients connect and disconnect while calls are made. It returns the history and the counters.
func Play(ctx context.Context, cfg Config) (h History, counts []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.Longest)
	defer cancel()
	js, err := jetstream.New(cfg.NC)
	if err != nil {
		return h, nil, fmt.Errorf("churn: %w", err)
	}
	t := &tally{counts: map[string]int{}}
	a, err := device.NewApp(ctx, js, app, device.Unlimited())
	if err != nil {
		return h, nil, err
	}
	for _, edge := range cfg.Edges {
		if err := a.Await(ctx, edge); err != nil {
			return h, nil, err
		}
	}
	clients, err := makeClients(cfg, a, t)
	if err != nil {
		return h, nil, err
	}
	d := &driver{nc: cfg.NC, app: app, comes: map[string]chan struct{}{}, received: map[Notice]int64{}, tally: t}
	for _, c := range clients {
		if d.comes[c.user] == nil {
			d.free = append(d.free, c.user)
		}
		d.comes[c.user] = c.comes
	}
	sub, err := cfg.NC.Subscribe(events.AppNotifications(app), d.receive)
	if err != nil {
		return h, nil, fmt.Errorf("churn: subscribe: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()

	pulsing, stopPulses := context.WithCancel(ctx)
	defer stopPulses()
	beat := &pulses{tally: t}
	whole := cfg.Edges
	if cfg.Breaks != nil {
		whole = cfg.Edges[:1] // a pulse's client stays connected
	}
	if err := beat.start(pulsing, cfg.NC, a, whole); err != nil {
		return h, nil, err
	}
	churning, stop := context.WithCancel(ctx)
	defer stop()
	begun := time.Now()
	var wg sync.WaitGroup
	for _, c := range clients {
		wg.Go(func() { c.churn(churning) })
	}
	breaking, mend := context.WithCancel(ctx)
	defer mend()
	broken := make(chan []Break, 1)
	go func() {
		if cfg.Breaks == nil {
			broken <- nil
			return
		}
		broken <- cfg.Breaks(breaking)
	}()
	d.make(ctx, cfg.Concurrent, cfg.Seed, cfg.Notifications)
	mend()
	breaks := <-broken
	cfg.Say("%d notifications were made in %v", d.made.Load(), time.Since(begun).Round(100*time.Millisecond))
	if err := d.rest(ctx, js); err != nil {
		return h, t.list(), err
	}
	stop()
	wg.Wait()
	cfg.Say("every client connects once more")
	for _, c := range clients {
		wg.Go(func() { c.last(ctx, cfg.Grace) })
	}
	wg.Wait()
	h = History{App: app, Grace: cfg.Grace, Received: d.received, Pulses: beat.list(), Breaks: breaks}
	for _, c := range clients {
		h.Clients = append(h.Clients, c.history())
	}
	h.Calls, err = record.ReadStream(ctx, js, streams.StreamCalls, "")
	return h, t.list(), err
}

func makeClients(cfg Config, a device.App, t *tally) (clients []*client, err error) {
	comes := map[string]chan struct{}{}
	users := max(1, cfg.Clients*5/6)
	for i := range cfg.Clients {
		user := fmt.Sprintf("u%d", i%users)
		if comes[user] == nil {
			comes[user] = make(chan struct{}, 1)
		}
		raw, err := a.Token(user, "")
		if err != nil {
			return nil, err
		}
		clients = append(clients, &client{
			user: user, book: newBook(user), comes: comes[user], tally: t, rnd: rand.New(rand.NewPCG(cfg.Seed, 1<<32+uint64(i))), //nolint:gosec // i is small
			hello: device.Hello{Server: cfg.Edges[i%len(cfg.Edges)], Token: raw, Device: fmt.Sprintf("d%d", i)},
		})
	}
	return clients, nil
}

// last connects once more, long enough to receive everything.
func (c *client) last(ctx context.Context, grace time.Duration) {
	for !c.visit(ctx, grace+300*time.Millisecond, true) && play.Sleep(ctx, 300*time.Millisecond) {
	}
}

// rest ends the open calls, and waits until all work is done.
func (d *driver) rest(ctx context.Context, js jetstream.JetStream) error {
	for ctx.Err() == nil {
		open, err := d.open(ctx)
		if err != nil {
			return err
		}
		for _, id := range open {
			d.ask(ctx, id, events.VerbEnd, events.Command{Service: "churn"})
		}
		c, err := js.Consumer(ctx, streams.StreamCommands, streams.ConsumerCoordinators)
		if err != nil {
			return fmt.Errorf("churn: read the consumer of commands: %w", err)
		}
		if i := c.CachedInfo(); len(open) == 0 && i.NumPending == 0 && i.NumAckPending == 0 {
			return nil
		}
		play.Sleep(ctx, 200*time.Millisecond)
	}
	return fmt.Errorf("churn: not idle at the end: %w", ctx.Err())
}

// open lists the calls that have not ended.
func (d *driver) open(ctx context.Context) (ids []string, err error) {
	m, err := d.nc.RequestWithContext(ctx, events.APISubject(app, "list"), []byte(`{"limit":1000}`))
	if err != nil {
		return nil, fmt.Errorf("churn: list calls: %w", err)
	}
	var answer struct {
		OK    bool          `json:"ok"`
		Calls []events.Call `json:"calls"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil || !answer.OK {
		return nil, fmt.Errorf("churn: list calls: %.200s: %w", m.Data, err)
	}
	for _, c := range answer.Calls {
		ids = append(ids, c.CallID)
	}
	return ids, nil
}

func (t *tally) list() (lines []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(t.counts)) {
		lines = append(lines, fmt.Sprintf("%6d  %s", t.counts[what], strings.TrimPrefix(what, "device: ")))
	}
	return lines
}
