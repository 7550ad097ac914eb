package coordinator

import (
	"reflect"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/streams"
)

// unleased is a message whose lease has ended: another worker may have it.
type unleased struct{ jetstream.Msg }

func (unleased) Leased() bool  { return false }
func (unleased) Crowded() bool { return false }

// Nothing is written, answered or notified for a message whose lease is gone when its handler begins, whatever the command is
// (ADR 0009).
func TestNoDecisionBeginsWithoutALease(t *testing.T) {
	b := newBench(t)
	b.begins()
	b.handled(b.deliver("c1", "invite", admitted)) // the call on which the commands below would act
	b.published("c1")
	const bob, ann = `{"command_id":"k2","user_id":"bob"}`, `{"command_id":"k2","user_id":"ann"}`
	for _, x := range []struct{ callID, verb, body string }{
		{"new", "invite", admitted},
		{"unknown", "cancel", ann},
		{"c1", "add", `{"command_id":"k2","user_id":"ann","callees":[{"user_id":"eve"}]}`},
		{"c1", "ring", bob},
		{"c1", "accept", bob},
		{"c1", "decline", bob},
		{"c1", "cancel", ann},
		{"c1", "leave", ann},
		{"c1", "end", `{"command_id":"k2","service":"desk"}`},
		{"c1", "expire", `{"command_id":"k2","service":"timeouts"}`},
		{"c1", "accept", `{"command_id":"k2","user_id":"joe"}`}, // it would be refused
	} {
		m := b.deliver(x.callID, x.verb, x.body)
		before := b.allWritten()
		if exit := b.c.handle(t.Context(), unleased{m}); !reflect.DeepEqual(exit, worker.Abandon()) {
			t.Errorf("%s of %s: the exit is %+v", x.verb, x.callID, exit)
		}
		if after := b.allWritten(); after != before {
			t.Errorf("%s of %s: written, was %v, is %v", x.verb, x.callID, before, after)
		}
		if published := b.published(x.callID); len(published) > 0 {
			t.Errorf("%s of %s: published %q", x.verb, x.callID, published)
		}
		if err := m.DoubleAck(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// allWritten returns the last sequences of every stream that a coordinator writes to.
func (b *bench) allWritten() [4]uint64 {
	b.Helper()
	return [4]uint64{
		b.written(streams.StreamCalls), b.written(streams.StreamOf(streams.BucketLines)), b.written(streams.StreamTimers),
		b.written(streams.StreamRejected),
	}
}
