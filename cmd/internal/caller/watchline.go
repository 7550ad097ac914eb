package caller

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/events"
)

// The widths of the columns of watch.
const (
	userWidth = 5
	kindWidth = len("outgoing_call_rejected_cause_busy")
)

func clockText(t time.Time) string { return t.Local().Format("15:04:05.000") }

// notificationLine shows one notification. It marks a malformed message as unreadable.
func notificationLine(p colors, subject string, data []byte, now time.Time) string {
	_, user, _ := events.ParseUserSubject(subject)
	if id, ok := events.Unescape(user); ok {
		user = id
	}
	var n events.Notification
	if err := json.Unmarshal(data, &n); err != nil {
		return fmt.Sprintf("%s  %s  %s %.200q", p.Dim(clockText(now)), cli.Plain(user), p.Red("unreadable:"), data)
	}
	return strings.Join(present(
		p.Dim(clockText(n.ServerTime.Time())),
		p.Bold(pad(cli.Plain(user), userWidth)),
		p.notification(n, pad(cli.Plain(string(n.Event)), kindWidth)),
		p.Dim(cli.Plain(n.ID)),
		strings.Join(present(aboutText(n, user)...), "  "),
	), "  ")
}

// aboutText adds what the kind of notification does not say.
func aboutText(n events.Notification, receiver string) []string {
	if n.Event == events.IncomingCallReceived {
		var others []string
		for _, x := range n.Call.Callees {
			if x.UserID != receiver {
				others = append(others, personText(x.UserID, x.UserName))
			}
		}
		with := ""
		if len(others) > 0 {
			with = "with " + strings.Join(others, ", ")
		}
		return []string{
			"from " + personText(n.Call.Caller.UserID, n.Call.Caller.UserName), with, typeText(n.Call.CallType),
			quotedData(n.CustomData), remainingText(n.RingRemainingMS),
		}
	}
	who, by := "", byText(n.By)
	if n.UserID != receiver && n.UserID != "" {
		who = cli.Plain(n.UserID)
	}
	switch {
	case who != "" && n.By.UserID == n.UserID: // bob/phone-1 contains both
		who, by = by, ""
	case by == cli.Plain(receiver) && n.UserID == receiver:
		by = ""
	case by != "":
		by = "by " + by
	}
	return []string{who, reasonText(n), by, quotedData(n.CustomData), remainingText(n.RingRemainingMS)}
}

// reasonText is empty if the kind already contains the reason.
func reasonText(n events.Notification) string {
	said := n.Event != events.CallEnded && strings.HasSuffix(string(n.Event), "_"+n.Reason) ||
		strings.HasSuffix(string(n.Event), "_timeout") && n.Reason == string(events.ReasonTimedOut)
	if said || n.Reason == "" {
		return ""
	}
	return cli.Plain(n.Reason)
}

func remainingText(ms *int64) string {
	if ms == nil {
		return ""
	}
	return ringsText(time.Duration(*ms) * time.Millisecond)
}

// transitionLine shows one transition of a call.
func transitionLine(p colors, subject string, data []byte, now time.Time) string {
	app, callID, _ := events.ParseTransitionSubject(subject)
	t, at, err := events.ReadTransition(app, callID, data)
	if err != nil {
		return fmt.Sprintf("%s  %s  %s %.200q", p.Dim(clockText(now)), cli.Plain(callID), p.Red("unreadable:"), data)
	}
	head := fmt.Sprintf("%s  %s %s  %s", p.Dim(clockText(at.Time())), p.Bold(callID), p.Dim(fmt.Sprintf("#%d", t.Seq)),
		p.Bold(string(t.Event)))
	if by := byText(t.By); by != "" {
		head += " by " + by
	}
	var changes []string
	for _, c := range t.Changes {
		changes = append(changes, changeText(p, c))
	}
	if len(changes) > 0 {
		head += ": " + strings.Join(changes, ", ")
	}
	ended := ""
	if t.Call.State == events.CallStateEnded {
		ended = p.Cyan("call ended: " + string(t.Call.EndReason))
	}
	return strings.Join(present(head, newCallText(t), quotedData(t.CustomData), ended), "  ")
}

func newCallText(t events.Transition) string {
	if t.Event != events.EventInvited {
		return ""
	}
	return typeText(t.Call.CallType)
}

// changeText is "bob ringing→declined", with the reason if it adds information, and the attempt if it is not the first.
func changeText(p colors, c events.Change) string {
	s := cli.Plain(c.UserID) + " "
	if c.From != "" {
		s += string(c.From) + "→"
	}
	s += p.state(c.To, string(c.To))
	var more []string
	if c.Attempt > 1 {
		more = append(more, fmt.Sprintf("attempt %d", c.Attempt))
	}
	if c.Reason != "" && string(c.Reason) != string(c.To) {
		more = append(more, string(c.Reason))
	}
	if len(more) > 0 {
		s += " (" + strings.Join(more, ", ") + ")"
	}
	return s
}
