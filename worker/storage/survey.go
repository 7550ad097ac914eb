package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/meter"
)

// How often all streams are looked at, for how long, and for how long that is shown.
const (
	surveyEvery  = 10 * time.Second
	surveyWithin = 5 * time.Second
	shownFor     = time.Minute
)

// survey is what was seen of all streams.
type survey struct {
	at     time.Time
	levels meter.Levels
}

// Levels gives what was seen last, for the metrics, and whether that is recent.
func (w *Watch) Levels() (meter.Levels, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen.levels, time.Since(w.seen.at) < shownFor
}

// Survey looks at all streams once, for a few seconds at most. A coordinator does so before it handles commands: that
// RINGLINE_CALLS came back without its newest messages shows only until as many were written again.
func (w *Watch) Survey(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, surveyWithin)
	defer cancel()
	var s meter.Levels
	account, err := w.js.AccountInfo(ctx)
	if err != nil {
		return fmt.Errorf("storage: ask for the account: %w", err)
	}
	s.Used, s.Limit = int64(min(account.Store, 1<<62)), max(0, account.Limits.MaxStore)
	s.Lost = map[string]uint64{}
	for _, name := range worker.StreamNames() {
		st, err := w.js.Stream(ctx, worker.StreamOf(name))
		if err != nil {
			return fmt.Errorf("storage: look at %s: %w", name, err)
		}
		info := st.CachedInfo()
		s.Streams = append(s.Streams, meter.StreamLevel{
			Stream: name, Bytes: int64(min(info.State.Bytes, 1<<62)), Messages: int64(min(info.State.Msgs, 1<<62)), Limit: max(0, info.Config.MaxBytes),
		})
		switch name {
		case worker.StreamEvents:
			if err := w.compare(ctx, st); err != nil {
				return err
			}
			fallthrough
		case worker.StreamCDRs:
			if s.Lost[name], err = lost(ctx, st); err != nil {
				return err
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s.Missing = w.missing
	w.seen = survey{time.Now(), s}
	return nil
}

// lost is how many messages are gone that the durable consumer which is furthest behind has not read. One that was never
// read is not counted, as setup makes one in each installation; nor is one with a filter, which passes messages over.
func lost(ctx context.Context, st jetstream.Stream) (most uint64, err error) {
	first := st.CachedInfo().State.FirstSeq
	list := st.ListConsumers(ctx)
	for c := range list.Info() {
		filtered := c.Config.FilterSubject != "" || len(c.Config.FilterSubjects) > 0
		if c.Config.Durable == "" || filtered || c.Delivered.Consumer == 0 || c.Config.AckPolicy == jetstream.AckNonePolicy {
			continue
		}
		if c.AckFloor.Stream+1 < first {
			most = max(most, first-1-c.AckFloor.Stream)
		}
	}
	if err := list.Err(); err != nil {
		return 0, fmt.Errorf("storage: list the consumers of %s: %w", st.CachedInfo().Config.Name, err)
	}
	return most, nil
}

// compare holds the newest copy in the event log against the newest transition.
func (w *Watch) compare(ctx context.Context, log jetstream.Stream) error {
	copied, err := worker.Copied(ctx, log)
	if err != nil {
		return err
	}
	calls, err := w.js.Stream(ctx, worker.StreamCalls) // after the log: it is never behind it
	if err != nil {
		return fmt.Errorf("storage: look at RINGLINE_CALLS: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if repaired := log.CachedInfo().Config.Metadata[worker.RepairedKey]; repaired != w.repaired {
		w.repaired, w.missing = repaired, 0
	}
	if last := calls.CachedInfo().State.LastSeq; copied > last {
		w.lostTail(copied - last)
	}
	return nil
}

// LostTail reports that RINGLINE_CALLS came back without so many of its newest messages: as many that follow are not copied.
func (w *Watch) LostTail(messages uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lostTail(messages)
}

func (w *Watch) lostTail(messages uint64) {
	if w.missing == 0 {
		w.log.Error().Uint64("missing", messages).Str("repair", "ringline setup --repair-events").
			Msg("RINGLINE_CALLS came back without its newest messages, and the event log misses as many that follow")
	}
	w.missing = max(w.missing, messages)
}
