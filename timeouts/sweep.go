package timeouts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

// Sweep configures the search for missed deadlines: how often it runs, and how overdue a pending deadline must be to
// count as missed. A deadline that becomes due while the store is full fires only after a restart.
type Sweep struct {
	Every   time.Duration
	Overdue time.Duration
}

// DefaultSweep is slow, because missed deadlines are rare.
func DefaultSweep() Sweep { return Sweep{Every: time.Minute, Overdue: 5 * time.Second} }

// sweep searches for missed deadlines until ctx ends.
func (w *Worker) sweep(ctx context.Context) {
	tick := time.NewTicker(w.every.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			missed, err := w.missed(ctx)
			if err != nil && ctx.Err() == nil {
				w.log.Error().Err(err).Msg("can't look for missed deadlines, retrying at the next sweep")
			}
			if missed > 0 {
				w.log.Warn().Int("count", missed).Msg("found missed deadlines")
			}
		}
	}
}

// longestNext is the maximum wait for the next deadline. All of them are already stored.
const longestNext = 2 * time.Second

// missed sends expire for every overdue deadline, removes the deadline, and returns the number of them. A repeated
// expire changes nothing. A deadline is removed only after its expire is stored. Without the removal, every sweep
// would find it again if the server never fires it.
func (w *Worker) missed(ctx context.Context) (count int, err error) {
	cons, err := w.js.OrderedConsumer(ctx, streams.StreamTimers, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{events.TimerSubjects}, DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy,
	})
	if err != nil {
		return 0, fmt.Errorf("timeouts: sweep the deadlines: %w", err)
	}
	left := cons.CachedInfo().NumPending
	messages, err := cons.Messages()
	if err != nil {
		return 0, fmt.Errorf("timeouts: sweep the deadlines: %w", err)
	}
	defer messages.Stop()
	overdue := events.TimeOf(w.clock.Now().Add(-w.every.Overdue))
	for ; left > 0; left-- {
		msg, err := messages.Next(jetstream.NextMaxWait(longestNext))
		if errors.Is(err, nats.ErrTimeout) || ctx.Err() != nil {
			return count, nil // the remaining deadlines became due in the meantime
		}
		if err != nil {
			return count, fmt.Errorf("timeouts: sweep the deadlines: %w", err)
		}
		app, callID, id, ok := events.ParseTimerSubject(msg.Subject())
		var d events.Deadline
		if !ok || json.Unmarshal(msg.Data(), &d) != nil || d.Deadline > overdue {
			continue // a removed deadline has no body
		}
		if err := w.expire(ctx, app, callID, id); err != nil {
			return count, err
		}
		w.overdue.Inc()
		w.late.Took(w.clock.Now().Sub(d.Deadline.Time()))
		if err := store.RemoveDeadline(w.js.Conn(), app, callID, id); err != nil {
			return count, err
		}
		count++
	}
	return count, nil
}
