package serve

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/clock"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/stall"
	"ringline.io/ringline/worker/streams"
)

// learnTime waits until the leader of the commands stream has reported broker time. No command is decided before.
func (c *Process) learnTime(ctx context.Context) error {
	c.meter.Skew(c.clock.Skew)
	var throttle broker.LogThrottle
	for {
		err := c.clock.Ask(ctx, c.conns[0].Conn, streams.StreamCommands)
		if err == nil {
			c.health.Phase(phaseStarting)
			return nil
		}
		c.waits(ctx, err, &throttle)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (c *Process) keepTime() clock.Keeper {
	return clock.Keeper{
		Clock: c.clock, NC: c.conns[0].Conn, Stream: streams.StreamCommands, Log: c.meter.Log(c.log, meter.NATS),
		Health: c.health.Degrades(health.Clock).Sampled(), Kick: c.stallEnds(),
	}
}

// stallEnds signals the end of a stall, because the machine may have been suspended. One watch per process is enough.
func (c *Process) stallEnds() <-chan struct{} {
	if len(c.stalls) == 0 {
		return nil
	}
	return c.stalls[0].Ended()
}

// stall creates a watch for stalls of this process. The connections are those on which requests arrive.
func (c *Process) stall(conns ...*nats.Conn) *stall.Watch {
	w := stall.New(clock.Local, conns, c.meter.Log(c.log, meter.Health), c.meter)
	c.stalls = append(c.stalls, w)
	return w
}
