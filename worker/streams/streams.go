package streams

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
)

// Names of the streams, buckets and consumers.
const (
	StreamCommands = "RINGLINE_COMMANDS"
	StreamCalls    = "RINGLINE_CALLS"
	StreamTimers   = "RINGLINE_TIMERS"
	StreamEvents   = "RINGLINE_EVENTS"
	StreamCDRs     = "RINGLINE_CDRS"
	StreamRejected = "RINGLINE_REJECTED"
	StreamSessions = "RINGLINE_SESSIONS"

	BucketLines   = "RINGLINE_LINES"
	BucketApps    = "RINGLINE_APPS"
	BucketSecrets = "RINGLINE_SECRETS"

	ConsumerCoordinators = "coordinators" // on RINGLINE_COMMANDS
	ConsumerTimeouts     = "timeouts"     // on RINGLINE_TIMERS
	ConsumerAnalytics    = "analytics"    // on RINGLINE_EVENTS and on RINGLINE_CDRS
)

// Settings are the options of the streams that an operator may change.
type Settings struct {
	Replicas     int                   // of every stream and bucket
	Storage      jetstream.StorageType // of every stream and bucket
	CallsMaxAge  time.Duration         // maximum age of the last transition of a call
	TimersMaxAge time.Duration
	LinesTTL     time.Duration
	EventsMaxAge time.Duration // of the event log and of the call detail records
	MaxBytes     Sizes
}

// DefaultSettings returns settings for one node with file storage.
func DefaultSettings() Settings {
	return Settings{
		Replicas: 1, Storage: jetstream.FileStorage,
		CallsMaxAge: 24 * time.Hour, TimersMaxAge: 24 * time.Hour, LinesTTL: 18 * time.Hour,
		EventsMaxAge: 30 * 24 * time.Hour, MaxBytes: DefaultSizes(),
	}
}

// Check refuses settings that are inconsistent with this maximum call duration. A line must outlive its call. A call and its
// deadlines must outlive the line.
func (s Settings) Check(maxDuration time.Duration) error {
	switch {
	case s.Replicas != 1 && s.Replicas != 3 && s.Replicas != 5:
		return fmt.Errorf("streams: replicas must be 1, 3 or 5, got %d", s.Replicas)
	case maxDuration+time.Hour > s.LinesTTL:
		return fmt.Errorf("streams: maximum duration %v + 1h must be at most the TTL of lines, %v", maxDuration, s.LinesTTL)
	case s.LinesTTL > s.CallsMaxAge:
		return fmt.Errorf("streams: TTL of lines %v must be at most the age of calls, %v", s.LinesTTL, s.CallsMaxAge)
	case s.LinesTTL > s.TimersMaxAge:
		return fmt.Errorf("streams: TTL of lines %v must be at most the age of timers, %v", s.LinesTTL, s.TimersMaxAge)
	}
	return s.MaxBytes.check()
}

// Limits that are the same in every installation.
const (
	shortestDuplicates = 100 * time.Millisecond // a client's Nats-Msg-Id suppresses other messages with that id for this time
	maxCommands        = 1_000_000
	maxAckPending      = 20_000 // includes nak'ed messages
)

// AckWait is how long the server waits for an ack before it redelivers a message to a worker.
const AckWait = 3 * time.Second

// StreamNames lists every stream and bucket.
func StreamNames() []string {
	return []string{
		StreamCommands, StreamCalls, StreamTimers, BucketLines, BucketApps, BucketSecrets, StreamEvents, StreamCDRs, StreamRejected, StreamSessions,
	}
}

func (s Settings) streams() []jetstream.StreamConfig {
	base := func(name, about string, subjects ...string) jetstream.StreamConfig {
		return jetstream.StreamConfig{
			Name: name, Description: about, Subjects: subjects, Storage: s.Storage, Replicas: s.Replicas,
			Duplicates: shortestDuplicates, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
		}
	}
	commands := base(StreamCommands, "commands that wait for a coordinator", events.CommandSubjects)
	commands.Retention, commands.Discard = jetstream.WorkQueuePolicy, jetstream.DiscardNew
	commands.MaxMsgs, commands.MaxBytes, commands.MaxMsgSize = maxCommands, s.MaxBytes.Commands, events.MaxCommand
	commands.DenyDelete, commands.DenyPurge = true, true

	calls := base(StreamCalls, "transitions; the newest of a subject has the current call", events.TransitionSubjects)
	calls.Discard, calls.MaxBytes, calls.MaxAge = jetstream.DiscardNew, s.MaxBytes.Calls, s.CallsMaxAge
	calls.MaxMsgsPerSubject, calls.AllowDirect = 1000, true
	calls.DenyDelete, calls.DenyPurge = true, true

	timers := base(StreamTimers, "deadlines as delayed messages, and due deadlines",
		events.TimerSubjects, events.DueSubjects)
	timers.MaxAge, timers.MaxBytes, timers.MaxMsgsPerSubject = s.TimersMaxAge, s.MaxBytes.Timers, 1
	timers.AllowMsgSchedules, timers.AllowMsgTTL = true, true

	log := base(StreamEvents, "the event log: every transition, for analytics")
	log.MaxAge, log.MaxBytes = s.EventsMaxAge, s.MaxBytes.Events // no compression: ADR 0008
	log.Sources = eventSources()

	records := base(StreamCDRs, "call detail records, one for each ended call", events.CDRSubjects)
	records.MaxAge, records.MaxBytes = s.EventsMaxAge, s.MaxBytes.CDRs

	rejected := base(StreamRejected, "malformed commands, with the reason", events.RejectedSubjects)
	rejected.MaxAge, rejected.MaxBytes = 7*24*time.Hour, s.MaxBytes.Rejected

	sessions := base(StreamSessions, "connects and disconnects of client sessions", events.SessionSubjects)
	sessions.MaxAge, sessions.MaxBytes = 24*time.Hour, s.MaxBytes.Sessions

	return []jetstream.StreamConfig{commands, calls, timers, log, records, rejected, sessions}
}

