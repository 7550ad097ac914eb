package main

import (
	"context"
	"time"

	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/clock"
	"ringline.io/ringline/worker/health"
	"ringline.io/ringline/worker/meter"
)

// learnTime waits until the leader of the commands has told broker time. Nothing is decided before.
func (c *crew) learnTime(ctx context.Context) error {
	c.meter.Skew(c.clock.Skew)
	for {
		err := c.clock.Ask(ctx, c.conns[0].Conn, worker.StreamCommands)
		if err == nil {
			return nil
		}
		c.health.Phase("waiting: " + err.Error())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (c *crew) keepTime() clock.Keeper {
	return clock.Keeper{
		Clock: c.clock, NC: c.conns[0].Conn, Stream: worker.StreamCommands, Log: c.meter.Log(c.log, meter.NATS),
		Health: c.health.Degrades(health.Clock),
	}
}
