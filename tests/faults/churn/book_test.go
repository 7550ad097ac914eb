package churn

import (
	"reflect"
	"slices"
	"testing"

	"ringline.io/ringline/events"
)

// Old or known states change nothing, in any order, and a call that is over stays over.
func TestBookDropsWhatItKnows(t *testing.T) {
	steps := rang()
	want := []Fact{
		{CallID: "c1", Callee: bob, Attempt: 1, What: factIncoming},
		{CallID: "c1", Callee: bob, Attempt: 1, What: "canceled"},
		{CallID: "c1", What: factEnded},
	}
	for _, order := range [][]int{{0, 1}, {0, 0, 1, 1, 0}, {0, 1, 0, 1}} {
		b := newBook(bob)
		for _, i := range order {
			b.see(steps[i].Call, 1)
		}
		if !reflect.DeepEqual(b.facts, want) {
			t.Errorf("%v gives %+v", order, b.facts)
		}
		if len(b.sights) != 2 || len(b.showing()) != 0 {
			t.Errorf("%v: %d sights, shows %v", order, len(b.sights), b.showing())
		}
	}
}

// A call that is over when the client first receives it is never shown, and reports nothing.
func TestBookShowsNothingThatIsOver(t *testing.T) {
	b := newBook(bob)
	b.see(rang()[1].Call, 1)
	b.see(rang()[0].Call, 2)
	if len(b.facts) != 0 || len(b.showing()) != 0 {
		t.Errorf("facts %+v, shows %v", b.facts, b.showing())
	}
}

// A shown call that is missing from a snapshot is over, and its end is reported once. A call that is not
// shown is not affected.
func TestBookOfSnapshots(t *testing.T) {
	b := newBook(bob)
	ring := rang()[0].Call
	b.snapshot([]events.SnapshotCall{{Call: ring}}, nil, 1)
	if got := b.showing(); !slices.Equal(got, []string{"c1"}) {
		t.Fatalf("shows %v", got)
	}
	b.snapshot([]events.SnapshotCall{{Call: ring}}, []string{"c1"}, 2)
	if got := b.showing(); len(got) != 1 {
		t.Fatalf("shows %v after the same again", got)
	}
	for range 2 {
		b.snapshot(nil, []string{"c1", "other"}, 3)
	}
	ends := 0
	for _, f := range b.facts {
		if f.What == factEnded {
			ends++
		}
	}
	if ends != 1 || len(b.showing()) != 0 || len(b.sights) != 2 {
		t.Errorf("%d ends, shows %v, %d sights", ends, b.showing(), len(b.sights))
	}
}

// A caller gets a report for each callee, and a second attempt is a separate fact.
func TestBookOfACaller(t *testing.T) {
	b := newBook(ann)
	c := rang()[0].Call
	c.Callees = append(c.Callees, events.Callee{UserID: "eve", Attempt: 1, State: events.StateInvited})
	b.see(c, 1)
	next := func(i, attempt int, s events.PartyState) {
		c.Seq++
		c.Callees = slices.Clone(c.Callees)
		c.Callees[i].State, c.Callees[i].Attempt = s, attempt
		b.see(c, 1)
	}
	next(0, 1, events.StateDeclined)
	next(1, 1, events.StateRinging)
	next(1, 1, events.StateAccepted)
	next(0, 2, events.StateInvited)
	next(0, 2, events.StateDeclined)
	want := []Fact{
		{"c1", bob, 1, "declined"}, {"c1", "eve", 1, "accepted"}, {"c1", bob, 2, "declined"},
	}
	if !reflect.DeepEqual(b.facts, want) {
		t.Errorf("%+v", b.facts)
	}
}

func TestPush(t *testing.T) {
	b := newBook(bob)
	ring, err := events.Encode(events.Notification{Event: events.IncomingCallReceived, CallID: "c1", Seq: 1, Call: rang()[0].Call})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.push(ring, 1); err != nil || len(b.showing()) != 1 {
		t.Fatalf("%v, shows %v", err, b.showing())
	}
	none, err := events.Encode(events.Snapshot{}.Pushed([]string{"c1"}))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.push(none, 2); err != nil || len(b.showing()) != 0 {
		t.Errorf("%v, shows %v", err, b.showing())
	}
	if b.push([]byte("{"), 3) == nil {
		t.Error("half a push is taken")
	}
}
