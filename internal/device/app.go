package device

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/token"
	"ringline.io/ringline/worker/streams"
)

// App is an app with a key that signs tokens.
type App struct {
	Name string          `json:"name"`
	Key  events.TokenKey `json:"key"`
}

// Unlimited are settings for tests of other things, with limits so high that no test reaches them.
func Unlimited() events.AppSettings {
	return events.AppSettings{
		CommandsPerS: events.MaxCommandsPerS, BytesPerS: events.MaxBytesPerS, APISlots: events.MaxAPISlots,
		PairInvitesPerMin: events.MaxPairInvitesPerMin, RingingPerCaller: events.MaxRingingPerCaller,
	}
}

// NewApp stores an app with these settings and a new secret.
func NewApp(ctx context.Context, js jetstream.JetStream, name string, s events.AppSettings) (App, error) {
	a := App{Name: name, Key: token.Generate("k1")}
	s.TokenKeys = append(s.TokenKeys, a.Key)
	body, err := events.Encode(s)
	if err != nil {
		return a, err
	}
	kv, err := js.KeyValue(ctx, streams.BucketApps)
	if err != nil {
		return a, fmt.Errorf("device: open the apps: %w", err)
	}
	if _, err := kv.Put(ctx, name, body); err != nil {
		return a, fmt.Errorf("device: store an app: %w", err)
	}
	return a, nil
}

// Token creates a token of a user that is valid for 1 h; deviceID may be empty.
func (a App) Token(user, deviceID string) (string, error) {
	return a.Mint(token.Claims{UserID: user, Device: deviceID, Expires: time.Now().Add(time.Hour)})
}

// Mint creates a token with these claims. The default of the app is this app.
func (a App) Mint(c token.Claims) (string, error) {
	key, err := token.Secret(a.Key)
	if err != nil {
		return "", err
	}
	if c.App == "" {
		c.App = a.Name
	}
	if c.IssuedAt.IsZero() {
		c.IssuedAt = time.Now()
	}
	return token.Mint(key, c, "")
}

// Await waits until this edge knows the app.
func (a App) Await(ctx context.Context, server string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	raw, err := a.Token("first", "")
	if err != nil {
		return err
	}
	for {
		d, _, err := Connect(ctx, Hello{Server: server, Token: raw}, nil)
		if err == nil {
			d.Socket.Close()
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("device: the edge does not know the app: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
