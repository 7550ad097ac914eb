package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/streams"
)

// longestNext is how long Walk waits for the next line. All of them are stored.
const longestNext = 5 * time.Second

// Walk calls f with every line that is not empty, in no order. Lines that change meanwhile may be missing.
func (s *Lines) Walk(ctx context.Context, f func(app string, entries []events.Entry) error) error {
	cons, err := s.js.OrderedConsumer(ctx, "KV_"+streams.BucketLines, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{kvPrefix + ">"}, DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy,
	})
	if err != nil {
		return fmt.Errorf("store: read all lines: %w", err)
	}
	messages, err := cons.Messages()
	if err != nil {
		return fmt.Errorf("store: read all lines: %w", err)
	}
	defer messages.Stop()
	for left := cons.CachedInfo().NumPending; left > 0; left-- {
		msg, err := messages.Next(jetstream.NextMaxWait(longestNext))
		if errors.Is(err, nats.ErrTimeout) {
			if info, err := cons.Info(ctx); err != nil || info.NumPending > 0 {
				return fmt.Errorf("store: read all lines: %w", errors.Join(nats.ErrTimeout, err))
			}
			return nil // the others have changed meanwhile
		}
		if err != nil || ctx.Err() != nil {
			return fmt.Errorf("store: read all lines: %w", errors.Join(err, ctx.Err()))
		}
		app, _, _ := strings.Cut(strings.TrimPrefix(msg.Subject(), kvPrefix), ".")
		entries, err := events.ReadLine(msg.Data())
		if len(msg.Data()) == 0 || err != nil {
			continue // a delete marker, or malformed: Read reports it
		}
		if err := f(app, entries); err != nil {
			return err
		}
	}
	return nil
}
