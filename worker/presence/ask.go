package presence

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/devices"
)

// question asks all edges what they know of some devices.
type question struct {
	Edge    string        `json:"edge"`
	Devices []devices.Key `json:"devices"`
}

// answer is what one edge knows. It knows nothing from before it started.
type answer struct {
	Edge    string          `json:"edge"`
	Started time.Time       `json:"started"` // broker time, as the edge estimates it now
	States  []devices.State `json:"states"`  // in the order of the question
}

// known is what the edges that answered know of a device.
type known struct {
	devices.State
	started time.Time // of the edge that started last
}

// absence returns for how long the device has had no session, as far as the answers tell.
func (k known) absence(now time.Time) time.Duration {
	since := k.started
	if k.Seen.After(since) {
		since = k.Seen
	}
	return now.Sub(since)
}

// answer answers the question of another edge.
func (c *Checker) answer(msg *nats.Msg) {
	var q question
	if err := json.Unmarshal(msg.Data, &q); err != nil {
		c.Log.Warn().Str("error", events.WithoutQuotes(err.Error())).Msg("a question of another edge is malformed")
		return
	}
	if q.Edge == c.ID {
		return
	}
	c.send(msg.Reply, c.own(q.Devices))
}

// send publishes a message to other edges. A message that is lost costs time: the question is asked again.
func (c *Checker) send(subject string, v any) {
	body, err := events.Encode(v)
	if err == nil {
		err = c.NC.Publish(subject, body)
	}
	if err != nil {
		c.Log.Warn().Err(err).Msg("a message to other edges could not be sent")
	}
}

// ask asks all edges about these devices. It returns false unless every edge that is not lost has answered.
func (c *Checker) ask(ctx context.Context, keys []devices.Key) (all map[devices.Key]known, complete bool) {
	all = map[devices.Key]known{}
	c.merge(all, keys, c.own(keys))
	answers := make(chan *nats.Msg, 256)
	sub, err := c.NC.ChanSubscribe(events.SubjectPresence+"."+nuid.Next(), answers) // edges may publish there
	if err != nil {
		return nil, false
	}
	defer func() { _ = sub.Unsubscribe() }() // it fails only if the connection is closed
	body, err := events.Encode(question{Edge: c.ID, Devices: keys})
	if err != nil || c.NC.PublishRequest(events.SubjectPresence, sub.Subject, body) != nil {
		return nil, false
	}
	over := time.NewTimer(c.Times.Answer)
	defer over.Stop()
	for answered := map[string]bool{}; len(c.peers.silent(answered)) > 0; {
		select {
		case <-ctx.Done():
			return nil, false
		case <-over.C:
			c.Log.Info().Strs("edges", c.peers.silent(answered)).Msg("an edge does not answer; devices are checked again later")
			return nil, false
		case msg := <-answers:
			var a answer
			if err := json.Unmarshal(msg.Data, &a); err != nil || len(a.States) != len(keys) {
				continue
			}
			answered[a.Edge] = true
			c.peers.answered(a.Edge, c.now())
			c.merge(all, keys, a)
		}
	}
	return all, true
}

// own returns what this edge knows.
func (c *Checker) own(keys []devices.Key) answer {
	a := answer{Edge: c.ID, Started: c.Clock.Now().Add(-time.Since(c.started)), States: make([]devices.State, len(keys))}
	for i, k := range keys {
		a.States[i] = c.Local.Device(k)
	}
	return a
}

func (c *Checker) merge(all map[devices.Key]known, keys []devices.Key, a answer) {
	for i, k := range keys {
		x := all[k]
		x.State = x.Merge(a.States[i])
		if a.Started.After(x.started) {
			x.started = a.Started
		}
		all[k] = x
	}
}

// keysOf lists the devices in a fixed order.
func keysOf(list map[devices.Key]suspect) []devices.Key {
	keys := make([]devices.Key, 0, len(list))
	for k := range list {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, devices.Key.Compare)
	return keys
}
