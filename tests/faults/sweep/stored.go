//go:build linux

package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/streams"
)

const storedApp = "stored"

// stored measures with few stored calls, and with many.
func (c Config) stored(ctx context.Context) (Table, error) {
	t := Table{
		Title: "Ended calls",
		About: c.played() + c.disk() + " The same broker before and after so many answered calls were stored, with four transitions each, which are also in the event log. " +
			"Memory is that of the nats-server process, idle before and right after bench.",
		Head: []string{"stored calls", "idle ring p50", "× floor", "calls/s", "× floor", "server before", "server after"},
	}
	err := c.on(ctx, "stored", c.plain(), func(s stage) error {
		if err := s.playStored(ctx, &t, 0); err != nil {
			return err
		}
		many := pick(c, 1_000_000, 5000)
		begun := time.Now()
		if err := s.fill(ctx, many); err != nil {
			return fmt.Errorf("store calls: %w", err)
		}
		s.Say("%s: %d calls are stored, after %v", s.name, many, time.Since(begun).Round(time.Second))
		return s.playStored(ctx, &t, many)
	})
	return t, err
}

func (s stage) playStored(ctx context.Context, t *Table, calls int) error {
	// An idle Go process collects garbage every two minutes, and returns memory to the system after that.
	play.Sleep(ctx, pick(s.Config, 150*time.Second, time.Second))
	before := s.rig.Nodes[0].Memory()
	r, err := s.withFloor(ctx, fmt.Sprintf("with-%d", calls), nil)
	if err != nil {
		return err
	}
	t.add(grouped(calls), micros(r.Ring.P50), by(r.Ratio.RingP50), grouped(r.CallsPerSecond), by(r.Ratio.CallsPerSecond),
		megabytes(before), megabytes(s.rig.Nodes[0].Memory()))
	return nil
}

// fill stores ended calls, and waits until the event log has them.
func (s stage) fill(ctx context.Context, calls int) error {
	nc, err := nats.Connect(s.rig.URLs())
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer nc.Close()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	const parallel = 4096
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(parallel),
		jetstream.WithPublishAsyncErrHandler(func(_ jetstream.JetStream, _ *nats.Msg, err error) { stop(err) }))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	for i := range calls {
		if i%100_000 == 99_999 {
			s.Say("%s: %d calls", s.name, i+1)
		}
		messages, err := over(i, time.Now().Add(-time.Hour))
		if err != nil {
			return err
		}
		for _, m := range messages {
			if _, err := js.PublishMsgAsync(m, jetstream.WithStallWait(time.Minute)); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	select {
	case <-js.PublishAsyncComplete():
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return logged(ctx, js)
}

// logged waits until the event log has all stored transitions.
func logged(ctx context.Context, js jetstream.JetStream) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Minute)
	defer cancel()
	count := func(name string) (uint64, error) {
		s, err := js.Stream(ctx, name)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		return s.CachedInfo().State.Msgs, nil
	}
	for {
		calls, err := count(streams.StreamCalls)
		if err != nil {
			return err
		}
		if log, err := count(streams.StreamEvents); err != nil || log >= calls {
			return err
		}
		if !play.Sleep(ctx, time.Second) {
			return errors.New("the event log does not catch up")
		}
	}
}

// over returns the messages of a call that was answered and ended, as a coordinator publishes them.
func over(i int, at time.Time) ([]*nats.Msg, error) {
	id := fmt.Sprintf("s%d", i)
	caller, callee := "caller-"+id, "callee-"+id
	in := call.Input{At: at, Now: at, Limits: call.DefaultLimits()}
	var last events.Transition
	var all []*nats.Msg
	for _, step := range []struct {
		verb events.Verb
		user string
	}{{events.VerbInvite, caller}, {events.VerbRing, callee}, {events.VerbAccept, callee}, {events.VerbEnd, caller}} {
		cmd := events.Command{
			CommandAddress: events.CommandAddress{App: storedApp, CallID: id, Verb: step.verb},
			CommandID:      string(step.verb), UserID: step.user,
		}
		if step.verb == events.VerbInvite {
			cmd.Callees = []events.Party{{UserID: callee}}
		}
		w, ok := call.Decide(last, cmd, in).(call.Write)
		if !ok || w.Err != nil {
			return nil, fmt.Errorf("%s makes no transition", step.verb)
		}
		last = w.Transition
		body, err := last.Encode(w.At)
		if err != nil {
			return nil, err
		}
		m := nats.NewMsg(events.TransitionSubject(storedApp, id))
		m.Data = body
		m.Header.Set("Content-Type", events.ContentType)
		m.Header.Set(events.HeaderEvent, string(last.Event))
		all = append(all, m)
	}
	return all, nil
}
