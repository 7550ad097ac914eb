//go:build linux

package lost

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
)

// sessions receives the session events of a user.
type sessions struct{ sub *nats.Subscription }

func (t *Town) sessions(user string) (sessions, error) {
	sub, err := t.NC.SubscribeSync(events.SessionSubject(t.app.Name, user))
	if err == nil {
		err = t.NC.Flush()
	}
	if err != nil {
		return sessions{}, fmt.Errorf("lost: %w", err)
	}
	return sessions{sub}, nil
}

func (s sessions) end() { _ = s.sub.Unsubscribe() } // it fails only if the connection is closed

// connected waits until a session begins.
func (s sessions) connected(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		m, err := s.sub.NextMsgWithContext(ctx)
		if err != nil {
			return fmt.Errorf("lost: no session: %w", err)
		}
		var e events.SessionEvent
		if json.Unmarshal(m.Data, &e) == nil && e.Event == events.SessionConnected {
			return nil
		}
	}
}
