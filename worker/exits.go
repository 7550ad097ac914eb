package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Exit is how a message leaves its worker. Make one with Ack, AckThen, Nak or Term.
type Exit struct {
	kind   exitKind
	delay  time.Duration
	reason string
	then   func()
}

type exitKind int

const (
	exitNak exitKind = iota // the zero Exit puts the message back
	exitAck
	exitTerm
)

// Ack means that the message is done.
func Ack() Exit { return Exit{kind: exitAck} }

// AckThen means that the message is done, and that then is to run once the server has confirmed that; if it
// doesn't, then doesn't run, and the message may come again.
func AckThen(then func()) Exit { return Exit{kind: exitAck, then: then} }

// Nak puts the message back; it comes again after the delay, however often that takes.
func Nak(delay time.Duration, reason string) Exit {
	return Exit{kind: exitNak, delay: max(delay, time.Millisecond), reason: reason}
}

// Term gives up a message that nobody will ever be able to handle.
func Term(reason string) Exit { return Exit{kind: exitTerm, reason: reason} }

// Backoff is how long a message is put back for that failed: from 100 ms to 5 s. Deliveries count too that had to
// wait for something else, so it must not grow far.
func Backoff(delivered uint64) time.Duration {
	const least, most = 100 * time.Millisecond, 5 * time.Second
	if delivered > 6 {
		return most
	}
	return min(most, least<<max(delivered, 1)>>1)
}

// leave is the one place where a message is acknowledged, put back or given up.
func (e Exit) leave(ctx context.Context, msg jetstream.Msg) error {
	var err error
	switch {
	case e.kind == exitTerm:
		err = msg.TermWithReason(e.reason)
	case e.kind == exitNak:
		err = msg.NakWithDelay(e.delay)
	case e.then == nil:
		err = msg.Ack()
	default:
		if err = msg.DoubleAck(ctx); err == nil {
			err = Together(func() error { e.then(); return nil })
		}
	}
	if err != nil {
		return fmt.Errorf("worker: let go of %s: %w", msg.Subject(), err)
	}
	return nil
}
