package store

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/worker/broker"
)

// rewatchAfter is the delay before a failed watch is started again.
const rewatchAfter = 500 * time.Millisecond

// watch follows a bucket.
type watch struct {
	js     jetstream.JetStream
	log    zerolog.Logger
	bucket string
	what   string // the content of the bucket, for logs and errors
	opts   []jetstream.WatchOpt

	// begin is called at the start of a watch. It returns the function that receives the entries. A nil entry follows the last
	// entry that existed at the start.
	begin func() (take func(jetstream.KeyValueEntry))
}

// Run watches the bucket until ctx ends. After a reconnect it starts a new watch.
func (b watch) Run(ctx context.Context) error {
	connected := b.js.Conn().StatusChanged(nats.CONNECTED)
	defer b.js.Conn().RemoveStatusListener(connected)
	var throttle broker.LogThrottle
	for ctx.Err() == nil {
		if err := b.follow(ctx, connected); err != nil && ctx.Err() == nil {
			if throttle.Allow(err.Error()) {
				b.log.Error().Err(err).Msg("can't watch " + b.what + ", retrying")
			}
			select {
			case <-ctx.Done():
			case <-time.After(rewatchAfter):
			}
		}
	}
	return nil
}

// follow runs one watch. It returns nil when ctx ends or the client has reconnected.
func (b watch) follow(ctx context.Context, connected <-chan nats.Status) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	kv, err := b.js.KeyValue(ctx, b.bucket)
	if err != nil {
		return fmt.Errorf("store: open %s: %w", b.what, err)
	}
	w, err := kv.WatchAll(ctx, b.opts...)
	if err != nil {
		return fmt.Errorf("store: watch %s: %w", b.what, err)
	}
	defer func() {
		if b.js.Conn().IsConnected() { // without a connection Stop waits for a reply, and the watch ends anyway
			_ = w.Stop()
		}
	}()
	for take := b.begin(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-connected:
			return nil
		case e, open := <-w.Updates():
			if !open {
				return fmt.Errorf("store: the watch of %s ended", b.what)
			}
			take(e)
		}
	}
}
