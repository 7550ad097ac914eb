package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/meter"
)

// Exit is the outcome of handling a message. Make one with Ack, AckThen, Nak, Failed, Term or Abandon.
type Exit struct {
	kind  exitKind
	delay time.Duration
	why   meter.Reason // reason of a nak
	err   error        // logged only by the runner
	words string       // reason of a term
	then  func()
}

type exitKind int

const (
	exitNak exitKind = iota // the zero Exit naks the message
	exitAck
	exitTerm
	exitAbandon
)

// Ack acknowledges the message.
func Ack() Exit { return Exit{kind: exitAck} }

// AckThen acknowledges the message and runs then once the server has confirmed the ack. Without the confirmation, then does not
// run, and the server may redeliver the message. If the confirmation is so late that the server may have delivered the message
// to another worker, then does not run either.
func AckThen(then func()) Exit { return Exit{kind: exitAck, then: then} }

// Nak makes the server redeliver the message after the delay. The number of deliveries is unlimited.
func Nak(delay time.Duration, why meter.Reason) Exit {
	return Exit{kind: exitNak, delay: max(delay, time.Millisecond), why: why}
}

// Failed naks a message that could not be handled now, with a delay that depends on delivered. It counts why as the reason,
// unless the worker ends or err is a panic. The runner logs err.
func Failed(delivered uint64, why meter.Reason, err error) Exit {
	switch {
	case errors.Is(err, broker.ErrPanic):
		why = meter.Defect
	case errors.Is(err, context.Canceled):
		return Nak(0, meter.WorkerEnds)
	}
	e := Nak(Backoff(delivered), why)
	e.err = err
	return e
}

// Term drops a message that no worker can ever handle.
func Term(words string) Exit { return Exit{kind: exitTerm, words: words} }

// Abandon does nothing with a message whose lease has ended. Another worker that received it acks it, or the server redelivers it.
func Abandon() Exit { return Exit{kind: exitAbandon} }

// settles reports whether the exit is correct even if another worker has the message too. An ack without a callback and a term
// are.
func (e Exit) settles() bool { return e.kind == exitTerm || e.kind == exitAck && e.then == nil }

// Backoff returns the delay before a failed message is redelivered, from 100 ms to 5 s. Deliveries that only waited for
// something else count too, so the delay must stay short.
func Backoff(delivered uint64) time.Duration {
	const least, most = 100 * time.Millisecond, 5 * time.Second
	if delivered > 6 {
		return most
	}
	return min(most, least<<max(delivered, 1)>>1)
}

// errLate means that the server confirmed an ack only after the lease had ended.
var errLate = errors.New("the ack was confirmed too late, no answer is sent")

// apply is the only place where a message is acked, nak'ed or termed.
func (e Exit) apply(ctx context.Context, msg Msg) error {
	var err error
	switch {
	case e.kind == exitAbandon:
	case e.kind == exitTerm:
		err = msg.TermWithReason(e.words)
	case e.kind == exitNak:
		err = msg.NakWithDelay(e.delay)
	case e.then == nil:
		err = msg.Ack()
	default:
		switch err = msg.DoubleAck(ctx); {
		case err != nil:
		case !msg.Leased():
			err = errLate
		default:
			err = broker.RunAll(func() error { e.then(); return nil })
		}
	}
	if err != nil {
		return fmt.Errorf("worker: settle %s: %w", msg.Subject(), err)
	}
	return nil
}
