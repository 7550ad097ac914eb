package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/worker/meter"
)

// Exit is how a message leaves its worker. Make one with Ack, AckThen, Nak, Failed or Term.
type Exit struct {
	kind  exitKind
	delay time.Duration
	why   meter.Reason // it is put back
	err   error        // what failed; logged by the runner, and nowhere else
	words string       // why it is given up
	then  func()
}

type exitKind int

const (
	exitNak exitKind = iota // the zero Exit puts the message back
	exitAck
	exitTerm
	exitLeave
)

// Ack means that the message is done.
func Ack() Exit { return Exit{kind: exitAck} }

// AckThen means that the message is done, and that then is to run once the server has confirmed that. If it doesn't,
// then doesn't run, and the message may come again; if it does so late that somebody else may have the message by then,
// then doesn't run either.
func AckThen(then func()) Exit { return Exit{kind: exitAck, then: then} }

// Nak puts the message back; it comes again after the delay, however often that takes.
func Nak(delay time.Duration, why meter.Reason) Exit {
	return Exit{kind: exitNak, delay: max(delay, time.Millisecond), why: why}
}

// Failed puts back a message that was delivered so often and could not be handled now. Why is counted, unless the
// worker ends or err says that it is a defect; err is logged.
func Failed(delivered uint64, why meter.Reason, err error) Exit {
	switch {
	case errors.Is(err, ErrPanic):
		why = meter.Defect
	case errors.Is(err, context.Canceled):
		return Nak(0, meter.WorkerEnds)
	}
	e := Nak(Backoff(delivered), why)
	e.err = err
	return e
}

// Term gives up a message that nobody will ever be able to handle.
func Term(words string) Exit { return Exit{kind: exitTerm, words: words} }

// Leave does nothing about a message that somebody else may have by now: it is his, or comes again.
func Leave() Exit { return Exit{kind: exitLeave} }

// settles says whether it is right whoever else has the message: what was carried out is done.
func (e Exit) settles() bool { return e.kind == exitTerm || e.kind == exitAck && e.then == nil }

// Backoff is how long a message is put back for that failed: from 100 ms to 5 s. Deliveries count too that had to
// wait for something else, so it must not grow far.
func Backoff(delivered uint64) time.Duration {
	const least, most = 100 * time.Millisecond, 5 * time.Second
	if delivered > 6 {
		return most
	}
	return min(most, least<<max(delivered, 1)>>1)
}

// errLate means that the server confirmed an acknowledgement so late that somebody else may have had the message.
var errLate = errors.New("it is done, and nobody is told: the acknowledgement was confirmed too late")

// leave is the one place where a message is acknowledged, put back or given up.
func (e Exit) leave(ctx context.Context, msg jetstream.Msg) error {
	var err error
	switch {
	case e.kind == exitLeave:
	case e.kind == exitTerm:
		err = msg.TermWithReason(e.words)
	case e.kind == exitNak:
		err = msg.NakWithDelay(e.delay)
	case e.then == nil:
		err = msg.Ack()
	default:
		switch err = msg.DoubleAck(ctx); {
		case err != nil:
		case !Ours(msg):
			err = errLate
		default:
			err = guard(func() error { e.then(); return nil })
		}
	}
	if err != nil {
		return fmt.Errorf("worker: let go of %s: %w", msg.Subject(), err)
	}
	return nil
}
