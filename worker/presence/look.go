package presence

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/devices"
)

// atOnce is the number of devices in one question.
const atOnce = 200

const (
	fresh   = 3 * time.Second  // how long answers may be acted on
	freshAs = 10 * time.Second // the same for a drop, which may wait on its way: in a socket, in a buffer, in the stream
)

// round is one question to the other edges. A drop needs answers that are fresh: no edge was lost since, this process was
// not paused, and its connection was not lost or cut off.
type round struct {
	asked      time.Time
	judged     time.Time // asked, in broker time
	stall      time.Time
	losses     int
	cuts       int64
	reconnects uint64
}

func (c *Checker) begin() round {
	return round{time.Now(), c.Clock.Now(), c.Stall.Now(), c.peers.losses(), c.cuts.Load(), c.NC.Stats().Reconnects}
}

func (c *Checker) isFresh(r round) bool {
	return time.Since(r.asked) < fresh && !c.Stall.Since(r.stall) && c.peers.losses() == r.losses && c.cuts.Load() == r.cuts &&
		c.NC.Stats().Reconnects == r.reconnects && c.NC.Status() == nats.CONNECTED
}

// look looks at some suspects. Each one is removed, or looked at again later. It returns false if the answers were not
// complete, or are no longer fresh.
func (c *Checker) look(ctx context.Context, list map[devices.Key]suspect) bool {
	r := c.begin()
	keys := keysOf(list)
	all, complete := c.ask(ctx, keys)
	ctx, cancel := context.WithTimeout(ctx, fresh)
	defer cancel()
	for _, k := range keys {
		x, state := list[k], all[k]
		switch {
		case !complete:
			c.again(k, x, c.Times.Again)
		case state.Connected:
			c.suspects.remove(k, x)
		case !c.isFresh(r):
			return false // the others are still due
		default:
			x.inCall = x.showed
			c.decide(ctx, r, k, x, state)
		}
	}
	return complete
}

func (c *Checker) again(k devices.Key, x suspect, wait time.Duration) {
	x.next = c.now() + wait
	c.suspects.later(k, x)
}

// decide handles a suspect that has no session.
func (c *Checker) decide(ctx context.Context, r round, k devices.Key, x suspect, state known) {
	settings, err := c.Apps(ctx, k.App)
	if err != nil {
		c.again(k, x, c.Times.Again)
		return
	}
	g := gracesOf(settings)
	absent := min(c.now()-x.since, state.absence(c.Clock.Now()))
	switch least := g.shortest(); {
	case least == 0:
		c.suspects.remove(k, x)
		return
	case absent < least:
		x.due = false
		c.again(k, x, least-absent)
		return
	}
	calls, err := c.Lines.CallsOf(ctx, k.App, k.UserID)
	if err != nil {
		c.Log.Warn().Err(err).Str("app", k.App).Msg("the calls of a device that may be gone could not be read; it is checked again")
		c.again(k, x, c.Times.Again)
		return
	}
	var over []events.Call
	next := time.Duration(0)
	for _, call := range calls {
		grace := g.of(call, k, state.IsAway())
		wait := grace - absent
		switch {
		case grace == 0:
			continue
		case wait <= 0:
			over = append(over, call)
			wait = c.Times.Again // and again, until the user is out
		}
		if next == 0 || wait < next {
			next = wait
		}
	}
	if next == 0 {
		c.suspects.remove(k, x)
		return
	}
	if len(over) > 0 && !x.due { // before it drops, it hears a beat of each edge that works, also of those that it did not know
		x.due, over, next = true, nil, c.Times.Beat
	}
	x.inCall = len(over) == 0 || c.holding // a device that is dropped now is not one of those to come
	c.again(k, x, next)
	if c.holding {
		for _, call := range over {
			c.Log.Debug().Str("app", k.App).Str("call_id", call.CallID).Msg("the drop of a party is held")
		}
		return
	}
	c.drop(ctx, r, k, x, over)
}

// drop takes the user out of these calls. The coordinator checks that the user is still in with this device, since the
// version of the call that was read.
func (c *Checker) drop(ctx context.Context, r round, k devices.Key, x suspect, calls []events.Call) {
	for _, call := range calls {
		if !c.suspects.holds(k, x) || !c.isFresh(r) {
			return // it has opened a session here meanwhile, or it is checked again
		}
		if err := c.publish(ctx, r, k, call); err != nil {
			c.Log.Warn().Err(err).Msg("a party whose device is gone could not be dropped; it is checked again")
			continue
		}
		c.count.Dropped(call.State == events.CallStateActive)
		c.Log.Info().Str("app", k.App).Str("call_id", call.CallID).Int("seen", call.Seq).Msg("the device of a party is gone; dropping the party")
	}
}

// publish publishes a drop. It does not count later than freshAs after the question, however long it is on its way.
func (c *Checker) publish(ctx context.Context, r round, k devices.Key, call events.Call) error {
	cmd := events.Command{
		CommandAddress: events.CommandAddress{App: k.App, CallID: call.CallID, Verb: events.VerbDrop},
		CommandID:      nuid.Next(), Service: events.ServicePresence, Seen: call.Seq,
		Party: events.Seat{UserID: k.UserID, DeviceID: k.DeviceID},
	}
	body, err := cmd.Encode()
	if err != nil {
		return err
	}
	msg := nats.NewMsg(events.CommandSubject(k.App, call.CallID, cmd.Verb))
	msg.Data = body
	if c.Clock.Known() {
		msg.Header.Set(events.HeaderDeadline, events.TimeOf(r.judged.Add(freshAs)).String())
	}
	if _, err := c.JS.PublishMsg(ctx, msg); err != nil {
		return fmt.Errorf("presence: drop a party of call %s: %w", call.CallID, err)
	}
	return nil
}
