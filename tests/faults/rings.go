//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/rig"
)

// rings configures how many calls ring at once, and whether everything is killed meanwhile.
type rings struct {
	trial trial
	count int
	over  time.Duration // the invitations are spread over this time, and so are the deadlines
	rings time.Duration
	kill  bool
}

// timeoutLog records when each caller was notified of the timeout, and the deadline of each call.
type timeoutLog struct {
	mu       sync.Mutex
	at       map[string]time.Time
	due      map[string]time.Time
	notified chan struct{}
}

const ringsApp = "rings"

// run lets the calls ring. It reports the time from each deadline, or from the restart, to the caller's
// notification.
func (x rings) run(ctx context.Context) error {
	r, err := rig.New(ctx, rig.Config{
		Dir: x.trial.dir, Source: x.trial.source, Nodes: x.trial.nodes, Coordinators: coordinators, Timeouts: timeoutsOf,
	})
	if err != nil {
		return err
	}
	defer r.Close()
	nc, err := nats.Connect(r.URLs(), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer nc.Close()
	h := &timeoutLog{at: map[string]time.Time{}, due: map[string]time.Time{}, notified: make(chan struct{}, x.count)}
	if _, err := nc.Subscribe(events.AppNotifications(ringsApp), h.receive); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	begun := time.Now()
	if err := x.invite(ctx, nc); err != nil {
		return err
	}
	x.trial.say("%d calls invited in %v", x.count, time.Since(begun).Round(time.Millisecond))
	if err := h.ringing(ctx, x.count); err != nil {
		return err
	}
	last := begun.Add(x.over + x.rings)
	half := begun.Add(x.over/2 + x.rings)
	started := time.Time{}
	if x.kill {
		if started, err = x.killAll(ctx, r, half); err != nil {
			return err
		}
	}
	wait, cancel := context.WithDeadline(ctx, last.Add(2*time.Minute))
	defer cancel()
	for n := range x.count {
		select {
		case <-h.notified:
		case <-wait.Done():
			return fmt.Errorf("%d of %d calls did not end", x.count-n, x.count)
		}
	}
	if early := h.report(x, started); early > 0 {
		return fmt.Errorf("%d were notified before the deadline", early)
	}
	return r.Errors()
}

func (x rings) invite(ctx context.Context, nc *nats.Conn) error {
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(256))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	var all []jetstream.PubAckFuture
	begun := time.Now()
	for i := range x.count {
		play.Sleep(ctx, time.Until(begun.Add(x.over*time.Duration(i)/time.Duration(x.count))))
		cmd := events.Command{
			CommandAddress: events.CommandAddress{App: ringsApp, CallID: fmt.Sprintf("r%d", i), Verb: events.VerbInvite},
			CommandID:      fmt.Sprintf("r%d", i), UserID: fmt.Sprintf("caller-%d", i),
			Callees: []events.Party{{UserID: fmt.Sprintf("callee-%d", i)}}, RingTimeoutS: int(x.rings / time.Second),
		}
		body, err := cmd.Encode()
		if err != nil {
			return err
		}
		ack, err := js.PublishAsync(events.CommandSubject(ringsApp, cmd.CallID, cmd.Verb), body)
		if err != nil {
			return fmt.Errorf("invite: %w", err)
		}
		all = append(all, ack)
	}
	for _, ack := range all {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return fmt.Errorf("invite: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (h *timeoutLog) receive(m *nats.Msg) {
	now := time.Now()
	var n events.Notification
	if json.Unmarshal(m.Data, &n) != nil || len(n.Call.Callees) != 1 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch n.Event { //nolint:exhaustive // the others are of no interest here
	case events.IncomingCallReceived:
		h.due[n.CallID] = n.Call.Callees[0].RingDeadline.Time()
	case events.OutgoingCallTimeout:
		if _, twice := h.at[n.CallID]; !twice {
			h.at[n.CallID] = now
			h.notified <- struct{}{}
		}
	}
}

// ringing waits until count calls ring at once.
func (h *timeoutLog) ringing(ctx context.Context, count int) error {
	for {
		h.mu.Lock()
		n, over := len(h.due), len(h.at)
		h.mu.Unlock()
		switch {
		case over > 0:
			return fmt.Errorf("%d timed out before all of them rang", over)
		case n == count:
			return nil
		case !play.Sleep(ctx, 10*time.Millisecond):
			return ctx.Err()
		}
	}
}

// killAll kills everything, and restarts it at the given time.
func (x rings) killAll(ctx context.Context, r *rig.Rig, at time.Time) (started time.Time, err error) {
	for _, w := range r.Workers() {
		w.Kill()
	}
	for _, n := range r.Nodes {
		n.Kill()
	}
	x.trial.say("all processes are killed, %v before half of them are due", time.Until(at).Round(time.Millisecond))
	play.Sleep(ctx, time.Until(at))
	started = time.Now()
	for _, n := range r.Nodes {
		if err := n.Start(); err != nil {
			return started, err
		}
	}
	for _, w := range r.Workers() {
		if err := w.Start(); err != nil {
			return started, err
		}
	}
	if err := r.AwaitNodes(ctx); err != nil {
		return started, err
	}
	err = r.AwaitWorkers(ctx)
	x.trial.say("all processes run again %v after the start", time.Since(started).Round(time.Millisecond))
	return started, err
}

// report prints the latencies, separately for deadlines before and after the restart. It returns the number
// of callers notified before their deadline.
func (h *timeoutLog) report(x rings, started time.Time) (early int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var before, after []time.Duration
	for id, at := range h.at {
		due := h.due[id]
		if at.Before(due) {
			early++
		}
		if due.Before(started) {
			before = append(before, at.Sub(started))
		} else {
			after = append(after, at.Sub(due))
		}
	}
	x.trial.say("%d of %d calls ended; %d were notified before the deadline", len(h.at), x.count, early)
	if len(before) > 0 {
		x.trial.say("due before the start: %d, from the start to the caller's notification: %s", len(before), quantiles(before))
	}
	x.trial.say("due while it ran: %d, from the deadline to the caller's notification: %s", len(after), quantiles(after))
	return early
}

// quantiles formats the quantiles of the durations.
func quantiles(d []time.Duration) string {
	if len(d) == 0 {
		return "none"
	}
	slices.Sort(d)
	at := func(q float64) time.Duration { return d[int(q*float64(len(d)-1))].Round(100 * time.Microsecond) }
	return fmt.Sprintf("p50 %v, p90 %v, p99 %v, max %v", at(0.5), at(0.9), at(0.99), at(1))
}
