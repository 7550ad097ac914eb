package call

import (
	"slices"

	"ringline.io/ringline/events"
)

// PerSender is how many of each sender's last commands are remembered whatever they were.
const PerSender = 4

// remembered finds what the call remembers of this command: the same id from the same sender.
func remembered(commands []events.Remembered, cmd events.Command) *events.Remembered {
	i := slices.IndexFunc(commands, func(r events.Remembered) bool { return r.ID == cmd.CommandID && sameSender(r, cmd) })
	if i < 0 {
		return nil
	}
	return &commands[i]
}

// Remembers says whether the call remembers this command as carried out.
func Remembers(t events.Transition, cmd events.Command) bool {
	return remembered(t.Commands, cmd) != nil
}

// MadeBy says whether the command made this transition, by what stands on the transition: a ring or an expire is
// remembered nowhere else. An id alone is not enough, as each sender chooses his own.
func MadeBy(t events.Transition, cmd events.Command) bool {
	by := cmd.By()
	return t.CommandID == cmd.CommandID && t.By.Kind == by.Kind && t.By.UserID == by.UserID && t.By.Service == by.Service &&
		(cmd.Verb != events.VerbRing || t.Event == events.EventRinging)
}

func sameSender(r events.Remembered, cmd events.Command) bool {
	return r.UserID == cmd.UserID && r.Service == cmd.Service
}

// remember adds the command that makes the transition after last. What is kept: for ever the invitation and the
// first accept (it names the deadline of the maximum duration), the command that made a callee's present
// attempt, and of each sender the last few. ring and expire need none, they are idempotent by state.
func remember(last events.Transition, cmd events.Command, seq, merged int) []events.Remembered {
	all := make([]events.Remembered, 0, len(last.Commands)+1)
	if cmd.Verb == events.VerbRing || cmd.Verb == events.VerbExpire {
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

// sender is somebody whose commands are counted.
type sender struct {
	userID, service string
	commands        int
}

func names(cmd events.Command, userID string) bool {
	return slices.ContainsFunc(cmd.Callees, func(p events.Party) bool { return p.UserID == userID })
}

// firstAccept is the sequence of the transition that made the call active; 0 if none has.
func firstAccept(commands []events.Remembered) int {
	for _, r := range commands { // in the order of their sequences
		if r.Verb == events.VerbAccept || r.Verb == events.VerbInvite && r.Seq > 1 {
			return r.Seq
		}
	}
	return 0
}

// inviter is the user who made this callee's present attempt; empty where a service did. invited_by can't tell the
// service desk from a user with the id service:desk.
func inviter(commands []events.Remembered, userID string) string {
	seq := maker(commands, userID)
	for _, r := range commands {
		if r.Seq == seq {
			return r.UserID
		}
	}
	return ""
}

// maker is the sequence of the transition that made this callee's present attempt.
func maker(commands []events.Remembered, userID string) int {
	for _, r := range commands {
		if slices.Contains(r.Callees, userID) {
			return r.Seq
		}
	}
	return 1
}
