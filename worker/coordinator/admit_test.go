package coordinator

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/quota"
	"ringline.io/ringline/worker/streams"
)

const admitted = `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}],"ring_timeout_s":600}`

// refusing returns admissions that refuse every invite.
func refusing(code events.Code) []Admission {
	return []Admission{
		func(time.Time, events.Command, int) error { return nil },
		func(_ time.Time, cmd events.Command, bytes int) error {
			if cmd.Verb != events.VerbInvite || bytes == 0 {
				return nil
			}
			return events.Errorf(code, "full")
		},
	}
}

// A refused first delivery leaves nothing behind. A redelivery is never refused, because it may already have claimed and
// committed.
func TestAdmissionRefusesFirstDeliveriesOnly(t *testing.T) {
	b := newBench(t)
	b.begins()
	for _, code := range []events.Code{events.CodeExhausted, events.CodeRateLimited} {
		b.c.cfg.Admit = refusing(code)
		callID := string(code)
		m, claims := b.deliver(callID, "invite", admitted), b.written("KV_"+streams.BucketLines)
		b.c.handle(t.Context(), m)
		if published := b.published(callID); len(published) > 0 { // the answer follows the ack
			t.Errorf("%s: answered %q", code, published)
		}
		if now, err := b.c.calls.LoadFromLeader(t.Context(), "demo", callID); err != nil || now.Seq != 0 {
			t.Errorf("%s: the call is at %d, %v", code, now.Seq, err)
		}
		if now := b.written("KV_" + streams.BucketLines); now != claims {
			t.Errorf("%s: %d claims", code, now-claims)
		}
		b.handled(b.again(m))
		b.isDone(callID, 1, b.published(callID))
	}
}

// An error that is not written for clients is not an answer: the command is nak'ed, the runner logs the error, and the redelivery is
// carried out.
func TestAdmissionFails(t *testing.T) {
	b := newBench(t)
	b.begins()
	broken := errors.New("broken")
	b.c.cfg.Admit = []Admission{func(time.Time, events.Command, int) error { return broken }}
	m := b.deliver("c1", "invite", admitted)
	want := worker.Failed(1, meter.Defect, fmt.Errorf("coordinator: refuse a command: %w", broken))
	if got := b.c.handle(t.Context(), m); !reflect.DeepEqual(got, want) {
		t.Errorf("handled with %+v, want %+v", got, want)
	}
	if published := b.published("c1"); len(published) > 0 {
		t.Errorf("answered %q", published)
	}
	b.handled(b.again(m))
	b.isDone("c1", 1, b.published("c1"))
}

// Commands stored before the connection began may have been handled, because a broker that crashes loses its delivery counts.
func TestAdmissionKeepsOldCommands(t *testing.T) {
	b := newBench(t)
	b.c.cfg.Admit = refusing(events.CodeRateLimited)
	m := b.deliver("old", "invite", admitted)
	b.begins()
	b.handled(m)
	b.isDone("old", 1, b.published("old"))
	m = b.deliver("new", "invite", admitted)
	b.c.arrivals.reconnects-- // simulates a reconnect
	b.handled(m)
	b.isDone("new", 1, b.published("new"))
}

// A recreated stream of commands starts at sequence 1, and a recreated consumer loses its delivery counts. Only commands stored
// after the worker has noticed that can be refused again.
func TestAdmissionAfterTheStreamWasRecreated(t *testing.T) {
	b := newBench(t)
	b.c.cfg.Admit = refusing(events.CodeRateLimited)
	b.begins()
	b.c.arrivals.last = 1_000_000 // of the deleted stream
	b.c.arrivals.at = b.c.arrivals.at.Add(-time.Minute)
	m := b.deliver("first", "invite", admitted)
	b.handled(m)
	b.isDone("first", 1, b.published("first"))
	b.c.handle(t.Context(), b.deliver("second", "invite", admitted))
	if now, err := b.c.calls.LoadFromLeader(t.Context(), "demo", "second"); err != nil || now.Seq != 0 {
		t.Errorf("a later command was admitted: the call is at %d, %v", now.Seq, err)
	}
}

// begins makes the worker look at the stream until it succeeds. A look has a timeout of 1 s, which may be too short on a busy
// machine.
func (b *bench) begins() {
	b.Helper()
	for end := time.Now().Add(time.Minute); !b.c.arrivals.known; {
		if b.c.arrivals.begin(b.Context(), b.js); time.Now().After(end) {
			b.Fatal("the stored call is unknown")
		}
	}
}

// The number of look-ups above a quota is limited for each app. A flood of repeats is refused like any other flood.
func TestRepeatsAboveAQuotaAreBounded(t *testing.T) {
	b := newBench(t)
	b.begins()
	b.handled(b.deliver("c1", "invite", admitted))
	published := len(b.published("c1"))
	if published == 0 {
		t.Fatal("no call")
	}
	b.c.cfg.Fair = &Fair{Quotas: quota.New(func() int { return 1 }), Limits: func(string) quota.Limits {
		return quota.LimitsOf(events.AppSettings{CommandsPerS: 10}) // one look-up per second
	}}
	b.c.cfg.Admit = refusing(events.CodeRateLimited)
	carriedOut, at := 0, time.Now()
	for range 20 {
		msg := b.deliver("c1", "invite", admitted)
		d, err := read(msg)
		if err != nil {
			t.Fatal(err)
		}
		d.at = at // one timestamp for all, however slow the machine is
		if d.delivered == 1 && b.c.refusal(t.Context(), d) == nil {
			carriedOut++
		}
		if err := msg.Ack(); err != nil { // otherwise it is redelivered after 3 s
			t.Fatal(err)
		}
	}
	if carriedOut > 1 {
		t.Errorf("%d of 20 repeats above the quota were executed again, want one", carriedOut)
	}
}

// A refusal says that the invitation was not carried out. A copy of one that was carried out therefore receives the answer of a
// repeat.
func TestExecutedCommandIsNeverRefused(t *testing.T) {
	b := newBench(t)
	b.begins()
	b.handled(b.deliver("c1", "invite", admitted))
	first := b.published("c1")
	b.c.cfg.Admit = refusing(events.CodeExhausted)
	b.handled(b.deliver("c1", "invite", admitted))
	b.isDone("c1", 1, b.published("c1"))
	b.handled(b.deliver("c1", "accept", `{"command_id":"a1","user_id":"bob"}`))
	if now, err := b.c.calls.LoadFromLeader(t.Context(), "demo", "c1"); err != nil || now.Call.State != events.CallStateActive || len(first) == 0 {
		t.Errorf("the call is %s, %v", now.Call.State, err)
	}
}

// written returns how many messages were ever written to a stream.
func (b *bench) written(stream string) uint64 {
	b.Helper()
	st, err := b.js.Stream(b.Context(), stream)
	if err != nil {
		b.Fatal(err)
	}
	return st.CachedInfo().State.LastSeq
}
