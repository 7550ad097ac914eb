package store

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/broker"
)

// Headers of the server's message scheduler.
const (
	headerSchedule    = "Nats-Schedule"
	headerTarget      = "Nats-Schedule-Target"
	headerScheduleTTL = "Nats-Schedule-TTL"
	headerTTL         = "Nats-TTL"

	dueTTL     = "24h" // how long a due message is kept
	removalTTL = "1s"
)

// ArmDeadline stores a deadline of a call.
func ArmDeadline(ctx context.Context, nc *nats.Conn, app string, d events.Deadline) error {
	msg := nats.NewMsg(events.TimerSubject(app, d.CallID, d.ID()))
	// jetstream.WithScheduleAt drops the fraction of the second, so the message would fire early.
	msg.Header.Set(headerSchedule, "@at "+d.Deadline.Time().Format(time.RFC3339Nano))
	msg.Header.Set(headerTarget, events.DueSubject(app, d.CallID, d.ID()))
	msg.Header.Set(headerScheduleTTL, dueTTL)
	msg.Data = d.Encode()
	if _, err := broker.Write(ctx, nc, msg); err != nil {
		return fmt.Errorf("store: arm %s: %w", msg.Subject, err)
	}
	return nil
}

// RemoveDeadline removes a deadline that is no longer needed. The message that replaces it has no schedule and expires by its
// TTL. RemoveDeadline does not wait for an ack: if the deadline fires anyway, it changes nothing.
func RemoveDeadline(nc *nats.Conn, app, callID string, d events.DeadlineID) error {
	msg := nats.NewMsg(events.TimerSubject(app, callID, d))
	msg.Header.Set(headerTTL, removalTTL)
	if err := nc.PublishMsg(msg); err != nil {
		return fmt.Errorf("store: remove %s: %w", msg.Subject, err)
	}
	return nil
}
