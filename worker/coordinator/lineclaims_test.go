package coordinator

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/store"
)

// An invitation found a line full and claimed lines behind it. When it is handled again, it does not wait for the full line:
// the command that has claimed that line meanwhile may be waiting for the other lines.
func TestNoDeadlockOfClaims(t *testing.T) {
	s := natstest.Start(t)
	calls := store.NewCalls(s.NC, zerolog.Nop(), nil)
	lines := newLineClaims(s.NC, s.JS, calls)
	claim := func(callID, caller string, callees ...string) (call.Claimed, error) {
		t.Helper()
		return lines.claim(t.Context(), claimOf(callID, caller, callees...))
	}
	free := func(got call.Claimed, err error) {
		t.Helper()
		if err != nil || got.CallerBusy || len(got.Busy) > 0 || got.Glare != nil {
			t.Fatalf("claimed: %+v, %v", got, err)
		}
	}
	busy := func(got call.Claimed, err error) {
		t.Helper()
		if err != nil || !slices.Equal(got.Busy, []string{"u5"}) {
			t.Fatalf("claimed: %+v, %v", got, err)
		}
	}

	free(claim("first", "u1", "u5"))
	base := commitOf(t, calls, claimOf("first", "u1", "u5"))
	busy(claim("x", "u8", "u5")) // x now holds u8
	ended := call.Decide(base.Transition, cancelOf("first", "u1"), inputNow()).(call.Write)
	if _, err := calls.Commit(t.Context(), base, ended.Transition, ended.At); err != nil {
		t.Fatal(err)
	}
	if _, err := claim("y", "u5", "u8"); !errors.Is(err, errInFlight) { // y now holds u5, and waits for u8
		t.Fatalf("y: %v", err)
	}
	busy(claim("x", "u8", "u5"))
	other := claimOf("x", "u8", "u5")
	other.cmd.CommandID = "another" // this command never found the line full
	if _, err := lines.claim(t.Context(), other); !errors.Is(err, errInFlight) {
		t.Fatalf("another command of that call: %v", err)
	}
	if _, err := claim("z", "u3", "u5"); !errors.Is(err, errInFlight) {
		t.Fatalf("who holds nothing behind it waits for the line: %v", err)
	}
}

func newLineClaims(nc *nats.Conn, js jetstream.JetStream, calls *store.Calls) *lineClaims {
	return &lineClaims{calls: calls, lines: store.NewLines(nc, js, calls, zerolog.Nop(), nil), log: zerolog.Nop()}
}

func inputNow() call.Input {
	return call.Input{At: time.Now(), Now: time.Now(), Limits: call.DefaultLimits()}
}

func claimOf(callID, caller string, callees ...string) lineClaim {
	cmd := events.Command{
		CommandAddress: events.CommandAddress{App: "demo", CallID: callID, Verb: events.VerbInvite},
		CommandID:      "k-" + callID, UserID: caller,
	}
	for _, u := range callees {
		cmd.Callees = append(cmd.Callees, events.Party{UserID: u})
	}
	return lineClaim{cmd: cmd, users: append(callees, caller), in: inputNow(), onClaimed: func() {}}
}

func cancelOf(callID, caller string) events.Command {
	return events.Command{
		CommandAddress: events.CommandAddress{App: "demo", CallID: callID, Verb: events.VerbCancel}, CommandID: "c-" + callID, UserID: caller,
	}
}

// commitOf writes the invitation.
func commitOf(t *testing.T, calls *store.Calls, c lineClaim) store.Loaded {
	t.Helper()
	w, ok := call.Decide(c.base, c.cmd, c.in).(call.Write)
	if !ok {
		t.Fatal("the invitation writes nothing")
	}
	return writeTransition(t, calls, store.Loaded{}, w)
}

func writeTransition(t *testing.T, calls *store.Calls, base store.Loaded, w call.Write) store.Loaded {
	t.Helper()
	after, err := calls.Commit(t.Context(), base, w.Transition, w.At)
	if err != nil {
		t.Fatal(err)
	}
	return after
}
