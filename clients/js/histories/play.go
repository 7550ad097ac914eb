package main

import (
	"slices"
	"time"

	"ringline.io/ringline/events"
)

// player feeds frames to the reference and inserts snapshots and outages.
type player struct {
	world  *world
	device device
	client *client
	out    oneCase
	count  counts
	newest int        // the number of the newest happening that a frame has reported
	asked  [][]string // what the client showed after each step
}

func (w *world) player(d device, first int) *player {
	p := &player{world: w, device: d, count: counts{}, newest: first - 1}
	p.client = &client{user: d.user, device: d.id, known: map[string]int{}, met: counts{}}
	p.out = oneCase{UserID: d.user, DeviceID: d.id, Sent: w.sentBy(d)}
	return p
}

// sentBy lists the commands of a device that explain how it comes into a call.
func (w *world) sentBy(d device) []sent {
	list := []sent{}
	for _, h := range w.calls {
		if m := h.made; m.UserID == d.user && m.DeviceID == d.id && len(m.Callees) == 1 {
			list = append(list, sent{Verb: events.VerbInvite, CallID: h.id, Callee: m.Callees[0].UserID})
		}
		for _, t := range h.log {
			if t.Event != events.EventAccepted || h.merged[t.Seq] || t.By.UserID != d.user || t.By.DeviceID != d.id {
				continue
			}
			for _, ch := range t.Changes {
				if ch.UserID == d.user {
					list = append(list, sent{Verb: events.VerbAccept, CallID: h.id, Attempt: ch.Attempt})
				}
			}
		}
	}
	return list
}

// play feeds the device what it receives from happening first on.
func (p *player) play(first int) {
	w := p.world
	p.snapshot([]string{})
	if first > 0 {
		p.count[reloaded]++
	}
	by := w.theme.rates
	feed := disturb(w.r, w.feed(p.device, first), by, p.count)
	for len(feed) > 0 {
		if w.chance(by.outage) {
			lost := min(len(feed), 1+w.r.IntN(6))
			p.newest = max(p.newest, feed[lost-1].origin)
			p.reconnect()
			feed = p.held(feed[lost:])
			continue
		}
		p.take(feed[0])
		feed = feed[1:]
		if w.chance(by.snapshot) {
			p.resnapshot()
		}
	}
}

// held returns the frames that still arrive after a session reopened: those newer than its snapshot, and sometimes
// those from the moment before.
func (p *player) held(feed []item) []item {
	past := p.world.past
	since := past[p.newest].at.Add(-10 * time.Second)
	if p.world.chance(0.5) {
		since = past[p.newest].at.Add(time.Hour)
	}
	return slices.DeleteFunc(feed, func(x item) bool { return x.origin <= p.newest && past[x.origin].at.Before(since) })
}

// take feeds the client one frame.
func (p *player) take(x item) {
	p.newest = max(p.newest, x.origin)
	list := p.client.take(x.frame)
	if list == nil {
		list = []callback{}
	}
	for _, c := range list {
		p.count[c.Name]++
	}
	p.out.Steps = append(p.out.Steps, x.step)
	p.out.Expect = append(p.out.Expect, list)
	p.out.frames = append(p.out.frames, x.frame)
	p.asked = append(p.asked, p.client.showing())
}

func (p *player) snapshot(showing []string) {
	x := p.world.snapshot(p.device, p.newest, showing)
	for _, id := range showing {
		if !slices.ContainsFunc(x.frame.listed, func(f frame) bool { return f.call.id == id }) {
			p.count[forgotten]++
		}
	}
	p.take(x)
}

// reconnect reopens the session. Everything sent in between is lost.
func (p *player) reconnect() {
	p.count[reconnected]++
	p.skipAhead(4, true)
	p.snapshot(p.client.showing())
}

// resnapshot takes a snapshot in the middle of a session. It may be ahead of frames that are still to arrive. The
// client may have asked for it when the device showed other calls.
func (p *player) resnapshot() {
	p.count[snapshotted]++
	p.skipAhead(3, false)
	showing := p.client.showing()
	if w := p.world; w.chance(0.5) {
		if old := p.asked[max(0, len(p.asked)-1-w.r.IntN(4))]; !slices.Equal(old, showing) {
			p.count[stale]++
			showing = old
		}
	}
	p.snapshot(showing)
}

// skipAhead makes the next snapshot newer than the frames that have arrived. No frame arrives a day late: it stops
// before a sleep, unless the session reopens.
func (p *player) skipAhead(less int, sleeps bool) {
	past := p.world.past
	for range p.world.r.IntN(less) {
		next := p.newest + 1
		if next == len(past) || !sleeps && next > 0 && past[next].at.Sub(past[next-1].at) > time.Hour {
			return
		}
		p.newest = next
		p.count[ahead]++
	}
}
