//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"ringline.io/ringline/cmd/faults/record"
	"ringline.io/ringline/events"
)

// stopCoordinators stops all coordinators for so long, while commands keep coming.
func (s *site) stopCoordinators(ctx context.Context) error {
	long := s.trial.outage
	sleep(ctx, calmBeginning)
	from := record.Now()
	for _, w := range s.rig.Coordinators {
		w.Stop(30 * time.Second)
	}
	s.trial.say("all coordinators are stopped, for %v", long)
	sleep(ctx, long)
	waiting, _, err := s.commands(ctx)
	if err != nil {
		return err
	}
	started := time.Now()
	for _, w := range s.rig.Coordinators {
		if err := w.Start(); err != nil {
			return err
		}
	}
	s.trial.say("all coordinators are started; %d commands wait", waiting)
	for waiting > 0 && sleep(ctx, 100*time.Millisecond) {
		if waiting, _, err = s.commands(ctx); err != nil {
			return err
		}
	}
	s.trial.say("%v after the start nothing waits any more", time.Since(started).Round(100*time.Millisecond))
	s.rec.Fault(record.Fault{Kind: "stop-coordinators", Target: "all", From: from, To: record.Now()})
	return nil
}

// lateRings lists the invitations that somebody heard after he could have answered.
func lateRings(h *record.History) (heard int, late []string) {
	deadline := map[string]int64{} // of a callee's attempt, by call, sequence and user
	for _, m := range h.Rest.Calls {
		app, id, ok := events.ParseTransitionSubject(m.Subject)
		if !ok {
			continue
		}
		t, _, err := events.ReadTransition(app, id, []byte(m.Data))
		if err != nil {
			continue
		}
		for _, x := range t.Call.Callees {
			deadline[fmt.Sprint(app, id, t.Seq, x.UserID)] = x.RingDeadline.Time().UnixNano()
		}
	}
	for _, n := range h.Told {
		if n.Event != string(events.IncomingCallReceived) {
			continue
		}
		heard++
		if due := deadline[fmt.Sprint(n.App, n.CallID, n.Seq, n.To)]; n.At > due {
			late = append(late, fmt.Sprintf("%s of %s, %v late", n.ID, n.App, time.Duration(n.At-due)))
		}
	}
	return heard, late
}

// hangUps counts the hang-ups that were stored, and lists the calls that they left open.
func hangUps(h *record.History) (count int, open []string) {
	ended := map[string]bool{}
	for _, m := range h.Rest.Calls {
		var e struct {
			Data events.Transition `json:"data"`
		}
		if json.Unmarshal([]byte(m.Data), &e) == nil {
			ended[e.Data.Call.App+" "+e.Data.Call.CallID] = e.Data.Call.State == events.CallStateEnded
		}
	}
	for _, m := range h.Sent {
		switch events.Verb(m.Verb) { //nolint:exhaustive // the others hang nothing up
		case events.VerbCancel, events.VerbEnd, events.VerbLeave:
			if m.Acked == 0 || m.Bad {
				continue
			}
			count++
			if done, known := ended[m.App+" "+m.CallID]; known && !done {
				open = append(open, m.App+" "+m.CallID)
			}
		}
	}
	return count, open
}
