package main

import "ringline.io/ringline/events"

// Situations that a device rarely meets and that show whether a reducer is correct. The file rare.json has all of them.
const (
	expiredAttempt         = "a new attempt without ring time left"
	otherAttempt           = "a shown attempt superseded within a jump"
	endWithoutNotification = "a shown attempt superseded by one that ended as it was made"
	otherOver              = "a shown attempt superseded within a jump by one that has ended"
	canceledByOthers       = "an invitation canceled because others ended the call"
	afterLeaving           = "an outcome of a callee after this user left"
	supersededFact         = "an outcome of an attempt that was superseded within a jump"
	overtakenRing          = "ringing followed by another state within a jump"
	acceptedLeft           = "a callee who accepted and left within a jump"
	ownEndedAtCreation     = "an own call that ended at its creation"
	firstSeenOver          = "an own call first seen after its end"
	leftThenEnded          = "a call that this user left, and that ended, within a jump"
	endedByLeaving         = "a call that ended because this user left"
	leftAndInvited         = "a call that this user left and is invited to again within a jump"
	leftAndBack            = "a call that this user left and is in again within a jump"
	answerFirst            = "an attempt first seen in an answer"
	inviterNotified        = "an outcome of a callee that this participant invited"
	inAgain                = "an outcome of a callee invited by a participant who rejoined"
	elsewhereLeft          = "an answer elsewhere, and a leave, within a jump"
	mergedHere             = "an own invitation merged into a call, which starts here"
	canceledUnseen         = "a cancel first seen in a snapshot"
)

func rarities() []string {
	return []string{
		expiredAttempt, otherAttempt, endWithoutNotification, otherOver, canceledByOthers, afterLeaving, supersededFact,
		overtakenRing, acceptedLeft, ownEndedAtCreation, firstSeenOver, leftThenEnded, endedByLeaving, leftAndInvited, leftAndBack, answerFirst, inviterNotified, inAgain, elsewhereLeft, canceledUnseen, mergedHere,
	}
}

// meets counts the rare situations in a jump.
func (c *client) meets(j jump) {
	shown, continues := c.shows(j.call), j.view.State != events.CallStateEnded
	wasIn := shown && j.before.in() && j.before.attempt != j.own.attempt
	leftBefore := j.own.state == events.StateLeft && j.call.at(j.own.changed).Call.State != events.CallStateEnded
	for name, met := range map[string]bool{
		otherAttempt:       shown && j.before.pending() && j.before.attempt != j.own.attempt && j.own.pending(),
		otherOver:          shown && j.before.pending() && j.before.attempt != j.own.attempt && !j.own.pending(),
		ownEndedAtCreation: j.here && j.ofCaller() && !continues && j.seq == 1,
		firstSeenOver:      j.here && j.ofCaller() && !continues && j.from == 0 && j.seq > 1,
		leftThenEnded:      shown && j.here && leftBefore && !continues,
		endedByLeaving:     shown && j.here && j.own.changed == j.seq && j.call.at(j.seq).Event == events.EventLeft && !continues && j.call.at(j.seq).By.UserID == j.user,
		leftAndInvited:     wasIn && j.own.pending(),
		leftAndBack:        wasIn && j.own.in(),
		answerFirst:        j.kind == inAnswer && j.own.pending() && j.own.since > j.from,
		elsewhereLeft:      shown && !j.here && j.own.state == events.StateLeft,
		canceledUnseen:     shown && j.kind == inSnapshot && j.own.state == events.StateCanceled && continues,
	} {
		if met {
			c.met[name]++
		}
	}
	if j.here && (shown || j.own.in()) {
		for _, x := range j.view.Callees {
			c.meetsOther(j, x.UserID)
		}
	}
}

// meetsOther counts the rare situations of another party that this device waits for.
func (c *client) meetsOther(j jump, user string) {
	now, then := j.call.course(user, j.seq), j.call.course(user, j.from)
	if user == j.user || now == then || !j.ofCaller() && j.view.Callee(user).InvitedBy != j.user {
		return
	}
	rang := j.call.rang(user, j.from, j.seq)
	for name, met := range map[string]bool{
		afterLeaving:    j.own.state == events.StateLeft && now.changed > j.own.changed,
		supersededFact:  then.pending() && now.attempt != then.attempt,
		overtakenRing:   rang && !now.pending(),
		acceptedLeft:    now.state == events.StateLeft && (now.attempt != then.attempt || then.pending()),
		inviterNotified: !j.ofCaller() && now.state != events.StateInvited,
		inAgain:         !j.ofCaller() && j.own.attempt > 1 && now.state == events.StateLeft && now.attempt == then.attempt && then.in() && then.changed < j.own.since,
	} {
		if met {
			c.met[name]++
		}
	}
}

// rang reports whether a callee began to ring between two versions.
func (h *history) rang(user string, from, to int) bool {
	for seq := from + 1; seq <= to; seq++ {
		if o := h.course(user, seq); o.state == events.StateRinging && o.changed == seq {
			return true
		}
	}
	return false
}
