package churn

import (
	"encoding/json"
	"fmt"
	"slices"

	"ringline.io/ringline/events"
)

// book is a client's knowledge of calls: the newest state of each by seq.
type book struct {
	user   string
	calls  map[string]*entry
	sights []Sight
	facts  []Fact
}

// entry is one call.
type entry struct {
	view  events.Call
	shown bool // the user was in it at some time
	over  bool // its end was reported
}

func newBook(user string) *book { return &book{user: user, calls: map[string]*entry{}} }

// see stores a call if it is newer than the known state, and reports the changes.
func (b *book) see(view events.Call, at int64) {
	e := b.calls[view.CallID]
	if e == nil {
		e = &entry{}
		b.calls[view.CallID] = e
	}
	if view.Seq <= e.view.Seq {
		return
	}
	b.sights = append(b.sights, Sight{At: at, CallID: view.CallID, Seq: view.Seq, Is: userState(view, b.user)})
	old := e.view
	e.view = view
	e.shown = e.shown || view.On(b.user)
	if !e.shown {
		return
	}
	for _, x := range view.Callees {
		b.changed(view.CallID, old.Callee(x.UserID), x)
	}
	if view.State == events.CallStateEnded {
		b.end(view.CallID, e)
	}
}

// changed reports the change of a callee since the last known state.
func (b *book) changed(callID string, old *events.Callee, x events.Callee) {
	f := Fact{CallID: callID, Callee: x.UserID, Attempt: x.Attempt, What: string(x.State)}
	switch isNew := old == nil || old.Attempt < x.Attempt; {
	case x.Pending() && (!isNew || x.UserID != b.user):
		return
	case x.Pending():
		f.What = factIncoming
	case !isNew && old.State == x.State:
		return
	}
	b.facts = append(b.facts, f)
}

func (b *book) end(callID string, e *entry) {
	if !e.over {
		e.over = true
		b.facts = append(b.facts, Fact{CallID: callID, What: factEnded})
	}
}

// snapshot applies a snapshot. Shown calls that it does not contain are over.
func (b *book) snapshot(calls []events.SnapshotCall, showing []string, at int64) {
	for _, c := range calls {
		b.see(c.Call, at)
	}
	for _, id := range showing {
		if slices.ContainsFunc(calls, func(c events.SnapshotCall) bool { return c.Call.CallID == id }) {
			continue
		}
		if e := b.calls[id]; e != nil && !e.over {
			b.sights = append(b.sights, Sight{At: at, CallID: id, Gone: true})
			b.end(id, e)
		}
	}
}

// push applies a push of the edge.
func (b *book) push(data []byte, at int64) error {
	var p struct {
		Event    events.PushEvent      `json:"event"`
		Call     events.Call           `json:"call"`
		Snapshot events.PushedSnapshot `json:"snapshot"`
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return fmt.Errorf("churn: a push: %w", err)
	}
	if p.Event == events.PushSnapshot {
		b.snapshot(p.Snapshot.Calls, p.Snapshot.Showing, at)
	} else {
		b.see(p.Call, at)
	}
	return nil
}

// showing lists the calls that the user is in, as far as the client knows.
func (b *book) showing() []string {
	var ids []string
	for id, e := range b.calls {
		if e.shown && !e.over && e.view.On(b.user) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
