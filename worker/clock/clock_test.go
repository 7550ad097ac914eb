package clock

import (
	"testing"
	"time"
)

// world has a local clock that the test moves, and a broker whose clock is ahead of it.
type world struct {
	t     *testing.T
	local time.Time
	ahead time.Duration
	*Clock
}

func newWorld(t *testing.T, ahead time.Duration) *world {
	t.Helper()
	w := &world{t: t, local: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC), ahead: ahead}
	w.Clock = New(func() time.Time { return w.local })
	return w
}

func (w *world) pass(d time.Duration) { w.local = w.local.Add(d) }

func (w *world) broker() time.Time { return w.local.Add(w.ahead) }

// ask simulates a request. The leader reads its clock after `there`, and the answer arrives after `back`.
func (w *world) ask(there, back time.Duration) {
	asked := w.run()
	w.pass(there)
	stamp := w.broker()
	w.pass(back)
	w.answered(stamp, asked, w.run())
}

// within checks the error of the estimated broker time.
func (w *world) within(most time.Duration) {
	w.t.Helper()
	if off := w.Now().Sub(w.broker()); off.Abs() > most {
		w.t.Errorf("it is wrong by %v, want at most %v", off, most)
	}
}

func TestNow(t *testing.T) {
	const ms = time.Millisecond
	for _, ahead := range []time.Duration{0, 70 * time.Second, -70 * time.Second, -24 * time.Hour} {
		w := newWorld(t, ahead)
		if w.Known() {
			t.Error("it knows broker time before the first message")
		}
		if _, known := w.Skew(); known {
			t.Error("it knows the skew before the first message")
		}
		w.ask(3*ms, 1*ms)
		w.within(2 * ms)
		if skew, known := w.Skew(); !known || (skew+ahead).Abs() > 2*ms {
			t.Errorf("the skew is %v, %v, want %v", skew, known, -ahead)
		}
		w.pass(10 * time.Second)
		w.ask(300*ms, 0) // a slow answer does not replace the better bounds
		w.within(12 * ms)
		w.pass(time.Hour)
		w.ask(1*ms, 1*ms) // a fast answer improves the bounds
		w.within(1 * ms)
	}
}

// A message's timestamp is a lower bound, whatever the leader said before.
func TestBrokerTimeFromMessages(t *testing.T) {
	const ms = time.Millisecond
	w := newWorld(t, 70*time.Second)
	w.Observe(w.broker().Add(-time.Hour))
	if w.Known() {
		t.Error("the timestamp of an old message is not broker time")
	}
	w.ask(0, 100*ms) // the estimate is 50 ms behind broker time, half of the distance of the bounds
	stamp := w.broker()
	w.Observe(stamp)
	if w.Now().Before(stamp) {
		t.Errorf("now is %v before the timestamp of a message that came", stamp.Sub(w.Now()))
	}
	w.Observe(stamp.Add(-time.Hour)) // a redelivery
	w.within(50 * ms)
	w.pass(time.Second)
	w.ahead += 10 * time.Second // as if this machine was suspended
	stamp = w.broker()
	w.Observe(stamp)
	if now := w.Now(); now.Before(stamp) {
		t.Errorf("now is %v before the timestamp of a message that came", stamp.Sub(now))
	}
	w.within(110 * ms)
}

// A new leader whose clock differs takes effect at once, in both directions.
func TestAnotherLeader(t *testing.T) {
	const ms = time.Millisecond
	w := newWorld(t, time.Second)
	for _, step := range []time.Duration{5 * time.Second, -8 * time.Second, 200 * ms, -200 * ms} {
		w.ask(1*ms, 1*ms)
		w.ahead += step
		w.pass(time.Second)
		w.ask(2*ms, 2*ms)
		w.within(4 * ms)
	}
}

// Broker time has no monotonic reading. Otherwise a comparison with a timestamp would use the local clock.
func TestNoMonotonicReading(t *testing.T) {
	c := New(time.Now)
	c.answered(time.Now().Add(time.Minute), c.run(), c.run())
	if now := c.Now(); now != now.Round(0) || now.Location() != time.UTC {
		t.Errorf("%#v", now)
	}
}

// A nil *Clock is the local clock.
func TestNil(t *testing.T) {
	var c *Clock
	c.Observe(time.Now())
	if off := time.Since(c.Now()); off.Abs() > time.Minute || !c.Known() {
		t.Errorf("it is off by %v", off)
	}
}
