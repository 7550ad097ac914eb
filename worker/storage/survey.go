package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/streams"
)

// The interval and the timeout of a survey, and how long its results are shown.
const (
	SurveyEvery  = 10 * time.Second
	surveyWithin = 5 * time.Second
	shownFor     = time.Minute
)

// survey holds the latest state of all streams. Each value has its own time, so that a failed request hides no other
// value.
type survey struct {
	account at[meter.AccountLevel]
	streams map[string]at[meter.StreamLevel]
	lost    map[string]at[uint64]
	missing uint64 // transitions that the event log lacks, as far as this process knows
	known   bool   // whether missing is known
	log     string // identifies the event log and its last repair
}

// at is a value with its time.
type at[T any] struct {
	time time.Time
	seen T
}

func now[T any](seen T) at[T] { return at[T]{time.Now(), seen} }

func (a at[T]) recent() bool { return time.Since(a.time) < shownFor }

// Levels returns the latest recent values, for the metrics.
func (w *Watch) Levels() meter.Levels {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := meter.Levels{Lost: map[string]uint64{}}
	if a := w.seen.account; a.recent() {
		l.Account = &a.seen
	}
	for _, name := range streams.StreamNames() {
		if s := w.seen.streams[name]; s.recent() {
			l.Streams = append(l.Streams, s.seen)
		}
		if n := w.seen.lost[name]; n.recent() {
			l.Lost[name] = n.seen
		}
	}
	if missing := w.seen.missing; w.seen.known {
		l.Missing = &missing
	}
	return l
}

// Survey asks for the state of all streams once, for a few seconds at most, and joins the errors. A coordinator calls
// it before it handles commands: if RINGLINE_CALLS lost its newest messages, that is visible only until as many new
// ones are written.
func (w *Watch) Survey(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, surveyWithin)
	defer cancel()
	names := streams.StreamNames()
	errs := make([]error, len(names)+1) // in a fixed order
	var asking sync.WaitGroup
	asking.Go(func() { errs[len(names)] = w.surveyAccount(ctx) })
	for i, name := range names {
		asking.Go(func() { errs[i] = w.surveyStream(ctx, name) })
	}
	asking.Wait()
	return errors.Join(errs...)
}

func (w *Watch) surveyAccount(ctx context.Context) error {
	account, err := w.js.AccountInfo(ctx)
	if err != nil {
		return fmt.Errorf("storage: ask for the account: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen.account = now(meter.AccountLevel{Used: int64(min(account.Store, 1<<62)), Limit: max(0, account.Limits.MaxStore)})
	return nil
}

func (w *Watch) surveyStream(ctx context.Context, name string) error {
	st, err := w.js.Stream(ctx, streams.StreamOf(name))
	if err != nil {
		return fmt.Errorf("storage: inspect %s: %w", name, err)
	}
	info := st.CachedInfo()
	w.mu.Lock()
	w.seen.streams[name] = now(meter.StreamLevel{
		Stream: name, Bytes: int64(min(info.State.Bytes, 1<<62)), Messages: int64(min(info.State.Msgs, 1<<62)), Limit: max(0, info.Config.MaxBytes),
	})
	w.mu.Unlock()
	switch name {
	case streams.StreamEvents:
		return errors.Join(w.surveyLost(ctx, name, st), w.compare(ctx, st))
	case streams.StreamCDRs:
		return w.surveyLost(ctx, name, st)
	}
	return nil
}

func (w *Watch) surveyLost(ctx context.Context, name string, st jetstream.Stream) error {
	n, err := lost(ctx, st)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen.lost[name] = now(n)
	return nil
}

// lost returns how many deleted messages the slowest durable consumer has not acked. It ignores consumers that never
// read, because setup creates one in every installation. It also ignores consumers with a filter, because they skip
// messages.
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

// compare checks whether the event log has a copy that is newer than the newest transition.
func (w *Watch) compare(ctx context.Context, log jetstream.Stream) error {
	copied, err := streams.Copied(ctx, log)
	if err != nil {
		return err
	}
	calls, err := w.js.Stream(ctx, streams.StreamCalls) // read after the log, so it is never behind
	if err != nil {
		return fmt.Errorf("storage: inspect RINGLINE_CALLS: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	info := log.CachedInfo()
	if which := info.Created.String() + info.Config.Metadata[streams.RepairedKey]; which != w.seen.log {
		w.seen.log, w.seen.missing = which, 0
	}
	w.seen.known = true
	if last := calls.CachedInfo().State.LastSeq; copied > last {
		w.lostTail(copied - last)
	}
	return nil
}

// LostTail reports that RINGLINE_CALLS lost this many of its newest messages. The same number of following messages
// will not be copied to the event log.
func (w *Watch) LostTail(messages uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lostTail(messages)
}

func (w *Watch) lostTail(messages uint64) {
	if w.seen.missing == 0 {
		w.log.Error().Uint64("missing", messages).Str("repair", "ringline setup --repair-events").
			Msg("RINGLINE_CALLS lost its newest messages, and the event log misses as many of those that follow")
	}
	w.seen.missing, w.seen.known = max(w.seen.missing, messages), true
}
