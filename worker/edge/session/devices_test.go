package session_test

import (
	"encoding/json"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/devices"
	"ringline.io/ringline/worker/edge/session"
)

// says sends away or back.
func (d *device) says(method string) {
	d.tb.Helper()
	raw, ok := receive(d.tb, "an answer", d.Call(method, `{}`))
	var a events.Answer
	if !ok || json.Unmarshal(raw, &a) != nil || !a.OK {
		d.tb.Fatalf("%s is answered %s", method, raw)
	}
}

// News that a device is present, which the api sends for media servers, count on every edge.
func TestPresentWithoutASession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	one, two := w.start(t), w.start(t)
	phone := devices.Key{App: a.name, UserID: "ann", DeviceID: "phone"}
	until := time.Now().Add(time.Minute).Round(0).UTC()
	if err := devices.Publish(a.nc, devices.News{Key: phone, Event: devices.NewsPresent, At: until}); err != nil {
		t.Fatal(err)
	}
	for _, e := range []*edge{one, two} {
		eventually(t, "the device is present", func() bool { return e.Device(phone) == devices.State{Seen: until} })
	}
}

// An edge knows of each device whether it has a session, when it left, and whether it is away. A device stays away
// after its socket is closed, on every edge, and after its edge has stopped. A new session on any edge brings it back.
func TestDevicesOfAnEdge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	one, two := w.start(t), w.start(t)
	phone := devices.Key{App: a.name, UserID: "ann", DeviceID: "phone"}
	known := func(what string, e *edge, so func(devices.State) bool) {
		t.Helper()
		eventually(t, what, func() bool { return so(e.Device(phone)) })
	}
	away := func(s devices.State) bool { return s.IsAway() }
	present := func(s devices.State) bool { return s.Connected && !s.IsAway() }

	if s := one.Device(phone); s != (devices.State{}) {
		t.Errorf("before: %+v", s)
	}
	ann := a.by(one, "ann", "phone")
	if s := one.Device(phone); !present(s) || s.Opened.IsZero() || !s.Seen.IsZero() {
		t.Errorf("with a session: %+v", s)
	}
	ann.says("away")
	if s := one.Device(phone); !s.Connected || !s.IsAway() {
		t.Errorf("away: %+v", s)
	}
	known("the other edge knows it too", two, away)
	ann.says("back")
	known("back", one, present)
	known("back, on the other edge", two, func(s devices.State) bool { return !s.IsAway() })
	ann.says("away")
	ann.Break()
	known("the socket is closed", one, func(s devices.State) bool {
		return !s.Connected && s.IsAway() && !s.Seen.Before(s.Opened) && time.Since(s.Seen) < within
	})

	one.Stop()
	receive(t, "the end", one.Stopped())
	three := w.start(t)
	two.Stop() // it tells the third what the first had told it
	receive(t, "the end", two.Stopped())
	known("an edge that started later knows it", three, away)
	again := a.by(w.start(t), "ann", "phone")
	known("a new session brings it back", three, func(s devices.State) bool { return !s.Connected && !s.IsAway() })
	again.works()
}

// A device is forgotten to be away after the time that the edge allows, and needs no data to say so.
func TestAwayExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t, func(c *session.Config) { c.Limits.Away = time.Second })
	ann := a.by(e, "ann", "phone")
	ann.says("away")
	ann.Break()
	eventually(t, "it is forgotten", func() bool {
		return !e.Device(devices.Key{App: a.name, UserID: "ann", DeviceID: "phone"}).IsAway()
	})
	for method, data := range map[string]string{"away": `{"call_id":"c1"}`, "back": `[]`} {
		raw, _ := receive(t, "an answer", a.by(e, "bob", "phone").Call(method, data))
		var answer events.Answer
		if err := json.Unmarshal(raw, &answer); err != nil || answer.OK || answer.Error.Code != events.CodeInvalidArgument {
			t.Errorf("%s %s is answered %s", method, data, raw)
		}
	}
}
