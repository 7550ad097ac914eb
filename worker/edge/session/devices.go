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

// deviceNews is a message between edges. Every edge receives all of them.
type deviceNews struct {
	Event    string    `json:"event"`
	App      string    `json:"app"`
	UserID   string    `json:"user_id"`
	DeviceID string    `json:"device_id"`
	At       time.Time `json:"at"`                // broker time of the event
	Session  string    `json:"session,omitempty"` // that was opened
	Until    time.Time `json:"until,omitzero"`    // when an away device is forgotten
}

// The events of deviceNews.
const (
	newsOpened = "opened"
	newsAway   = "away"
	newsBack   = "back"
)

func (n deviceNews) key() devices.Key {
	return devices.Key{App: n.App, UserID: n.UserID, DeviceID: n.DeviceID}
}

// tell publishes news to the other edges. If a message is lost, the older session of a device stays open until its
// client does not answer a ping, and one edge less knows that a device is away.
func (e *Edge) tell(k devices.Key, n deviceNews) {
	n.App, n.UserID, n.DeviceID = k.App, k.UserID, k.DeviceID
	body, err := events.Encode(n)
	if err == nil {
		err = e.NC.Publish(events.SubjectDevices, body)
	}
	if err != nil {
		e.Log.Warn().Err(err).Str("event", n.Event).Msg("the other edges could not be informed about a device")
	}
}

// hear handles news of the edges, including those of this edge.
func (e *Edge) hear(msg *nats.Msg) {
	var n deviceNews
	if err := json.Unmarshal(msg.Data, &n); err != nil {
		e.Log.Warn().Str("error", events.WithoutQuotes(err.Error())).Msg("a message of another edge about a device is malformed")
		return
	}
	switch n.Event {
	case newsAway:
		e.devices.Away(n.key(), n.At, n.Until)
	case newsBack:
		e.devices.Back(n.key(), n.At)
	case newsOpened:
		e.devices.Back(n.key(), n.At)
		e.compare(n)
	}
}

// compare closes the sessions here that are older than the opened one. If a newer one is here, it announces that one
// again: the other edge may have opened its session after the first announcement.
func (e *Edge) compare(n deviceNews) {
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
	e.tell(s.key(), deviceNews{Event: newsOpened, At: s.opened, Session: s.id})
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
	n := deviceNews{Event: newsBack, At: e.Clock.Now()}
	if method == methodAway {
		n.Event, n.Until = newsAway, n.At.Add(e.Limits.Away)
		e.devices.Away(s.key(), n.At, n.Until)
	} else {
		e.devices.Back(s.key(), n.At)
	}
	e.tell(s.key(), n)
	return events.Answer{OK: true}
}

// handOver informs the other edges about every device that is away, before this edge forgets them.
func (e *Edge) handOver() {
	e.devices.Each(func(k devices.Key, s devices.State, until time.Time) {
		e.tell(k, deviceNews{Event: newsAway, At: s.Away, Until: until})
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
