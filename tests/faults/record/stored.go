package record

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// longestNext is how long ReadStream waits for the next message before it checks whether there is one.
const longestNext = 2 * time.Second

// ReadStream returns the messages of a stream. With a filter, it returns the last message of each matching
// subject.
func ReadStream(ctx context.Context, js jetstream.JetStream, stream, filter string) ([]Stored, error) {
	cfg := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy}
	if filter != "" {
		cfg.FilterSubjects, cfg.DeliverPolicy = []string{filter}, jetstream.DeliverLastPerSubjectPolicy
	}
	cons, err := js.OrderedConsumer(ctx, stream, cfg)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", stream, err)
	}
	left := cons.CachedInfo().NumPending
	messages, err := cons.Messages(jetstream.PullMaxMessages(1000))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", stream, err)
	}
	defer messages.Stop()
	list := make([]Stored, 0, left)
	for ; left > 0; left-- {
		m, err := messages.Next(jetstream.NextMaxWait(longestNext))
		if errors.Is(err, nats.ErrTimeout) && ctx.Err() == nil {
			if info, infoErr := cons.Info(ctx); infoErr == nil && info.NumPending == 0 {
				break // the other messages were removed meanwhile
			}
			left++
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", stream, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", stream, err)
		}
		list = append(list, Stored{
			Subject: strings.Clone(m.Subject()), Seq: meta.Sequence.Stream, At: meta.Timestamp.UnixNano(), Data: string(m.Data()),
		})
	}
	return list, nil
}
