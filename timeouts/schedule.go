package timeouts

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
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

// Deadline is the body of a delayed message, both while it is pending and once it is due.
type Deadline struct {
	CallID   string      `json:"call_id"`
	Seq      int         `json:"seq"`
	Deadline events.Time `json:"deadline"`
}

// encode encodes the deadline. A call id needs no escapes.
func (d Deadline) encode() []byte {
	return fmt.Appendf(nil, `{"call_id":%q,"seq":%d,"deadline":"%v"}`, d.CallID, d.Seq, d.Deadline)
}

// Arm stores the deadline that transition seq of a call created.
func Arm(ctx context.Context, nc *nats.Conn, app string, d Deadline) error {
	msg := nats.NewMsg(events.TimerSubject(app, d.CallID, d.Seq))
	// jetstream.WithScheduleAt drops the fraction of the second, so the message would fire early.
	msg.Header.Set(headerSchedule, "@at "+d.Deadline.Time().Format(time.RFC3339Nano))
	msg.Header.Set(headerTarget, events.DueSubject(app, d.CallID, d.Seq))
	msg.Header.Set(headerScheduleTTL, dueTTL)
	msg.Data = d.encode()
	if _, err := worker.Write(ctx, nc, msg); err != nil {
		return fmt.Errorf("timeouts: arm %s: %w", msg.Subject, err)
	}
	return nil
}

// Remove removes a deadline that is no longer needed. The message that replaces it has no schedule and expires by its
// TTL. Remove does not wait for an ack: if the deadline fires anyway, it changes nothing.
func Remove(nc *nats.Conn, app, callID string, seq int) error {
	msg := nats.NewMsg(events.TimerSubject(app, callID, seq))
	msg.Header.Set(headerTTL, removalTTL)
	if err := nc.PublishMsg(msg); err != nil {
		return fmt.Errorf("timeouts: remove %s: %w", msg.Subject, err)
	}
	return nil
}
