//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/play"
	"ringline.io/ringline/tests/faults/record"
)

// stopCoordinators stops all coordinators for the configured time, while commands are still published.
func (s *site) stopCoordinators(ctx context.Context) error {
	long := s.trial.outage
	play.Sleep(ctx, calmBeginning)
	from := record.Now()
	for _, w := range s.rig.Coordinators {
		w.Stop(drains)
	}
	s.trial.say("all coordinators are stopped, for %v", long)
	play.Sleep(ctx, long)
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
	for waiting > 0 && play.Sleep(ctx, 100*time.Millisecond) {
		if waiting, _, err = s.commands(ctx); err != nil {
			return err
		}
	}
	s.trial.say("%v after the start the backlog is empty", time.Since(started).Round(100*time.Millisecond))
	s.rec.Fault(record.Fault{Kind: "stop-coordinators", Target: "all", From: from, To: record.Now()})
	return nil
}

// onItsWay is the maximum time from the worker's publish of a notification to its arrival at a watcher.
const onItsWay = 250 * time.Millisecond

// lateRings lists the invitations that a watcher received after their ring deadline.
func lateRings(h *record.History) (received int, late []string) {
	type attempt struct {
		call callKey
		seq  int
		user string
	}
	deadline := map[attempt]int64{}
	for key, steps := range transitions(h) {
		for _, t := range steps {
			for _, x := range t.Call.Callees {
				deadline[attempt{key, t.Seq, x.UserID}] = x.RingDeadline.Time().Add(onItsWay).UnixNano()
			}
		}
	}
	for _, n := range h.Notifications {
		if n.Event != string(events.IncomingCallReceived) {
			continue
		}
		received++
		if due := deadline[attempt{callKey{n.App, n.CallID}, n.Seq, n.To}]; n.At > due {
			late = append(late, fmt.Sprintf("%s of %s was received %v late", n.ID, n.App, time.Duration(n.At-due)+onItsWay))
		}
	}
	return received, late
}

type callKey struct{ app, id string }

// transitions lists the transitions of each call, in order.
func transitions(h *record.History) map[callKey][]events.Transition {
	all := map[callKey][]events.Transition{}
	for _, m := range h.Rest.Calls {
		app, id, ok := events.ParseTransitionSubject(m.Subject)
		if t, _, err := events.ReadTransition(app, id, []byte(m.Data)); ok && err == nil {
			all[callKey{app, id}] = append(all[callKey{app, id}], t)
		}
	}
	return all
}

// openAfterHangUp counts the stored hang-ups, and lists those whose call did not end.
func openAfterHangUp(h *record.History) (count int, open []string) {
	calls := transitions(h)
	for _, m := range h.Sent {
		switch events.Verb(m.Verb) { //nolint:exhaustive // the others hang nothing up
		case events.VerbCancel, events.VerbEnd, events.VerbLeave:
			if m.Acked == 0 || m.Bad {
				continue
			}
			count++
			steps := calls[callKey{m.App, m.CallID}]
			if len(steps) > 0 && steps[len(steps)-1].Call.State != events.CallStateEnded {
				open = append(open, fmt.Sprintf("%s of %s is open after a hang-up", m.CallID, m.App))
			}
		}
	}
	return count, open
}
