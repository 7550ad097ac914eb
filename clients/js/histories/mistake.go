package main

import "ringline.io/ringline/events"

// mistake is a defect that a test plants in the reference, to show that the files detect it.
type mistake string

const (
	none                mistake = ""
	goesBack            mistake = "an older version is applied"
	replaysSuperseded   mistake = "a superseded attempt is reported"
	ringsOvertaken      mistake = "ringing is reported after a later state"
	ringsTooLate        mistake = "an attempt without ring time is shown"
	showsTwice          mistake = "a shown attempt is shown again"
	endsTwice           mistake = "an ended call stays shown"
	keepsMissing        mistake = "a call that a snapshot lacks stays shown"
	everyDevice         mistake = "every device of the user counts as the one in the call"
	alwaysElsewhere     mistake = "the device's own answer counts as one from elsewhere"
	reportsAfterLeaving mistake = "outcomes after the user left are reported"
	dataOfFrame         mistake = "the outcome of a callee has the frame's custom data"
	dataOfEntry         mistake = "an invitation canceled by others has its own custom data"
	endsUnasked         mistake = "a call that a snapshot lacks ends even if it was not in showing"
	dropsOwnOver        mistake = "an own call that is first seen after its end is dropped"
	ignoresRingInAnswer mistake = "an attempt in an answer does not ring"
	startsAgain         mistake = "a call starts again with each newer version"
	startsUnanswered    mistake = "a call starts before a callee has answered"
	mergedIsAccepted    mistake = "a call that an own invitation was merged into counts as accepted"
	neverRestores       mistake = "a call that a new client finds itself in is not restored"
	forgetsEnd          mistake = "a call that this user left and was invited to again within a jump does not end"
	forgetsOldAttempt   mistake = "a call is no longer shown in the next attempt"
)

func mistakes() []mistake {
	return []mistake{
		goesBack, replaysSuperseded, ringsOvertaken, ringsTooLate, showsTwice, endsTwice, keepsMissing, everyDevice,
		alwaysElsewhere, reportsAfterLeaving, dataOfFrame, dataOfEntry, endsUnasked,
		dropsOwnOver, ignoresRingInAnswer, forgetsEnd, forgetsOldAttempt, startsAgain, startsUnanswered, mergedIsAccepted, neverRestores,
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
