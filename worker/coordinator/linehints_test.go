package coordinator

import (
	"fmt"
	"slices"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/store"
)

// claimant claims and releases lines like a separate process, and counts the reads of lines.
type claimant struct {
	t     *testing.T
	calls *store.Calls
	lines *lineClaims
	own   *nats.Conn
	nc    *nats.Conn         // of the subscription that counts reads
	reads *nats.Subscription // receives the reads of lines by any claimant
}

func newClaimant(t *testing.T, s *natstest.Server) claimant {
	t.Helper()
	reads, err := s.NC.SubscribeSync("$JS.API.STREAM.MSG.GET.KV_RINGLINE_LINES")
	if err != nil {
		t.Fatal(err)
	}
	nc := s.Connect(t)
	calls := store.NewCalls(nc, zerolog.Nop(), nil)
	return claimant{t, calls, newLineClaims(nc, s.JS, calls), nc, s.NC, reads}
}

// claim makes a first claim, and requires this number of reads of lines.
func (c claimant) claim(reads int, callID, caller string, callees ...string) call.Claimed {
	c.t.Helper()
	return c.counted(reads, func() (got call.Claimed, err error) {
		x := claimOf(callID, caller, callees...)
		x.first = true
		return c.lines.claim(c.t.Context(), x)
	})
}

func (c claimant) counted(reads int, do func() (call.Claimed, error)) call.Claimed {
	c.t.Helper()
	before := c.seen()
	got, err := do()
	if err != nil {
		c.t.Fatal(err)
	}
	if n := c.seen() - before; n != reads {
		c.t.Errorf("%d reads of lines, want %d", n, reads)
	}
	return got
}

// seen returns the number of reads so far, by any claimant.
func (c claimant) seen() int {
	c.t.Helper()
	if err := c.nc.Flush(); err != nil {
		c.t.Fatal(err)
	}
	n, _, err := c.reads.Pending()
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// end commits the call, ends it and releases its lines.
func (c claimant) end(reads int, callID, caller, callee string) {
	c.t.Helper()
	base := commitOf(c.t, c.calls, claimOf(callID, caller, callee))
	w, ok := call.Decide(base.Transition, cancelOf(callID, caller), inputNow()).(call.Write)
	if !ok {
		c.t.Fatal("a cancel writes nothing")
	}
	ended := writeTransition(c.t, c.calls, base, w)
	c.counted(reads, func() (call.Claimed, error) {
		return call.Claimed{}, c.lines.release(c.t.Context(), ended.Transition, []string{caller, callee})
	})
}

// A first claim reads no line that is empty or as this process wrote it. The release of those lines reads none either.
func TestFirstClaimsDoNotRead(t *testing.T) {
	s := natstest.Start(t)
	c := newClaimant(t, s)
	for _, id := range []string{"c1", "c2", "c3"} { // the same users, so their lines have markers after the first call
		if got := c.claim(0, id, "ann", "bob"); !got.All() {
			t.Fatalf("%s: %+v", id, got)
		}
		c.end(0, id, "ann", "bob")
	}
}

// After a wrong guess, a first claim reads the line. Then its result is the same as with reads from the start.
func TestWrongGuesses(t *testing.T) {
	s := natstest.Start(t)
	one, other := newClaimant(t, s), newClaimant(t, s)
	if got := one.claim(0, "c1", "ann", "bob"); !got.All() {
		t.Fatalf("%+v", got)
	}
	commitOf(t, one.calls, claimOf("c1", "ann", "bob"))
	if got := other.claim(1, "c2", "eve", "bob"); !slices.Equal(got.Busy, []string{"bob"}) {
		t.Errorf("a line that another process has claimed: %+v", got)
	}
	if got := one.claim(1, "c3", "joe", "bob"); !slices.Equal(got.Busy, []string{"bob"}) {
		t.Errorf("a line that this process has claimed: %+v", got)
	}
	if got := other.claim(1, "c4", "ann", "jim"); !got.CallerBusy {
		t.Errorf("a caller who is in a call: %+v", got)
	}
	if got := one.claim(2, "c5", "bob", "ann"); got.Glare == nil || got.Glare.CallID != "c1" {
		t.Errorf("the other half of a glare: %+v", got)
	}

	// Process two ends a call that process one has claimed. The hint of one says that the line is full, and two has no hint.
	two := newClaimant(t, s)
	if got := one.claim(0, "d1", "max", "moe"); !got.All() {
		t.Fatalf("%+v", got)
	}
	two.end(2, "d1", "max", "moe")
	if got := one.claim(2, "d2", "max", "moe"); !got.All() {
		t.Errorf("lines that another process has released: %+v", got)
	}
	two.end(2, "d2", "max", "moe") // the hints of two say that these lines are empty
}

// Hints are valid on one connection: the server of the next connection may have lost its last writes.
func TestHintsOfAnEarlierConnection(t *testing.T) {
	s := natstest.Start(t)
	c := newClaimant(t, s)
	if got := c.claim(0, "c1", "ann", "bob"); !got.All() {
		t.Fatalf("%+v", got)
	}
	c.end(0, "c1", "ann", "bob")
	again := c.own.StatusChanged(nats.CONNECTED)
	if err := c.own.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	<-again
	if got := c.claim(2, "c2", "ann", "bob"); !got.All() {
		t.Fatalf("%+v", got)
	}
	c.end(0, "c2", "ann", "bob")
}

// After many wrong guesses a process reads lines, and guesses now and then. Once a guess is right, it guesses again.
func TestUselessGuessesStop(t *testing.T) {
	s := natstest.Start(t)
	one, other := newClaimant(t, s), newClaimant(t, s)
	for i := range 17 { // one more than the best score
		caller, callee := fmt.Sprintf("ann%d", i), fmt.Sprintf("bob%d", i)
		if got := other.claim(0, fmt.Sprintf("c%d", i), caller, callee); !got.All() {
			t.Fatalf("%+v", got)
		}
		commitOf(t, other.calls, claimOf(fmt.Sprintf("c%d", i), caller, callee))
		if got := one.claim(1, fmt.Sprintf("d%d", i), caller, fmt.Sprintf("eve%d", i)); !got.CallerBusy {
			t.Fatalf("a caller who is in a call: %+v", got)
		}
	}
	const nowAndThen = 32
	for i := range nowAndThen + 1 {
		reads := 2
		if i >= nowAndThen-1 { // this claim and the next one guess, and are right
			reads = 0
		}
		if got := one.claim(reads, fmt.Sprintf("e%d", i), fmt.Sprintf("joe%d", i), fmt.Sprintf("kim%d", i)); !got.All() {
			t.Fatalf("%d: %+v", i, got)
		}
	}
}
