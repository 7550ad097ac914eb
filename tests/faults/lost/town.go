//go:build linux

package lost

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/device"
	"ringline.io/ringline/worker/ask"
	"ringline.io/ringline/worker/store"
)

// Town has an app with users who call each other.
type Town struct {
	NC    *nats.Conn
	Edges []string // addresses
	Say   func(format string, args ...any)

	app   device.App
	asker *ask.Asker
	lines *store.Lines
}

// Open makes the app with these settings, and waits until the edges know it.
func (t *Town) Open(ctx context.Context, name string, settings events.AppSettings) error {
	js, err := jetstream.New(t.NC)
	if err != nil {
		return fmt.Errorf("lost: %w", err)
	}
	if t.app, err = device.NewApp(ctx, js, name, settings); err != nil {
		return err
	}
	for _, e := range t.Edges {
		if err := t.app.Await(ctx, e); err != nil {
			return err
		}
	}
	if t.asker, err = ask.New(t.NC, js, 10*time.Second, nil); err != nil {
		return err
	}
	calls := store.NewCalls(t.NC, zerolog.Nop(), nil)
	t.lines = store.NewLines(t.NC, js, calls, zerolog.Nop(), nil)
	return nil
}

func (t *Town) phone(user string) *phone { return &phone{app: t.app, user: user} }

// edge returns one of the edges.
func (t *Town) edge(i int) string { return t.Edges[i%len(t.Edges)] }

// ring sends the invitation of a caller's session.
func (t *Town) ring(ctx context.Context, id, caller, callee string) error {
	return t.send(ctx, events.Command{
		CommandAddress: events.CommandAddress{App: t.app.Name, CallID: id, Verb: events.VerbInvite}, CommandID: "i", UserID: caller,
		DeviceID: deviceOf(caller), Callees: []events.Party{{UserID: callee}}, Via: events.ViaSession, RingTimeoutS: 300,
	})
}

// talk makes an active call of two sessions.
func (t *Town) talk(ctx context.Context, id, caller, callee string) error {
	if err := t.ring(ctx, id, caller, callee); err != nil {
		return err
	}
	return t.send(ctx, events.Command{
		CommandAddress: events.CommandAddress{App: t.app.Name, CallID: id, Verb: events.VerbAccept}, CommandID: "a", UserID: callee,
		DeviceID: deviceOf(callee), Via: events.ViaSession,
	})
}

// end ends a call, if it is there.
func (t *Town) end(ctx context.Context, id, user string) error {
	return t.send(ctx, events.Command{
		CommandAddress: events.CommandAddress{App: t.app.Name, CallID: id, Verb: events.VerbEnd}, CommandID: "e", UserID: user,
		DeviceID: deviceOf(user), Via: events.ViaSession,
	})
}

func (t *Town) send(ctx context.Context, cmd events.Command) error {
	if a := t.asker.Ask(ctx, cmd); !a.OK {
		return fmt.Errorf("lost: %s of %s: %w", cmd.Verb, cmd.CallID, a.Error)
	}
	return nil
}

// free waits until the line of a user is free, and returns when.
func (t *Town) free(ctx context.Context, user string) (time.Time, error) {
	const every = 100 * time.Millisecond
	for {
		calls, err := t.lines.CallsOf(ctx, t.app.Name, user)
		busy := slices.ContainsFunc(calls, func(c events.Call) bool { return c.State != events.CallStateEnded && c.On(user) })
		if err == nil && !busy {
			return time.Now(), nil
		}
		select {
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("lost: the line of %s: %w", user, ctx.Err())
		case <-time.After(every):
		}
	}
}
