package embedded

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/cmd/internal/natsconn"
	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/worker/streams"
)

// SetUp creates what the workers need on a server that has just started.
func SetUp(ctx context.Context, natsURL string, s settings.Settings, want streams.Settings) error {
	conn, err := natsconn.Connect(natsURL, "ringline setup", nats.CustomInboxPrefix(s.InboxPrefix))
	if err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	defer conn.Close()
	return streams.Setup(ctx, conn.JS, want)
}
