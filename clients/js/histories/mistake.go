package main

import "ringline.io/ringline/events"

// mistake is a defect that a test plants in the reference, to show that the files detect it.
type mistake string

const (
	none              mistake = ""
	goesBack          mistake = "an older version is taken"
	replaysSuperseded mistake = "an attempt that was superseded is told"
	ringsOvertaken    mistake = "ringing is told after it was overtaken"
	ringsTooLate      mistake = "what has no ring time left is shown"
	showsTwice        mistake = "an attempt that is shown is shown again"
	endsTwice         mistake = "what ended stays shown"
	keepsMissing      mistake = "what is missing in a snapshot stays shown"
	everyDevice       mistake = "every device of the user is the one that is in the call"
	alwaysElsewhere   mistake = "the device's own answer is one from elsewhere"
	hearsAfterLeaving mistake = "what came after the user left is told"
	dataOfFrame       mistake = "what is told of a callee has the frame's custom data"
	dataOfEntry       mistake = "what was canceled by others has the invitation's custom data"
	endsUnasked       mistake = "what is shown and not in a snapshot ends, whether it was asked for or not"
	dropsOwnOver      mistake = "an own call that is first seen when it has ended is dropped"
	answersRingNot    mistake = "an answer shows no attempt"
	forgetsOldAttempt mistake = "what is shown in one attempt is forgotten in the next"
)

func mistakes() []mistake {
	return []mistake{
		goesBack, replaysSuperseded, ringsOvertaken, ringsTooLate, showsTwice, endsTwice, keepsMissing, everyDevice,
		alwaysElsewhere, hearsAfterLeaving, dataOfFrame, dataOfEntry, endsUnasked,
		dropsOwnOver, answersRingNot, forgetsOldAttempt,
	}
}

// afterLeaving returns the outcomes of others after the user left. Only a mistaken reference reports them.
func (j jump) afterLeaving() []callback {
	var list []callback
	for _, x := range j.view.Callees {
		o := j.call.course(x.UserID, j.seq)
		kind := map[events.PartyState]string{
			events.StateAccepted: outgoingAccepted, events.StateDeclined: outgoingDeclined, events.StateTimedOut: outgoingTimeout,
		}[o.state]
		if kind != "" && j.ofCaller() && o.changed > j.from {
			list = append(list, outgoing(kind, j.view, x, j.view.DataOf(x)))
		}
	}
	return list
}
