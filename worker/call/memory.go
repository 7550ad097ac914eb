package call

import (
	"slices"

	"ringline.io/ringline/events"
)

// PerSender is how many of the last commands of each sender a call remembers, whatever their verb (see Verb.Remembered).
const PerSender = 4

// remembered returns the entry with the id and the sender of this command, or nil.
func remembered(commands []events.Remembered, cmd events.Command) *events.Remembered {
	i := slices.IndexFunc(commands, func(r events.Remembered) bool { return r.ID == cmd.CommandID && sameSender(r, cmd) })
	if i < 0 {
		return nil
	}
	return &commands[i]
}

// Remembers reports whether the call remembers this command as carried out.
func Remembers(t events.Transition, cmd events.Command) bool {
	return remembered(t.Commands, cmd) != nil
}

// MadeBy reports whether the command made this transition. It compares the fields of the transition, because a call does not
// remember all verbs. The id alone is not enough: each sender chooses their own ids.
func MadeBy(t events.Transition, cmd events.Command) bool {
	by := cmd.By()
	return t.CommandID == cmd.CommandID && t.By.Kind == by.Kind && t.By.UserID == by.UserID && t.By.Service == by.Service &&
		(cmd.Verb != events.VerbRing || t.Event == events.EventRinging)
}

func sameSender(r events.Remembered, cmd events.Command) bool {
	return r.UserID == cmd.UserID && r.Service == cmd.Service
}

// remember returns the commands that the call remembers once cmd has made the transition after last:
//
//   - always the invitation and the first accept, which identifies the deadline of the maximum duration;
//   - the command that made the present attempt of each callee;
//   - the last PerSender commands of each sender.
//
// ring, expire and drop are not remembered, because they are idempotent by state.
func remember(last events.Transition, cmd events.Command, seq, merged int) []events.Remembered {
	all := make([]events.Remembered, 0, len(last.Commands)+1)
	if !cmd.Verb.Remembered() {
		return append(all, last.Commands...)
	}
	for _, r := range last.Commands {
		if cmd.Verb == events.VerbAdd {
			r.Callees = slices.DeleteFunc(slices.Clone(r.Callees), func(u string) bool { return names(cmd, u) })
		}
		all = append(all, r)
	}
	mine := events.Remembered{ID: cmd.CommandID, Verb: cmd.Verb, UserID: cmd.UserID, Service: cmd.Service, Seq: seq, Attempt: merged}
	if cmd.Verb == events.VerbAdd {
		for _, p := range cmd.Callees {
			mine.Callees = append(mine.Callees, p.UserID)
		}
	}
	all = append(all, mine)
	first, senders := firstAccept(all), make([]sender, 0, 8)
	for i, r := range slices.Backward(all) {
		at := slices.IndexFunc(senders, func(s sender) bool { return s.userID == r.UserID && s.service == r.Service })
		if at < 0 {
			at = len(senders)
			senders = append(senders, sender{userID: r.UserID, service: r.Service})
		}
		senders[at].commands++
		if r.Seq != 1 && r.Seq != first && len(r.Callees) == 0 && senders[at].commands > PerSender {
			all = slices.Delete(all, i, i+1)
		}
	}
	return all
}

// sender is a user or service, with the number of their commands.
type sender struct {
	userID, service string
	commands        int
}

func names(cmd events.Command, userID string) bool {
	return slices.ContainsFunc(cmd.Callees, func(p events.Party) bool { return p.UserID == userID })
}

// firstAccept returns the sequence of the transition that made the call active, or 0 if there is none.
func firstAccept(commands []events.Remembered) int {
	for _, r := range commands { // ordered by sequence
		if r.Verb == events.VerbAccept || r.Verb == events.VerbInvite && r.Seq > 1 {
			return r.Seq
		}
	}
	return 0
}

// inviter returns the user who made this callee's present attempt, or an empty string if a service did. It does not use
// invited_by, which is the same for the service desk and for a user with the id service:desk.
func inviter(commands []events.Remembered, userID string) string {
	seq := maker(commands, userID)
	for _, r := range commands {
		if r.Seq == seq {
			return r.UserID
		}
	}
	return ""
}

// maker returns the sequence of the transition that made this callee's present attempt.
func maker(commands []events.Remembered, userID string) int {
	for _, r := range commands {
		if slices.Contains(r.Callees, userID) {
			return r.Seq
		}
	}
	return 1
}
