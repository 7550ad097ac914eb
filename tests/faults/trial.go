//go:build linux

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/internal/device"
	"ringline.io/ringline/internal/wire"
	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/tests/faults/rig"
)

// trial is one run. It plays calls without faults at first, then with faults, then without faults again. When
// all work is done, it checks the history.
type trial struct {
	seed     uint64
	duration time.Duration // of the phase without faults and the phase with faults
	calm     time.Duration // duration of the last phase, which has no faults
	every    time.Duration // mean time between two faults
	outage   time.Duration // stops all coordinators for this time, instead of other faults
	rings    time.Duration // maximum ring time of most calls
	longest  time.Duration // maximum duration of a call
	reach    time.Duration // reach_s of the apps
	nodes    int
	rate     float64
	users    int
	defects  []string // planted in the build
	only     []string // kinds of faults
	points   []string // for the faults that wait for a message: "after answer", "before ack"
	scenes   []string
	dir      string
	source   string
	say      func(format string, args ...any)
}

const (
	calmBeginning = 3 * time.Second // no faults

	coordinators = 3
	timeoutsOf   = 2
	clientsOf    = 3
	watchersOf   = 2
	sweepEvery   = 5 * time.Second
	overdue      = 3 * time.Second
)

// apps lists the tenants whose calls are played.
func apps() []string { return []string{"north", "south"} }

// site is a running system with its clients and watchers.
type site struct {
	trial    trial
	rig      *rig.Rig
	rec      *record.Recorder
	nc       *nats.Conn // bypasses all links
	js       jetstream.JetStream
	clients  []*play.Client
	watchers []*play.Watcher
	links    [][]*wire.Link // of clients, then of watchers

	mu   sync.Mutex
	errs []error
}

func (s *site) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = append(s.errs, err)
}

