package session

import (
	"github.com/centrifugal/centrifuge"
	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
)

// control carries what the nodes of centrifuge tell each other over core NATS: where a session is whose client sends its
// commands to another edge, and whom to disconnect.
type control struct {
	nc   *nats.Conn
	id   string
	log  zerolog.Logger
	subs []*nats.Subscription
}

// RegisterControlEventHandler hears the others until stop.
func (c *control) RegisterControlEventHandler(h centrifuge.ControlEventHandler) error {
	hear := func(msg *nats.Msg) {
		if err := h.HandleControl(msg.Data); err != nil {
			c.log.Warn().Err(err).Msg("what another edge says can't be handled")
		}
	}
	for _, subject := range []string{events.EdgesSubject(), events.EdgeSubject(c.id)} {
		sub, err := c.nc.Subscribe(subject, hear)
		if err != nil {
			return err
		}
		c.subs = append(c.subs, sub)
	}
	return c.nc.Flush()
}

func (c *control) stop() {
	for _, sub := range c.subs {
		_ = sub.Unsubscribe() // it fails only where the connection is closed
	}
}

// PublishControl tells all edges, or the one with this id.
func (c *control) PublishControl(data []byte, nodeID, _ string) error {
	if nodeID == "" {
		return c.nc.Publish(events.EdgesSubject(), data)
	}
	return c.nc.Publish(events.EdgeSubject(nodeID), data)
}
