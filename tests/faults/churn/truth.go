package churn

import (
	"fmt"
	"slices"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// change is a transition from the view of one user.
type change struct {
	at       int64
	seq      int
	notified bool  // the user is notified
	received int64 // when the notification arrived on NATS; equal to at if there is none
	rings    bool  // the transition starts to ring the user
	is       UserState
}

// truth is the stored course of the calls of some users, by user and call, in order.
type truth struct {
	of            map[string]map[string][]change
	notifications int
	open          []string // calls that have not ended
}

// truthOf reads the stored transitions.
func truthOf(h History, users map[string]bool) (*truth, error) {
	t := &truth{of: map[string]map[string][]change{}}
	last := map[string]events.CallState{}
	for _, m := range h.Calls {
		of, id, ok := events.ParseTransitionSubject(m.Subject)
		if !ok || of != h.App {
			continue
		}
		step, _, err := events.ReadTransition(h.App, id, []byte(m.Data))
		if err != nil {
			return nil, fmt.Errorf("churn: %s: %w", m.Subject, err)
		}
		last[id] = step.Call.State
		t.add(h, step, m.At, users)
	}
	for id, state := range last {
		if state != events.CallStateEnded {
			t.open = append(t.open, id)
		}
	}
	slices.Sort(t.open)
	return t, nil
}

func (t *truth) add(h History, step events.Transition, at int64, users map[string]bool) {
	notified := map[string]bool{}
	for _, n := range call.Notify(step) {
		if users[n.To] {
			notified[n.To] = true
			t.notifications++
		}
	}
	parties := []string{step.Call.Caller.UserID}
	for _, x := range step.Call.Callees {
		parties = append(parties, x.UserID)
	}
	for _, u := range parties {
		if !users[u] {
			continue
		}
		if t.of[u] == nil {
			t.of[u] = map[string][]change{}
		}
		was := t.of[u][step.Call.CallID]
		m := change{at: at, received: at, seq: step.Seq, notified: notified[u], is: userState(step.Call, u)}
		if m.notified {
			m.received = h.Received[Notice{u, step.Call.CallID, step.Seq}]
		}
		m.rings = m.is.Mine == events.StateInvited && (len(was) == 0 || was[len(was)-1].is.Attempt < m.is.Attempt)
		t.of[u][step.Call.CallID] = append(was, m)
	}
}

// newest returns the newest moment at or before at, and whether there is one.
func newest(changes []change, at int64) (m change, ok bool) {
	for _, x := range changes {
		if x.at <= at {
			m, ok = x, true
		}
	}
	return m, ok
}
