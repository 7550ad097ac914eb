package worker

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/nats-io/nats.go/jetstream"
)

// madeKey is where Setup notes, in the metadata of a stream or consumer, how it made it. A worker that runs compares what
// there is with that note: its own settings may be other ones, as while an upgrade is under way.
const madeKey = "ringline_setup"

// madeStream is the stream with the note.
func madeStream(c jetstream.StreamConfig) (jetstream.StreamConfig, error) {
	var err error
	c.Metadata, err = withNote(c.Metadata, c)
	return c, err
}

// madeBucket is the bucket with the note, which is that of its stream.
func madeBucket(c jetstream.KeyValueConfig) (jetstream.KeyValueConfig, error) {
	var err error
	c.Metadata, err = withNote(c.Metadata, bucketStream(c))
	return c, err
}

// madeConsumer is the consumer with the note.
func madeConsumer(c jetstream.ConsumerConfig) (jetstream.ConsumerConfig, error) {
	var err error
	c.Metadata, err = withNote(c.Metadata, c)
	return c, err
}

func withNote(metadata map[string]string, config any) (map[string]string, error) {
	note, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("worker: note how a stream is made: %w", err)
	}
	m := maps.Clone(metadata)
	if m == nil {
		m = map[string]string{}
	}
	m[madeKey] = string(note)
	return m, nil
}

// made gives how Setup made it. Without a note that can be read it is what the settings want.
func made[C any](metadata map[string]string, wanted C) C {
	var c C
	if json.Unmarshal([]byte(metadata[madeKey]), &c) != nil {
		return wanted
	}
	return c
}
