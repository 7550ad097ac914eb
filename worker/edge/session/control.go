package session

import (
	"github.com/centrifugal/centrifuge"
	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
)

// control carries the control messages of the centrifuge nodes over core NATS. They route a command that arrives at
// another edge to its session, and they disconnect users.
type control struct {
	nc   *nats.Conn
	id   string
	log  zerolog.Logger
	subs []*nats.Subscription
}

// RegisterControlEventHandler passes the messages of other edges to h until stop is called.
func (c *control) RegisterControlEventHandler(h centrifuge.ControlEventHandler) error {
	handle := func(msg *nats.Msg) {
		if err := h.HandleControl(msg.Data); err != nil {
			c.log.Warn().Err(err).Msg("a message of another edge is malformed")
		}
	}
	for _, subject := range []string{events.EdgesSubject(), events.EdgeSubject(c.id)} {
		sub, err := c.nc.Subscribe(subject, handle)
		if err != nil {
			return err
		}
		c.subs = append(c.subs, sub)
	}
	return c.nc.Flush()
}

func (c *control) stop() {
	for _, sub := range c.subs {
		_ = sub.Unsubscribe() // it fails only if the connection is closed
	}
}

// PublishControl sends a message to all edges, or to the one with this id.
func (c *control) PublishControl(data []byte, nodeID, _ string) error {
	if nodeID == "" {
		return c.nc.Publish(events.EdgesSubject(), data)
	}
	return c.nc.Publish(events.EdgeSubject(nodeID), data)
}