// open starts the site.
func open(ctx context.Context, t trial) (s *site, err error) {
	s = &site{trial: t, rec: &record.Recorder{}}
	disk := ""
	if rig.CanMount() {
		disk = "3g"
	}
	s.rig, err = rig.New(ctx, rig.Config{
		Dir: t.dir, Source: t.source, Defects: t.defects, Clocks: slices.Contains(t.only, string(wrongClock)), Nodes: t.nodes, Coordinators: coordinators, Timeouts: timeoutsOf,
		DiskSize: disk, Env: []string{
			fmt.Sprintf("RINGLINE_MAX_DURATION=%v", t.longest), fmt.Sprintf("RINGLINE_SWEEP_EVERY=%v", sweepEvery),
			fmt.Sprintf("RINGLINE_SWEEP_OVERDUE=%v", overdue), "RINGLINE_API_TIMEOUT=4s", // below the timeout of the clients
		},
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err = s.connect()
	settings := device.Unlimited()
	settings.ReachS = int(t.reach / time.Second)
	for _, app := range apps() {
		if err == nil {
			_, err = device.NewApp(ctx, s.js, app, settings)
		}
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *site) connect() (err error) {
	if s.nc, err = nats.Connect(s.rig.URLs(), nats.MaxReconnects(-1), nats.ReconnectWait(200*time.Millisecond),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if s.js, err = jetstream.New(s.nc); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	for i := range clientsOf {
		name := fmt.Sprintf("client-%d", i+1)
		links, urls, err := s.rig.Links(name, i)
		if err != nil {
			return err
		}
		s.links = append(s.links, links)
		c, err := play.Connect(name, urls, s.rec)
		if err != nil {
			return err
		}
		s.clients = append(s.clients, c)
	}
	for i := range watchersOf {
		links, urls, err := s.rig.Links(fmt.Sprintf("watcher-%d", i+1), i)
		if err != nil {
			return err
		}
		s.links = append(s.links, links)
		w, err := play.Watch(i, urls, apps(), s.rec)
		if err != nil {
			return err
		}
		s.watchers = append(s.watchers, w)
	}
	return nil
}

func (s *site) close() {
	for _, c := range s.clients {
		c.Close()
	}
	if s.nc != nil {
		s.nc.Close()
	}
	s.rig.Close()
	for _, links := range s.links {
		for _, l := range links {
			l.Close()
		}
	}
}

// run runs the trial and returns its outcome.
func (t trial) run(ctx context.Context) (*outcome, error) {
	s, err := open(ctx, t)
	if err != nil {
		return nil, err
	}
	defer s.close()
	h := s.rec.History()
	h.Run = record.Run{
		Seed: t.seed, Nodes: t.nodes, Capacity: 1, MaxDurationS: int(t.longest / time.Second), Began: record.Now(), Watchers: watchersOf, Rate: t.rate,
		ReachS: int(t.reach / time.Second),
	}

	stopCounting := s.count(ctx)
	pulses := make(chan struct{})
	for _, n := range s.rig.Nodes {
		if err := play.Pulse(n.Name, "nats://"+n.Host, pulses); err != nil {
			return nil, err
		}
	}
	stage := &play.Stage{Clients: s.clients, Apps: apps(), Users: t.users, Rate: t.rate, Seed: t.seed, Most: 2000, RingS: int(t.rings / time.Second), Only: t.scenes}
	playing, stopPlaying := context.WithCancel(ctx)
	defer stopPlaying()
	played := make(chan struct{})
	go func() { defer close(played); stage.Play(playing) }()

	disturb := s.injectFaults
	if t.outage > 0 {
		disturb = s.stopCoordinators
	}
	if err := disturb(ctx); err != nil {
		return nil, err
	}
	h.Run.Healed = record.Now()
	t.say("all faults are repaired; calls are played for %v more", t.calm)
	play.Sleep(ctx, t.calm)
	stopPlaying()
	<-played
	h.Run.Stopped = record.Now()
	t.say("waiting until every call has ended")
	s.rest(ctx)
	close(pulses)
	for _, w := range s.watchers {
		w.Close()
	}
	counts := stopCounting()
	h.Run.Read = record.Now()
	if err := s.read(ctx, &h.Rest); err != nil {
		return nil, err
	}
	s.brokersMissed(h)
	if err := s.rig.Errors(); err != nil {
		s.failed(err)
	}
	return &outcome{trial: t, history: h, counts: counts, stage: stage, errs: s.errs}, nil
}

// injectFaults injects the planned faults, and waits until everything runs again.
func (s *site) injectFaults(ctx context.Context) error {
	t := s.trial
	faults := plan(t, rig.CanMount())
	t.say("%d faults are planned in %v", len(faults), t.duration)
	b := &breaker{rig: s.rig, js: s.js, rec: s.rec, clients: s.links, failed: s.failed}
	breaking, stop := context.WithTimeout(ctx, t.duration)
	defer stop()
	b.run(breaking, faults)
	play.Sleep(breaking, t.duration) // the last fault may have ended early
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := s.rig.AwaitNodes(wait); err != nil {
		return err
	}
	return s.rig.AwaitWorkers(wait)
}

// count collects the counters of the workers until stop is called.
func (s *site) count(ctx context.Context) (stop func() map[string]float64) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for play.Sleep(ctx, 500*time.Millisecond) {
			s.rig.Count(ctx)
		}
	}()
	return func() map[string]float64 {
		cancel()
		<-done
		s.rig.Count(context.WithoutCancel(ctx))
		return s.rig.Counts()
	}
}

// brokersMissed records, with several brokers, when messages published on one broker may not have reached the
// others. Core NATS does not report such losses.
func (s *site) brokersMissed(h *record.History) {
	if s.trial.nodes == 1 {
		return
	}
	for _, f := range h.Faults {
		if k := kind(f.Kind); !k.ofBrokers() || k.fillsStore() || k == slowBroker {
			continue
		}
		for w := range watchersOf {
			h.Gaps = append(h.Gaps, record.Gap{
				Watcher: w, From: f.From - int64(time.Second), To: f.To + int64(3*time.Second),
			})
		}
	}
}

func (t trial) path(name string) string { return filepath.Join(t.dir, name) }
