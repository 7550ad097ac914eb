package streams

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// Kind is the kind of a Part.
type Kind string

// The kinds, in the order in which Setup creates them.
const (
	KindStream   Kind = "stream"
	KindBucket   Kind = "bucket"
	KindConsumer Kind = "consumer"
)

// Part is a stream, a bucket or a consumer, with its differences from the settings.
type Part struct {
	Kind        Kind
	Name        string // for a consumer "name of STREAM"
	Missing     bool
	Differences []Difference // empty if the part is missing
	Bytes       int64        // stored bytes of a stream or bucket
	TooMuch     int64        // bytes above the wanted limit; the oldest would be deleted
}

func (p Part) String() string { return string(p.Kind) + " " + p.Name }

// Label returns the name in metrics. For a consumer it is STREAM.name.
func (p Part) Label() string {
	if name, stream, ok := strings.Cut(p.Name, " of "); ok {
		return stream + "." + name
	}
	return p.Name
}

// AsWanted reports that the part needs no change.
func (p Part) AsWanted() bool { return !p.Missing && len(p.Differences) == 0 }

// Inspect compares the existing parts with the result of Setup. It changes nothing.
func Inspect(ctx context.Context, js jetstream.JetStream, s Settings) ([]Part, error) {
	var list []Part
	for _, c := range s.streams() {
		p, err := inspectStream(ctx, js, Part{Kind: KindStream, Name: c.Name}, c)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	for _, c := range s.buckets() {
		p, err := inspectStream(ctx, js, Part{Kind: KindBucket, Name: c.Bucket}, bucketStream(c))
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	for _, c := range consumers() {
		p, err := inspectConsumer(ctx, js, c[0], c[1])
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func inspectStream(ctx context.Context, js jetstream.JetStream, p Part, wanted jetstream.StreamConfig) (Part, error) {
	st, err := js.Stream(ctx, wanted.Name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		p.Missing = true
		return p, nil
	case err != nil:
		return p, fmt.Errorf("streams: look at %s %s: %w", p.Kind, p.Name, err)
	}
	info := st.CachedInfo()
	p.Differences = streamDifferences(keepRepaired(info.Config, wanted), info.Config)
	p.Bytes = int64(min(info.State.Bytes, 1<<62))
	if wanted.Discard == jetstream.DiscardOld && wanted.MaxBytes > 0 {
		p.TooMuch = max(0, p.Bytes-wanted.MaxBytes)
	}
	return p, nil
}

func inspectConsumer(ctx context.Context, js jetstream.JetStream, stream, name string) (Part, error) {
	p := Part{Kind: KindConsumer, Name: name + " of " + stream}
	c, err := js.Consumer(ctx, stream, name)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
		p.Missing = true
		return p, nil
	case err != nil:
		return p, fmt.Errorf("streams: look at consumer %s: %w", p.Name, err)
	}
	p.Differences = consumerDifferences(consumer(stream, name), inForce(c.CachedInfo()))
	return p, nil
}
