//go:build linux

package lost

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/worker/streams"
)

// Churn lets clients in calls connect and disconnect while faults happen, and looks for false losses.
type Churn struct {
	Clients  int
	Duration time.Duration
	Seed     uint64
}

// ChurnOutcome is the result.
type ChurnOutcome struct {
	Calls, Sessions int
	Lost            int      // parties who were dropped
	False           []string // of them, those whose device had a session within the grace period before
}

// slack is how much earlier than the grace period a drop may be: the time of a drop is broker time, and a client notices
// late that its session has ended.
const slack = 500 * time.Millisecond

// Run plays until Duration is over.
func (x Churn) Run(ctx context.Context, t *Town) (o ChurnOutcome, err error) {
	ctx, cancel := context.WithTimeout(ctx, x.Duration)
	defer cancel()
	phones := map[string]*phone{}
	var all sync.WaitGroup
	var calls, sessions atomic.Int64
	for i := range x.Clients / 2 {
		pair := [2]*phone{t.phone(fmt.Sprintf("u%d-a", i)), t.phone(fmt.Sprintf("u%d-b", i))}
		for j, p := range pair {
			phones[p.user] = p
			rng := rand.New(rand.NewPCG(x.Seed, uint64(2*i+j))) //nolint:gosec // repeatable, and i is small
			all.Go(func() { t.churn(ctx, p, rng, &sessions) })
		}
		rng := rand.New(rand.NewPCG(x.Seed+1, uint64(i))) //nolint:gosec // the same
		all.Go(func() {
			for n := 0; play.Sleep(ctx, time.Duration(rng.Int64N(int64(10*time.Second)))); n++ {
				id := fmt.Sprintf("u%d-%d", i, n)
				if t.talk(ctx, id, pair[0].user, pair[1].user) == nil { // it may fail during a fault
					calls.Add(1)
					play.Sleep(ctx, time.Duration(30+rng.IntN(150))*time.Second)
				}
				_ = t.end(ctx, id, pair[0].user) // the other party may have been lost
			}
		})
	}
	all.Wait()
	o.Calls, o.Sessions = int(calls.Load()), int(sessions.Load())
	judging, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Minute)
	defer stop()
	err = t.judge(judging, phones, &o)
	return o, err
}

// churn keeps a phone connected, with short breaks. One break in ten is longer than the grace period of an active call.
func (t *Town) churn(ctx context.Context, p *phone, rng *rand.Rand, sessions *atomic.Int64) {
	for ctx.Err() == nil {
		left, err := p.connect(ctx, t.edge(rng.IntN(len(t.Edges))))
		if err != nil {
			play.Sleep(ctx, time.Duration(200+rng.IntN(800))*time.Millisecond)
			continue
		}
		sessions.Add(1)
		stay, cancel := context.WithTimeout(ctx, time.Duration(5+rng.IntN(55))*time.Second)
		select {
		case <-stay.Done():
			p.leave()
			<-left
		case <-left:
		}
		cancel()
		away := time.Duration(rng.Int64N(int64(8 * time.Second)))
		if rng.IntN(10) == 0 {
			away = 90 * time.Second
		}
		play.Sleep(ctx, away)
	}
}

// judge reads the event log, and compares each loss with the sessions of the device.
func (t *Town) judge(ctx context.Context, phones map[string]*phone, o *ChurnOutcome) error {
	js, err := jetstream.New(t.NC)
	if err != nil {
		return fmt.Errorf("lost: %w", err)
	}
	log, err := record.ReadStream(ctx, js, streams.StreamEvents, "")
	if err != nil {
		return err
	}
	for _, m := range log {
		var e struct {
			Data events.Transition `json:"data"`
		}
		if json.Unmarshal([]byte(m.Data), &e) != nil || e.Data.Call.App != t.app.Name || e.Data.By.Service != events.ServicePresence {
			continue
		}
		c := e.Data.Call
		grace := events.DefaultLostActiveS * time.Second
		if c.AnsweredAt.Time().IsZero() {
			grace = events.DefaultLostRingingS * time.Second
		}
		for user, reason := range reasons(c) {
			p := phones[user]
			if reason.why != events.ReasonLost || p == nil || reason.seq != c.Seq {
				continue
			}
			o.Lost++
			at := time.Unix(0, m.At)
			if absent := at.Sub(p.there(at)); absent < grace-slack {
				o.False = append(o.False, fmt.Sprintf("%s was dropped from %s at %s, %v after its device had a session", user, c.CallID,
					at.Format("15:04:05.000"), absent.Round(time.Millisecond)))
			}
		}
	}
	return nil
}

// change is the last change of a party.
type change struct {
	why events.Reason
	seq int
}

// reasons lists the parties of a call.
func reasons(c events.Call) map[string]change {
	all := map[string]change{c.Caller.UserID: {c.Caller.Reason, c.Caller.ChangedSeq}}
	for _, x := range c.Callees {
		all[x.UserID] = change{x.Reason, x.ChangedSeq}
	}
	return all
}
