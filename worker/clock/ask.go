package clock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"ringline.io/ringline/worker/health"
)

// How often the leader is asked, and the timeout of a request.
const (
	Every   = 10 * time.Second // while the connection stays up
	soon    = time.Second      // after a failure; also how soon a new connection is noticed
	patient = 2 * time.Second
)

// The skews that an operator has to look at.
const (
	Warned   = time.Second
	Degraded = 5 * time.Second // as in the alert RinglineClockSkew
)

// Ask asks the leader of a stream for its time.
func (c *Clock) Ask(ctx context.Context, nc *nats.Conn, stream string) error {
	ctx, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	asked := c.run()
	reply, err := nc.RequestWithContext(ctx, "$JS.API.STREAM.INFO."+stream, nil)
	received := c.run()
	if err != nil {
		return fmt.Errorf("clock: ask the leader of %s for its time: %w", stream, err)
	}
	var info struct {
		Time  time.Time `json:"ts"`
		Error *struct {
			Description string `json:"description"`
		} `json:"error"`
	}
	switch err := json.Unmarshal(reply.Data, &info); {
	case err != nil:
		return fmt.Errorf("clock: the time of the leader of %s: %w", stream, err)
	case info.Error != nil:
		return fmt.Errorf("clock: the time of the leader of %s: %s", stream, info.Error.Description)
	case info.Time.IsZero():
		return errors.New("clock: the server reports no time with the state of a stream; nats-server 2.10 or later is required")
	}
	c.answered(info.Time, asked, received)
	return nil
}

// Keeper keeps a clock synchronized with broker time.
type Keeper struct {
	Clock  *Clock
	NC     *nats.Conn
	Stream string
	Log    zerolog.Logger
	Kick   <-chan struct{}   // triggers a request at once; may be nil
	Health *health.Condition // fails while the skew is above Degraded; may be nil
}

// Run asks the leader periodically until ctx ends. It asks soon after each new connection and after each failure.
func (k Keeper) Run(ctx context.Context) error {
	tick := time.NewTicker(soon)
	defer tick.Stop()
	var warned time.Time
	reconnects, next := k.NC.Stats().Reconnects, Every
	for last := k.Clock.run(); ; {
		kicked := false
		select {
		case <-ctx.Done():
			return nil
		case <-k.Kick:
			kicked = true
		case <-tick.C:
		}
		connected := k.NC.Stats().Reconnects != reconnects
		if !k.NC.IsConnected() || !kicked && !connected && k.Clock.run()-last < next {
			continue
		}
		reconnects, last, next = k.NC.Stats().Reconnects, k.Clock.run(), Every
		if err := k.Clock.Ask(ctx, k.NC, k.Stream); err != nil {
			next = soon
			k.Log.Debug().Err(err).Msg("broker time did not advance")
		}
		warned = k.warn(warned)
	}
}

// warn logs a large skew, at most once in ten minutes. It returns the time of the last warning.
func (k Keeper) warn(last time.Time) time.Time {
	const again = 10 * time.Minute
	now := Local()
	skew, known := k.Clock.Skew()
	switch {
	case !known:
	case skew.Abs() > Degraded:
		k.Health.Fail(fmt.Sprintf("the clock of this machine is %v ahead of the NATS servers", skew.Round(time.Millisecond)))
	default:
		k.Health.OK()
	}
	if skew.Abs() <= Warned || now.Sub(last) < again {
		return last
	}
	k.Log.Warn().Float64("ahead_s", skew.Seconds()).
		Msg("this machine's clock differs from the NATS servers'; calls are not affected, but the times in this log are wrong by that much")
	return now
}
