package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Together runs the functions beside each other and joins their errors. A panic is one of them: it puts a message
// back, and must not end the process, or each worker that gets the message would end in turn.
func Together(fs ...func() error) error {
	errs := make(chan error, len(fs))
	for _, f := range fs {
		go func() {
			defer func() {
				if p := recover(); p != nil {
					errs <- fmt.Errorf("worker: panic: %v\n%s", p, debug.Stack())
				}
			}()
			errs <- f()
		}()
	}
	var all error
	for range fs {
		all = errors.Join(all, <-errs)
	}
	return all
}

// How long and how often the broker is asked before a message is put back: to elect the leader of a stream that was
// killed takes 4 to 6 s.
const (
	tryFor   = 15 * time.Second
	oneTry   = 3 * time.Second
	tryAgain = 100 * time.Millisecond
)

// Retry repeats what fails for want of an answer.
func Retry(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	for {
		one, done := context.WithTimeout(ctx, oneTry)
		err := try(one)
		done()
		if !unanswered(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(tryAgain):
		}
	}
}

func unanswered(err error) bool {
	return errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout)
}
