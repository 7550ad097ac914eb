package session

import (
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/devices"
)

// The methods of a session that concern its device only.
const (
	methodAway = "away"
	methodBack = "back"
)

// tell publishes news to the other edges. If a message is lost, the older session of a device stays open until its
// client does not answer a ping, and one edge less knows that a device is away.
func (e *Edge) tell(n devices.News) {
	if err := devices.Publish(e.NC, n); err != nil {
		e.Log.Warn().Err(err).Str("event", string(n.Event)).Msg("the other edges could not be informed about a device")
	}
}

// hear handles news of the edges, including those of this edge.
func (e *Edge) hear(msg *nats.Msg) {
	var n devices.News
	if err := json.Unmarshal(msg.Data, &n); err != nil {
		e.Log.Warn().Str("error", events.WithoutQuotes(err.Error())).Msg("a message of another edge about a device is malformed")
		return
	}
	switch n.Event {
	case devices.NewsAway:
		e.devices.Away(n.Key, n.At, n.Until)
	case devices.NewsBack:
		e.devices.Back(n.Key, n.At)
	case devices.NewsPresent:
		e.devices.Present(n.Key, n.At)
	case devices.NewsOpened:
		e.devices.Back(n.Key, n.At)
		e.compare(n)
	}
}

// compare closes the sessions here that are older than the opened one. If a newer one is here, it announces that one
// again: the other edge may have opened its session after the first announcement.
func (e *Edge) compare(n devices.News) {
	for _, s := range e.users.of(events.UserSubject(n.App, n.UserID)) {
		switch {
		case s.by.DeviceID != n.DeviceID || s.id == n.Session:
		case s.olderThan(n.At, n.Session):
			e.replace([]*session{s})
		default:
			e.announce(s)
		}
	}
}

// announce informs the other edges about a session that has joined its user.
func (e *Edge) announce(s *session) {
	e.devices.Back(s.key(), s.opened)
	e.tell(devices.News{Event: devices.NewsOpened, Key: s.key(), At: s.opened, Session: s.id})
}

// replace closes older sessions of a device. They no longer count and receive nothing more, even if their connections
// take long to close.
func (e *Edge) replace(older []*session) {
	for _, s := range older {
		s.close(Replaced)
		e.end(s)
	}
}

// away carries out the methods away and back.
func (e *Edge) away(s *session, method string, data []byte) any {
	if bad := events.ReadEmpty(method, data); bad != nil {
		return events.Refusal("", bad)
	}
	n := devices.News{Event: devices.NewsBack, Key: s.key(), At: e.Clock.Now()}
	if method == methodAway {
		n.Event, n.Until = devices.NewsAway, n.At.Add(e.Limits.Away)
		e.devices.Away(s.key(), n.At, n.Until)
	} else {
		e.devices.Back(s.key(), n.At)
	}
	e.tell(n)
	return events.Answer{OK: true}
}

// handOver informs the other edges about every device that is away, before this edge forgets them.
func (e *Edge) handOver() {
	e.devices.Each(func(k devices.Key, s devices.State, until time.Time) {
		e.tell(devices.News{Event: devices.NewsAway, Key: k, At: s.Away, Until: until})
	})
}

// Device returns what this edge knows of a device. Other edges may know more: devices.State.Merge combines it.
func (e *Edge) Device(k devices.Key) devices.State {
	var state devices.State
	for _, s := range e.users.of(events.UserSubject(k.App, k.UserID)) { // first: a session that ends is recorded before it goes
		if s.by.DeviceID == k.DeviceID {
			state = state.Merge(devices.State{Connected: true, Opened: s.opened})
		}
	}
	return state.Merge(e.devices.State(k))
}
