package devices

import (
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
)

// News is a message about a device. Every edge receives all of them.
type News struct {
	Key

	Event   Event     `json:"event"`
	At      time.Time `json:"at"`                // broker time of the event; for NewsPresent, until when it counts
	Session string    `json:"session,omitempty"` // that was opened
	Until   time.Time `json:"until,omitzero"`    // when an away device is forgotten
}

// Event is what happened to a device.
type Event string

// The events.
const (
	NewsOpened  Event = "opened"
	NewsAway    Event = "away"
	NewsBack    Event = "back"
	NewsPresent Event = "present"
)

// Publish sends news to all edges.
func Publish(nc *nats.Conn, n News) error {
	body, err := events.Encode(n)
	if err != nil {
		return err
	}
	return nc.Publish(events.SubjectDevices, body)
}
