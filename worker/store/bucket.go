package store

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/worker"
)

// rewatchAfter is how long to wait before a watch that failed is begun again.
const rewatchAfter = 500 * time.Millisecond

// watch follows a bucket.
type watch struct {
	js     jetstream.JetStream
	log    zerolog.Logger
	bucket string
	what   string // is in it
	opts   []jetstream.WatchOpt

	// begin is called when a watch has begun, and gives what takes its entries. A nil entry says that all was taken that was there.
	begin func() (take func(jetstream.KeyValueEntry))
}

// Run follows the bucket until ctx ends. After the connection was lost it begins anew.
func (b watch) Run(ctx context.Context) error {
	connected := b.js.Conn().StatusChanged(nats.CONNECTED)
	defer b.js.Conn().RemoveStatusListener(connected)
	var told worker.Repeated
	for ctx.Err() == nil {
		if err := b.follow(ctx, connected); err != nil && ctx.Err() == nil {
			if !told.Again(err) {
				b.log.Error().Err(err).Msg("can't watch " + b.what + ", trying again")
			}
			select {
			case <-ctx.Done():
			case <-time.After(rewatchAfter):
			}
		}
	}
	return nil
}

// follow follows one watch until ctx ends or the connection comes back; both are no error.
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
		if b.js.Conn().IsConnected() { // otherwise it waits for an answer, and the watch ends with the connection
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
