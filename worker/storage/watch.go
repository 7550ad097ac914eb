package storage

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/streams"
)

// Mark is the percentage from which invitations are refused.
const Mark = 80

// wellBelow is the percentage below which the process is no longer degraded. Without it, a level around the mark would
// alternate between OK and failure, and neither state would hold for long enough to be shown.
const wellBelow = Mark - 2

// The interval and the timeout of a look.
const (
	lookEvery  = time.Second
	lookAgain  = 20 * time.Millisecond // at least; a look comes early once the admitted bytes exceed 1/unseenPart of a stream
	lookWithin = time.Second
	unseenPart = 20
)

// The estimated maximum that a command takes of a stream.
const (
	perDeadline = 2 << 10 // bytes of RINGLINE_TIMERS for an invitation, which makes up to two deadlines
	perLine     = 512     // bytes of RINGLINE_LINES for a user
)

// guarded lists the streams in which invitations must leave room.
func guarded() []string {
	return []string{streams.StreamCalls, streams.StreamTimers, streams.BucketLines, streams.StreamCommands}
}

// level is the fill level of a stream.
type level struct {
	bytes, maxBytes int64
	msgs, maxMsgs   int64
	before, since   int64 // admitted bytes: before the last look, which may have missed them, and since that look
}

// percent is the part of the limit that is in use, or may be in use soon. It is 0 without a limit.
func (l level) percent() int {
	most := 0
	if l.maxBytes > 0 {
		most = int(100 * (l.bytes + l.before + l.since) / l.maxBytes)
	}
	if l.maxMsgs > 0 {
		most = max(most, int(100*l.msgs/l.maxMsgs))
	}
	return min(most, 100)
}

// Watch tracks the fill levels of the streams.
type Watch struct {
	Every time.Duration // interval of surveys; set it before Run

	js     jetstream.JetStream
	log    zerolog.Logger
	health *health.Condition
	soon   chan struct{} // triggers a look

	mu     sync.Mutex
	levels map[string]level
	full   string // the stream that passed the mark, until all are below wellBelow

	seen survey
}

// New makes a watch. It knows nothing until it runs. The condition fails while invitations are refused; it may be nil.
func New(js jetstream.JetStream, log zerolog.Logger, c *health.Condition) *Watch {
	return &Watch{
		Every: SurveyEvery, js: js, log: log, health: c, soon: make(chan struct{}, 1), levels: map[string]level{},
		seen: survey{streams: map[string]at[meter.StreamLevel]{}, lost: map[string]at[uint64]{}},
	}
}

// Run looks until ctx ends, and then returns nil.
func (w *Watch) Run(ctx context.Context) error {
	surveyed := make(chan struct{})
	go func() { defer close(surveyed); w.surveys(ctx) }()
	defer func() { <-surveyed }()
	for {
		w.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(lookAgain):
		}
		select {
		case <-ctx.Done():
			return nil
		case <-w.soon:
		case <-time.After(lookEvery - lookAgain):
		}
	}
}

// surveys runs a survey periodically until ctx ends.
func (w *Watch) surveys(ctx context.Context) {
	var throttle broker.LogThrottle
	for {
		if err := w.Survey(ctx); err != nil && ctx.Err() == nil && throttle.Allow(err.Error()) {
			w.log.Warn().Err(err).Msg("can't read the sizes of the streams, retrying")
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(w.Every):
		}
	}
}

// Admit refuses an invitation or an add while the storage for calls is above the mark. The last look decides, even if it is
// old: if all were admitted meanwhile, RINGLINE_TIMERS could reach its limit and drop deadlines.
func (w *Watch) Admit(_ time.Time, cmd events.Command, bytes int) error {
	if !cmd.Verb.Invites() {
		return nil
	}
	if _, percent := w.fullest(); percent >= Mark {
		return events.Errorf(events.CodeExhausted, "call storage is %d %% full: above %d %% invitations are refused", percent, Mark)
	}
	w.reserve(len(cmd.Callees), bytes)
	return nil
}

// reserve adds what the command may take until the next look: its transition, its deadline and the lines.
func (w *Watch) reserve(callees, bytes int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, takes := range map[string]int{
		streams.StreamCalls:  call.MayTake(callees, bytes),
		streams.StreamTimers: perDeadline,
		streams.BucketLines:  (1 + callees) * perLine,
	} {
		l := w.levels[name]
		l.since += int64(takes)
		w.levels[name] = l
		if l.maxBytes > 0 && l.since*unseenPart > l.maxBytes {
			select {
			case w.soon <- struct{}{}:
			default:
			}
		}
	}
}

// fullest returns the fullest guarded stream.
func (w *Watch) fullest() (name string, percent int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range guarded() {
		if p := w.levels[s].percent(); p > percent {
			name, percent = s, p
		}
	}
	return name, percent
}

// look asks the broker for the state of the guarded streams.
func (w *Watch) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	var asking sync.WaitGroup
	for _, name := range guarded() {
		w.begin(name)
		asking.Go(func() { w.lookAt(ctx, name) })
	}
	asking.Wait()
	w.logChange()
}

// begin starts a look. Bytes that were admitted since the previous look stay counted, because this look may miss them.
func (w *Watch) begin(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.levels[name]
	l.bytes += l.before // counted as stored until the broker answers
	l.before, l.since = l.since, 0
	w.levels[name] = l
}

func (w *Watch) lookAt(ctx context.Context, name string) {
	st, err := w.js.Stream(ctx, streams.StreamOf(name))
	if err != nil {
		return // keeps the last level
	}
	info := st.CachedInfo()
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.levels[name]
	l.bytes, l.maxBytes = int64(min(info.State.Bytes, 1<<62)), info.Config.MaxBytes
	l.msgs, l.maxMsgs = int64(min(info.State.Msgs, 1<<62)), info.Config.MaxMsgs
	w.levels[name] = l
}

// logChange reports whether invitations are refused, and logs a change.
func (w *Watch) logChange() {
	switch name, percent := w.fullest(); {
	case percent >= Mark:
		w.health.Fail(fmt.Sprintf("%s is above %d %% of its limit: invitations are refused", name, Mark))
		if w.full == "" {
			w.log.Warn().Str("stream", name).Int("percent", percent).Msg("invitations are refused: call storage is above its threshold")
		}
		w.full = name
	case percent < wellBelow:
		w.health.OK()
		if w.full != "" {
			w.log.Info().Msg("invitations are accepted again: call storage is below its threshold")
		}
		w.full = ""
	}
}
