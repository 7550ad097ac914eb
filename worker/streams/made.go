package streams

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/nats-io/nats.go/jetstream"
)

// madeKey is the metadata key under which Setup stores the configuration that it gave to a stream or consumer. A running worker
// compares the current configuration with that note. Its own settings may differ, for example during an upgrade.
const madeKey = "ringline_setup"

// madeStream adds the note to the configuration of a stream.
func madeStream(c jetstream.StreamConfig) (jetstream.StreamConfig, error) {
	var err error
	c.Metadata, err = withNote(c.Metadata, c)
	return c, err
}

// madeBucket adds the note to the configuration of a bucket. The note describes the bucket's stream.
func madeBucket(c jetstream.KeyValueConfig) (jetstream.KeyValueConfig, error) {
	var err error
	c.Metadata, err = withNote(c.Metadata, bucketStream(c))
	return c, err
}

// madeConsumer adds the note to the configuration of a consumer.
func madeConsumer(c jetstream.ConsumerConfig) (jetstream.ConsumerConfig, error) {
	var err error
	c.Metadata, err = withNote(c.Metadata, c)
	return c, err
}

func withNote(metadata map[string]string, config any) (map[string]string, error) {
	note, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("streams: note how a stream is made: %w", err)
	}
	m := maps.Clone(metadata)
	if m == nil {
		m = map[string]string{}
	}
	m[madeKey] = string(note)
	return m, nil
}

// made returns the configuration that Setup noted. Without a readable note it returns wanted.
func made[C any](metadata map[string]string, wanted C) C {
	var c C
	if json.Unmarshal([]byte(metadata[madeKey]), &c) != nil {
		return wanted
	}
	return c
}
