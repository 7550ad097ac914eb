package presence

import (
	"context"
	"errors"
	"time"

	"ringline.io/ringline/events"
)

// sweepSoon asks for a check of every party, if this edge is the one that makes it.
func (c *Checker) sweepSoon() {
	if !c.peers.first(c.ID) {
		return
	}
	select {
	case c.sweep <- struct{}{}:
	default: // one is going to begin
	}
}

// sweeps checks every party: once the other edges are known, after the loss of an edge, and periodically. A loss is
// followed by a second check, because commands of that edge may still have been on their way.
func (c *Checker) sweeps(ctx context.Context) {
	start := time.NewTimer(3 * c.Times.Beat)
	defer start.Stop()
	every := time.NewTicker(c.Times.Sweep)
	defer every.Stop()
	second := time.NewTimer(c.Times.Sweep)
	defer second.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.sweep:
			second.Reset(4 * c.Times.Lost)
		case <-second.C:
		case <-start.C:
		case <-every.C:
		}
		if c.peers.first(c.ID) {
			c.checkAll(ctx)
		}
	}
}

// checkAll suspects the watched devices of all calls, except those with a session here.
func (c *Checker) checkAll(ctx context.Context) {
	began, found := time.Now(), 0
	visited := map[string]bool{}
	err := c.Lines.Walk(ctx, func(app string, entries []events.Entry) error {
		for _, e := range entries {
			id := app + "." + e.CallID
			if visited[id] {
				continue
			}
			visited[id] = true
			now, err := c.Calls.LoadFromLeader(ctx, app, e.CallID)
			if _, newer := errors.AsType[*events.NewerFormatError](err); newer {
				continue // edges of that version check it
			}
			if err != nil {
				return err
			}
			found += c.suspectAll(now.Call)
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		c.Log.Error().Err(err).Msg("not every party could be checked; retrying")
		time.AfterFunc(c.Times.Again, c.sweepSoon)
	}
	c.count.Swept(time.Since(began))
	c.Log.Debug().Int("calls", len(visited)).Int("devices", found).Dur("took", time.Since(began)).Msg("every party is checked")
}

// suspectAll suspects the watched devices of a call that have no session here. Another edge may have one: they are looked
// at immediately.
func (c *Checker) suspectAll(call events.Call) (count int) {
	for _, k := range watched(call) {
		if c.Local.Device(k).Connected {
			continue
		}
		now := c.now()
		c.suspects.add(k, suspect{since: now, next: now, showed: true})
		count++
	}
	return count
}