func (s Settings) buckets() []jetstream.KeyValueConfig {
	return []jetstream.KeyValueConfig{
		{
			Bucket: BucketLines, Description: "the calls that each user is in", TTL: s.LinesTTL, LimitMarkerTTL: time.Minute,
			MaxBytes: s.MaxBytes.Lines, Storage: s.Storage, Replicas: s.Replicas,
		},
		{
			Bucket: BucketApps, Description: "settings of apps",
			MaxBytes: s.MaxBytes.Apps, Storage: s.Storage, Replicas: s.Replicas,
		},
		{
			Bucket: BucketSecrets, Description: "secrets of apps, for coordinators and edges only",
			MaxBytes: secretsBytes, Storage: s.Storage, Replicas: s.Replicas,
		},
	}
}

// consumer returns the configuration of a durable pull consumer of a stream.
func consumer(stream, name string) jetstream.ConsumerConfig {
	c := jetstream.ConsumerConfig{
		Durable: name, AckPolicy: jetstream.AckExplicitPolicy, DeliverPolicy: jetstream.DeliverAllPolicy,
		AckWait: AckWait, MaxDeliver: -1, MaxAckPending: maxAckPending,
	}
	if stream == StreamTimers {
		c.FilterSubject = events.DueSubjects
	}
	if name == ConsumerAnalytics {
		c.AckWait = 30 * time.Second
	}
	return c
}

// consumers lists every durable consumer as the pair of its stream and its name.
func consumers() [][2]string {
	return [][2]string{
		{StreamCommands, ConsumerCoordinators},
		{StreamTimers, ConsumerTimeouts},
		{StreamEvents, ConsumerAnalytics},
		{StreamCDRs, ConsumerAnalytics},
	}
}

// Setup creates every stream, bucket and consumer, and updates existing ones to these settings.
func Setup(ctx context.Context, js jetstream.JetStream, s Settings) error {
	for _, c := range shrinkFirst(ctx, js, s.streams()) {
		c, err := madeStream(c)
		if err != nil {
			return err
		}
		if _, err := js.CreateOrUpdateStream(ctx, c); err != nil {
			return fmt.Errorf("streams: set up stream %s: %w", c.Name, err)
		}
	}
	for _, c := range s.buckets() {
		c, err := madeBucket(c)
		if err != nil {
			return err
		}
		if _, err := js.CreateOrUpdateKeyValue(ctx, c); err != nil {
			return fmt.Errorf("streams: set up bucket %s: %w", c.Bucket, err)
		}
	}
	for _, c := range consumers() {
		if _, err := setUpConsumer(ctx, js, c[0], c[1]); err != nil {
			return err
		}
	}
	return nil
}

// shrinkFirst puts the streams whose byte limits decrease before the others, because the server may not have space for both
// limits. It keeps the changes of repairs in the event log.
func shrinkFirst(ctx context.Context, js jetstream.JetStream, list []jetstream.StreamConfig) []jetstream.StreamConfig {
	var first, then []jetstream.StreamConfig
	for _, c := range list {
		st, err := js.Stream(ctx, c.Name)
		if err != nil {
			then = append(then, c) // the stream is new, or the update will report the error
			continue
		}
		found := st.CachedInfo().Config
		if c = keepRepaired(found, c); c.MaxBytes < found.MaxBytes {
			first = append(first, c)
		} else {
			then = append(then, c)
		}
	}
	return append(first, then...)
}

func setUpConsumer(ctx context.Context, js jetstream.JetStream, stream, name string) (jetstream.Consumer, error) {
	wanted, err := madeConsumer(consumer(stream, name))
	if err != nil {
		return nil, err
	}
	c, err := js.CreateOrUpdateConsumer(ctx, stream, wanted)
	if err != nil {
		return nil, fmt.Errorf("streams: set up consumer %s of %s: %w", name, stream, err)
	}
	if c.CachedInfo().Paused { // an update does not end a pause
		if _, err := js.ResumeConsumer(ctx, stream, name); err != nil {
			return nil, fmt.Errorf("streams: resume consumer %s of %s: %w", name, stream, err)
		}
	}
	return c, nil
}

// OpenConsumer returns the durable consumer. It recreates the consumer if it was deleted.
func OpenConsumer(ctx context.Context, js jetstream.JetStream, stream, name string) (jetstream.Consumer, error) {
	c, err := js.Consumer(ctx, stream, name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return setUpConsumer(ctx, js, stream, name)
	}
	if err != nil {
		return nil, fmt.Errorf("streams: open consumer %s of %s: %w", name, stream, err)
	}
	return c, nil
}
