//go:build linux

package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/rig"
)

// Sweeps run in a fixed order, each once. The error for an unknown name lists the known ones.
func TestPick(t *testing.T) {
	if got, err := Pick(nil); err != nil || !slices.Equal(got, Names()) {
		t.Errorf("nothing gives %v, %v", got, err)
	}
	if got, err := Pick([]string{"stored", "workers", "stored"}); err != nil || !slices.Equal(got, []Name{Workers, Stored}) {
		t.Errorf("two give %v, %v", got, err)
	}
	_, err := Pick([]string{"workers", "replica"})
	if err == nil || !strings.Contains(err.Error(), `"replica"`) || !strings.Contains(err.Error(), "workers, load, replicas") {
		t.Errorf("an unknown word gives %v", err)
	}
}

// A failed step does not stop the others, and every error is returned. An interrupted step is the last one.
func TestEach(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var done []int
	err := each(ctx, []int{1, 2, 3, 4}, func(n int) error {
		done = append(done, n)
		switch n {
		case 1:
			return errors.New("one")
		case 3:
			stop()
		}
		return nil
	})
	if !slices.Equal(done, []int{1, 2, 3}) || err == nil || !strings.Contains(err.Error(), "one") || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", done, err)
	}
}

// The busiest interval is found wherever it begins, and shorter intervals are ignored.
func TestBusiest(t *testing.T) {
	var all []sample
	begun := time.Now()
	for i, n := range []int{0, 1, 2, 12, 22, 32, 33, 34} {
		all = append(all, sample{
			at: begun.Add(time.Duration(i) * time.Second), used: rig.Used{"coordinator-1": time.Duration(n) * time.Second, "nats-1": time.Hour},
		})
	}
	figure := func(x sample) float64 { return x.of("coordinator").Seconds() }
	from, to, err := busiest(all, 3*time.Second, figure)
	if err != nil || from.at != all[2].at || to.at != all[5].at {
		t.Errorf("from %v to %v, %v", from.at.Sub(begun), to.at.Sub(begun), err)
	}
	if _, _, err := busiest(all, 8*time.Second, figure); err == nil {
		t.Error("it was busy for longer than it was looked at")
	}
}

