package streams

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/worker/broker"
)

// Found is the result of Look for one part.
type Found struct {
	Part
	Err error // JetStream did not answer; the other fields are unknown
}

// Wrong describes the fault of a part. It returns "" if there is none or if the state is unknown.
func (f Found) Wrong() string {
	switch {
	case f.Err != nil:
		return ""
	case f.Missing:
		return fmt.Sprintf("%v is missing; run `ringline setup`", f.Part)
	case len(f.Differences) > 0:
		return fmt.Sprintf("%v was altered: %v; run `ringline setup`", f.Part, f.Differences[0])
	}
	return ""
}

// lookFor is the timeout of Look and Created.
const lookFor = 4 * time.Second

// AskedOn returns the JetStream API subject for the configuration of the part. A reader needs the permission to publish there.
func (p Part) AskedOn() string {
	switch p.Kind {
	case KindBucket:
		return "$JS.API.STREAM.INFO." + StreamOf(p.Name)
	case KindConsumer:
		return "$JS.API.CONSUMER.INFO." + p.Label()
	case KindStream:
	}
	return "$JS.API.STREAM.INFO." + p.Name
}

// Look compares the existing parts with what the last Setup made of them. It is for a running process. It looks only at the
// parts for which wanted returns true; a nil wanted means all parts. Where Setup left no note, it compares with the settings.
func Look(ctx context.Context, js jetstream.JetStream, s Settings, wanted func(Part) bool) []Found {
	ctx, stop := context.WithTimeout(ctx, lookFor)
	defer stop()
	var asks []func() Found
	ask := func(p Part, look func(Part) Found) {
		if wanted == nil || wanted(p) {
			asks = append(asks, func() Found { return look(p) })
		}
	}
	for _, c := range s.streams() {
		ask(Part{Kind: KindStream, Name: c.Name}, func(p Part) Found { return lookAtStream(ctx, js, p, c) })
	}
	for _, c := range s.buckets() {
		ask(Part{Kind: KindBucket, Name: c.Bucket}, func(p Part) Found { return lookAtStream(ctx, js, p, bucketStream(c)) })
	}
	for _, c := range consumers() {
		ask(Part{Kind: KindConsumer, Name: c[1] + " of " + c[0]}, func(p Part) Found { return lookAtConsumer(ctx, js, p, c[0], c[1]) })
	}
	list := make([]Found, len(asks))
	work := make([]func() error, len(asks))
	for i, ask := range asks {
		work[i] = func() error { list[i] = ask(); return nil }
	}
	if err := broker.RunAll(work...); err != nil { // after a panic, parts without a result are unknown
		for i := range list {
			if list[i].Name == "" {
				list[i].Err = err
			}
		}
	}
	return list
}

func lookAtStream(ctx context.Context, js jetstream.JetStream, p Part, wanted jetstream.StreamConfig) Found {
	st, err := js.Stream(ctx, wanted.Name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		p.Missing = true
		return Found{Part: p}
	case err != nil:
		return Found{p, fmt.Errorf("streams: look at %v: %w", p, err)}
	}
	found := st.CachedInfo().Config
	wanted = made(found.Metadata, wanted)
	wanted.Description, wanted.Metadata = found.Description, found.Metadata // these don't affect operation
	p.Differences = streamDifferences(wanted, found)
	return Found{Part: p}
}

func lookAtConsumer(ctx context.Context, js jetstream.JetStream, p Part, stream, name string) Found {
	c, err := js.Consumer(ctx, stream, name)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
		p.Missing = true
		return Found{Part: p}
	case errors.Is(err, jetstream.ErrNotPullConsumer):
		p.Differences = []Difference{{Field: "deliver_subject", Wanted: "none", Found: "one: it is not a pull consumer"}}
		return Found{Part: p}
	case err != nil:
		return Found{p, fmt.Errorf("streams: look at %v: %w", p, err)}
	}
	found := inForce(c.CachedInfo())
	wanted := made(found.Metadata, consumer(stream, name))
	wanted.Description, wanted.Metadata = found.Description, found.Metadata
	p.Differences = consumerDifferences(wanted, found)
	return Found{Part: p}
}

// inForce returns the configuration of a consumer without an expired pause.
func inForce(info *jetstream.ConsumerInfo) jetstream.ConsumerConfig {
	c := info.Config
	if !info.Paused {
		c.PauseUntil = nil
	}
	return c
}

// Created returns when the stream of commands was created, as seen by the server of this connection. It returns the zero time
// if there is no such stream. Two connections with different results reach different streams.
func Created(ctx context.Context, js jetstream.JetStream) (time.Time, error) {
	ctx, stop := context.WithTimeout(ctx, lookFor)
	defer stop()
	st, err := js.Stream(ctx, StreamCommands)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, fmt.Errorf("streams: look at stream %s: %w", StreamCommands, err)
	}
	return st.CachedInfo().Created, nil
}
