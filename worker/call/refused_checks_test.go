package call_test

import (
	"slices"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// refusals lists the callees that an add refuses, in the order of the command: the caller, the users who are in the call or
// ring, and those who have changed since the sender looked. The list of every other command is empty.
func refusals(before events.Call, cmd events.Command) []events.RefusedCallee {
	var list []events.RefusedCallee
	for _, p := range cmd.Callees {
		x := before.Callee(p.UserID)
		switch {
		case cmd.Verb != events.VerbAdd:
		case p.UserID == before.Caller.UserID:
			list = append(list, events.RefusedCallee{UserID: p.UserID, Code: events.CodeInvalidArgument})
		case isOn(before, p.UserID), x != nil && cmd.Seen != 0 && x.ChangedSeq > cmd.Seen:
			list = append(list, events.RefusedCallee{UserID: p.UserID, Code: events.CodeAlreadyExists})
		}
	}
	return list
}

// invitees lists the callees that an invite or add invites.
func invitees(before events.Call, cmd events.Command) []events.Party {
	refused := refusals(before, cmd)
	return slices.DeleteFunc(slices.Clone(cmd.Callees), func(p events.Party) bool {
		return slices.ContainsFunc(refused, func(r events.RefusedCallee) bool { return r.UserID == p.UserID })
	})
}

// checkAdd: an add to an open call invites exactly the callees that it does not refuse. If none is left, it fails with the first
// code, unless its sender may not add.
func (w *world) checkAdd(before events.Call, cmd events.Command, o call.Outcome) {
	want := refusals(before, cmd)
	if before.Seq == 0 {
		return
	}
	switch o := o.(type) {
	case call.Write:
		w.noteRefused(before, want)
		if got := call.Refused(cmd, o.Transition); !slices.Equal(got, want) || len(want) == len(cmd.Callees) {
			w.failf("%s refuses %v, want %v", w.json(cmd), got, want)
		}
	case call.Refuse:
		if o.Err.Code == events.CodePermissionDenied {
			return
		}
		whole := len(want) == len(cmd.Callees)
		if whole && o.Err.Code != want[0].Code || !whole && o.Err.Code == events.CodeAlreadyExists {
			w.failf("%s is %s, and refuses %v", w.json(cmd), o.Err.Code, want)
		}
		if whole && len(want) > 1 {
			w.reached["refused as a whole"]++
		}
	case call.Keep, call.Wait:
		w.failf("%s: %s", w.json(cmd), w.json(o))
	}
}

func (w *world) noteRefused(before events.Call, refused []events.RefusedCallee) {
	for _, r := range refused {
		w.reached["refused in part"]++
		switch {
		case r.UserID == before.Caller.UserID:
			w.reached["refused the caller"]++
		case !isOn(before, r.UserID):
			w.reached["refused an unseen attempt"]++
		}
	}
}

// checkRefusedAgain: a repeat of an add names the same callees as its first answer.
func (w *world) checkRefusedAgain(made int, cmd events.Command) {
	want := slices.DeleteFunc(slices.Clone(w.refused[made]), func(r events.RefusedCallee) bool {
		return !slices.ContainsFunc(cmd.Callees, func(p events.Party) bool { return p.UserID == r.UserID })
	})
	if len(want) == 0 {
		return // or an add of others with the same id
	}
	w.reached["refused in part, again"]++
	for _, r := range want {
		if got := call.Refused(cmd, w.log[made-1]); !slices.Contains(got, r) {
			w.failf("%s again refuses %v, and %v at first", w.json(cmd), got, want)
		}
	}
}
