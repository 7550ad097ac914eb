package churn

import (
	"fmt"
	"slices"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// moment is a transition as one user is concerned.
type moment struct {
	at    int64
	seq   int
	told  bool  // the user is told of it
	heard int64 // when that was heard on NATS; else the same as at
	rings bool  // it begins to ring for him
	is    Standing
}

// truth is what really became of the calls of some users: by user and call, in order.
type truth struct {
	of            map[string]map[string][]moment
	notifications int
	open          []string // calls that have not ended
}

// truthOf reads the stream.
func truthOf(h History, users map[string]bool) (*truth, error) {
	t := &truth{of: map[string]map[string][]moment{}}
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
	told := map[string]bool{}
	for _, n := range call.Notify(step) {
		if users[n.To] {
			told[n.To] = true
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
			t.of[u] = map[string][]moment{}
		}
		was := t.of[u][step.Call.CallID]
		m := moment{at: at, heard: at, seq: step.Seq, told: told[u], is: standing(step.Call, u)}
		if m.told {
			m.heard = h.Heard[Notice{u, step.Call.CallID, step.Seq}]
		}
		m.rings = m.is.Mine == events.StateInvited && (len(was) == 0 || was[len(was)-1].is.Attempt < m.is.Attempt)
		t.of[u][step.Call.CallID] = append(was, m)
	}
}

// at gives the newest moment of a call at that time, and whether there is one.
func newest(moments []moment, at int64) (m moment, ok bool) {
	for _, x := range moments {
		if x.at <= at {
			m, ok = x, true
		}
	}
	return m, ok
}
