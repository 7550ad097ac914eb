package presence_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/devices"
	"ringline.io/ringline/worker/presence"
	"ringline.io/ringline/worker/streams"
)

// A device whose only session ends is dropped after the grace period, and not before.
func TestADeviceThatIsGoneIsDropped(t *testing.T) {
	w := newWorld(t)
	w.grace = 2
	a := w.edge("a")
	ann, bob := w.active("c1")
	a.open(ann)
	a.open(bob)
	gone := time.Now()
	a.close(ann)
	w.lostAfter(gone, 2*time.Second)
}

// A device that comes back within the grace period, on the same edge or another one, is not dropped. The other call shows
// that drops are sent meanwhile.
func TestADeviceThatComesBackStays(t *testing.T) {
	w := newWorld(t)
	a, b := w.edge("a"), w.edge("b")
	ann, bob := w.active("c1")
	cid, dan := w.active("c2")
	for _, k := range []devices.Key{ann, bob, cid, dan} {
		a.open(k)
	}
	a.close(ann)
	b.open(ann)
	a.close(bob)
	a.open(bob)
	a.close(cid)
	w.lost("c2")
	w.stays("c1")
}

// A party that no session has put in is not watched.
func TestAPartyWithoutASessionIsNotWatched(t *testing.T) {
	w := newWorld(t)
	w.send(events.Command{
		CommandAddress: events.CommandAddress{App: app, CallID: "c1", Verb: events.VerbInvite}, CommandID: "i", UserID: "ann",
		DeviceID: "desk", Callees: []events.Party{{UserID: "bob"}},
	})
	w.active("c2")
	w.edge("a")
	w.lost("c2")
	if c := w.call("c1"); c.State != events.CallStateRinging {
		t.Errorf("a call of the backend: %+v", c)
	}
}

// The guard holds the drops of a mass disconnect, and not those of a few devices.
func TestAMassDisconnectIsHeld(t *testing.T) {
	w := newWorld(t)
	a, b := w.edge("a"), w.edge("b")
	const calls = 12
	for i := range calls {
		ann, bob := w.active(fmt.Sprint("m", i))
		a.open(ann)
		b.open(bob)
	}
	for i := range calls {
		a.close(device(fmt.Sprint("m", i, "ann")))
	}
	ann, bob := w.active("later")
	for i := range calls {
		w.eventually("the guard holds each drop", func() bool {
			return a.count(fmt.Sprintf(`"call_id":"m%d","message":"the drop of a party is held"`, i)) > 0
		})
	}
	for i := range calls {
		w.stays(fmt.Sprint("m", i))
	}
	for i := range calls { // they come back, all but one
		if i > 0 {
			a.open(device(fmt.Sprint("m", i, "ann")))
		}
	}
	a.open(ann)
	b.open(bob)
	w.lost("m0")
	w.stays("m1")
}

// A drop that waits on its way for more than 10 s changes nothing, because the device may be back. It is stored late, so the
// age of the stored command does not show it.
func TestADropThatWaitsBeforeItIsStored(t *testing.T) {
	w := newWorld(t)
	link, overLink := w.link()
	patient := timed(func(x *presence.Times) { x.Lost = time.Hour })
	a, b := w.edge("a", overLink, patient), w.edge("b", patient)
	ann, bob := w.active("c1")
	a.open(ann)
	a.open(bob)
	trap := link.SetTrap(func(subject string) bool { return strings.HasSuffix(subject, ".drop") }, false)
	a.close(ann)
	select {
	case <-trap.Sprung:
	case <-time.After(within):
		t.Fatal("no drop")
	}
	judged := time.Now()
	b.open(ann)
	commands, err := w.server.JS.Stream(t.Context(), streams.StreamCommands)
	if err != nil {
		t.Fatal(err)
	}
	stored := commands.CachedInfo().State.LastSeq
	<-time.After(time.Until(judged.Add(10 * time.Second)))
	link.Mend()
	w.eventually("the drop is handled", func() bool {
		c, err := commands.Consumer(t.Context(), streams.ConsumerCoordinators)
		if err != nil {
			t.Fatal(err)
		}
		return c.CachedInfo().AckFloor.Stream > stored
	})
	w.stays("c1")
}