// Idle time and time waiting for the disk are not busy time.
func TestBusyTime(t *testing.T) {
	got, err := busyTime("cpu  100 20 30 4000 500 6 7 8 900 900\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
	if err != nil || got != 1710*time.Millisecond {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "cpu0 1 1 1 1 1 1 1 1 1 1\n", "cpu 1 2 3\n", "cpu a 1 1 1 1 1 1 1 1 1\n"} {
		if got, err := busyTime(bad); err == nil {
			t.Errorf("%q gives %v", bad, got)
		}
	}
}

// The cost is computed from the growth of the counters. A missing metric is an error, not 0.
func TestCost(t *testing.T) {
	before := map[string]float64{metricCommands: 100, metricMallocs: 5000, metricBytes: 1000, metricProcessor: 1}
	after := map[string]float64{metricCommands: 300, metricMallocs: 25_000, metricBytes: 401_000, metricProcessor: 1.05}
	if got, err := costOf(before, after); err != nil || got.commands != 200 || got.mallocs != 100 || got.bytes != 2000 || int(got.micros+0.5) != 250 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := costOf(after, after); err == nil {
		t.Errorf("no command costs %+v", got)
	}
	delete(after, metricMallocs)
	if _, err := costOf(before, after); err == nil || !strings.Contains(err.Error(), metricMallocs) {
		t.Errorf("without a metric: %v", err)
	}
}

func TestLimit(t *testing.T) {
	for _, x := range []struct {
		before, now, cores float64
		want               string
	}{
		{0, 500, 0.5, "coordinators"}, {500, 900, 0.8, "coordinators"}, {500, 520, 0.8, "broker"}, {500, 900, 0.99, "cores"},
	} {
		if got := limit(x.before, x.now, x.cores); got != x.want {
			t.Errorf("%+v gives %s", x, got)
		}
	}
}

// Stored calls are valid for a coordinator: each message is a transition, and the last one ends the call.
func TestOver(t *testing.T) {
	messages, err := over(7, time.Now())
	if err != nil || len(messages) != 4 {
		t.Fatalf("%d messages, %v", len(messages), err)
	}
	for i, m := range messages {
		app, id, ok := events.ParseTransitionSubject(m.Subject)
		if !ok || app != storedApp || m.Header.Get("Content-Type") != events.ContentType {
			t.Fatalf("message %d is on %s", i, m.Subject)
		}
		got, _, err := events.ReadTransition(app, id, m.Data)
		if err != nil || got.Seq != i+1 || string(got.Event) != m.Header.Get(events.HeaderEvent) {
			t.Errorf("message %d is %+v, %v", i, got, err)
		}
		if ended := got.Call.State == events.CallStateEnded; ended != (i == 3) {
			t.Errorf("after message %d the call is %s", i, got.Call.State)
		}
	}
}

// A call counts once as ringing and once as over, whatever other notifications arrive. Its times are its own.
func TestListener(t *testing.T) {
	e := newListener(2)
	receive := func(event events.Kind, call int, to string, deadline time.Time) {
		t.Helper()
		body, err := json.Marshal(events.Notification{Event: event, Call: events.Call{
			CallID:  "c",
			Caller:  events.Caller{UserID: callerName + []string{"0", "1"}[call]},
			Callees: []events.Callee{{UserID: "callee", RingDeadline: events.TimeOf(deadline)}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		e.receive(&nats.Msg{Subject: events.UserSubject(pendingApp, to), Data: body})
	}
	soon := time.Now().Add(time.Hour)
	for i := range 2 {
		if err := e.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			receive(events.IncomingCallReceived, i, "callee", time.Now().Add(-time.Second).Add(time.Duration(i)*2*time.Hour))
		}
	}
	if len(e.room) != 0 {
		t.Errorf("%d do not ring", len(e.room))
	}
	receive(events.CallEnded, 0, callerName+"0", soon)
	receive(events.OutgoingCallTimeout, 0, callerName+"0", soon)
	receive(events.OutgoingCallTimeout, 0, callerName+"0", soon)
	if err := e.ended(t.Context(), time.Now().Add(time.Millisecond)); err == nil || !strings.Contains(err.Error(), "1 of 2") {
		t.Errorf("one of both is over: %v", err)
	}
	receive(events.OutgoingCallTimeout, 1, callerName+"1", soon)
	early, late, span := e.figures()
	if early != 1 || late.At(1) < time.Second || span < time.Second || span > time.Minute || e.within().Round(time.Minute) != 2*time.Hour {
		t.Errorf("%d early, late %v, %v from the first deadline to the last notification, within %v", early, late, span, e.within())
	}
}

// The ring time must be in the allowed range.
func TestInvitation(t *testing.T) {
	m, err := invitation(12, 30)
	if err != nil || m.Subject != "ringline.pending.cmd.r12.invite" || !strings.Contains(string(m.Data), `"ring_timeout_s":30`) {
		t.Errorf("%+v, %v", m, err)
	}
	for _, s := range []int{0, events.MaxRingTimeoutS + 1} {
		if _, err := invitation(12, s); err == nil {
			t.Errorf("it may ring for %d s", s)
		}
	}
}

// If fewer sessions can be opened, the last step is that maximum.
func TestAtMost(t *testing.T) {
	counts := []int{100, 1000, 20_000}
	for most, want := range map[int][]int{19_500: {100, 1000, 19_500}, 1000: {100, 1000}, 500: {100, 500}, 50: {50}} {
		if got := atMost(counts, most); !slices.Equal(got, want) {
			t.Errorf("%d gives %v", most, got)
		}
	}
}
