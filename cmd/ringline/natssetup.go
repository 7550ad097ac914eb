package main

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/worker"
)

// setUpStreams creates what the workers need on a server that has just started.
func setUpStreams(ctx context.Context, natsURL string, s settings, streams worker.Settings) error {
	conn, err := connect(natsURL, "ringline setup", nats.CustomInboxPrefix(s.InboxPrefix))
	if err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	defer conn.Close()
	return worker.Setup(ctx, conn.js, streams)
}
