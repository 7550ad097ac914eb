package streams

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrNotSetUp means that a stream or a bucket does not exist.
var ErrNotSetUp = errors.New("streams: not set up")

// awaitAgain is the pause between two looks.
const awaitAgain = 500 * time.Millisecond

// Await waits until these streams and buckets exist, or until ctx ends. It calls report each time the reason for waiting changes.
func Await(ctx context.Context, js jetstream.JetStream, report func(error), streams, buckets []string) error {
	for reported := ""; ; {
		err := present(ctx, js, streams, buckets)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err.Error() != reported {
			reported = err.Error()
			report(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(awaitAgain):
		}
	}
}

func present(ctx context.Context, js jetstream.JetStream, streams, buckets []string) error {
	for _, name := range streams {
		_, err := js.Stream(ctx, name)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			return fmt.Errorf("%w: stream %s is missing", ErrNotSetUp, name)
		case err != nil:
			return fmt.Errorf("streams: look for stream %s: %w", name, err)
		}
	}
	for _, name := range buckets {
		_, err := js.KeyValue(ctx, name)
		switch {
		case errors.Is(err, jetstream.ErrBucketNotFound):
			return fmt.Errorf("%w: bucket %s is missing", ErrNotSetUp, name)
		case err != nil:
			return fmt.Errorf("streams: look for bucket %s: %w", name, err)
		}
	}
	return nil
}
