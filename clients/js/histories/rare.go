package main

import "ringline.io/ringline/events"

// Situations that a device rarely meets and that show whether a reducer is correct. The file rare.json has all of them.
const (
	unrung         = "a new attempt that has no ring time left"
	otherAttempt   = "a shown attempt that became another one within a jump"
	untoldOver     = "a shown attempt that became one which came to nothing at once"
	otherOver      = "a shown attempt that became another one, which is over, within a jump"
	withdrawn      = "an invitation that was canceled by what others did to the call"
	afterLeaving   = "something that became of a callee after this user had left"
	supersededFact = "something that became of an attempt that was superseded within a jump"
	overtakenRing  = "ringing that was overtaken within a jump"
	acceptedLeft   = "a callee who accepted and left within a jump"
	bornOver       = "an own invitation that ended as it was made"
	firstSeenOver  = "an own call that was first seen when it had ended"
	leftThenEnded  = "a call that this user left and that ended, within a jump"
	endedByLeaving = "a call that ended as this user left"
	answerFirst    = "an attempt that was learnt from an answer"
	inviterHears   = "what became of a callee whom this participant invited"
	inAgain        = "what became of a callee invited by a participant who is in anew"
	elsewhereLeft  = "an answer elsewhere, and a leave, within a jump"
	canceledUnseen = "a cancel learnt from a snapshot"
)

func rarities() []string {
	return []string{
		unrung, otherAttempt, untoldOver, otherOver, withdrawn, afterLeaving, supersededFact, overtakenRing, acceptedLeft, bornOver,
		firstSeenOver, leftThenEnded, endedByLeaving, answerFirst, inviterHears, inAgain, elsewhereLeft, canceledUnseen,
	}
}

// meets counts the rare situations in a jump.
func (c *client) meets(j jump) {
	shown, goesOn := c.shows(j.call), j.view.State != events.CallStateEnded
	leftBefore := j.own.state == events.StateLeft && j.call.at(j.own.changed).Call.State != events.CallStateEnded
	for name, met := range map[string]bool{
		otherAttempt:   shown && j.before.attempt != j.own.attempt && j.own.pending(),
		otherOver:      shown && j.before.attempt != j.own.attempt && !j.own.pending(),
		bornOver:       j.here && j.ofCaller() && !goesOn && j.seq == 1,
		firstSeenOver:  j.here && j.ofCaller() && !goesOn && j.from == 0 && j.seq > 1,
		leftThenEnded:  shown && j.here && leftBefore && !goesOn,
		endedByLeaving: shown && j.here && j.own.changed == j.seq && j.call.at(j.seq).Event == events.EventLeft && !goesOn && j.call.at(j.seq).By.UserID == j.user,
		answerFirst:    j.kind == inAnswer && j.own.pending() && j.own.since > j.from,
		elsewhereLeft:  shown && !j.here && j.own.state == events.StateLeft,
		canceledUnseen: shown && j.kind == inSnapshot && j.own.state == events.StateCanceled && goesOn,
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
		afterLeaving:   j.own.state == events.StateLeft && now.changed > j.own.changed,
		supersededFact: then.pending() && now.attempt != then.attempt,
		overtakenRing:  rang && !now.pending(),
		acceptedLeft:   now.state == events.StateLeft && (now.attempt != then.attempt || then.pending()),
		inviterHears:   !j.ofCaller() && now.state != events.StateInvited,
		inAgain:        !j.ofCaller() && j.own.attempt > 1 && now.state == events.StateLeft && now.attempt == then.attempt && then.in() && then.changed < j.own.since,
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
