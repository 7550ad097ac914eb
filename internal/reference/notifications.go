package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// Custom data of the invitation, and of the command that causes the transition.
const (
	theInvitations = "the invitation's"
	theCommands    = "the command's"
)

// notifyCase is a transition that has notifications, with a user for each role.
type notifyCase struct {
	what   string
	before []step
	wait   time.Duration
	last   step
	self   string // the user it is about: the callee, or the user who left
	roles  []string
}

// roles lists the roles of the table's columns, by the users who play them. Ann is the caller. Dan is in the call and
// invited bob. Eve is also in the call. Fay is still pending.
func roles() []string { return []string{"self", "ann", "dan", "eve", "fay"} }

func columns() []string {
	return []string{
		"transition", "the callee, or the party who left", "the caller", "the participant who invited the callee", "other participants", "other pending callees", "custom data",
	}
}

// inCall sets up a call: ann is in, dan and eve have accepted, fay is pending, and dan added bob.
func inCall() []step {
	return []step{
		by("ann/laptop", events.VerbInvite, "call_type", 0, "callees", callees("dan", "eve", "fay"), "custom_data", theInvitations),
		by("dan/phone", events.VerbAccept),
		by("eve/phone", events.VerbAccept),
		by("dan/phone", events.VerbAdd, "callees", callees("bob"), "ring_timeout_s", 30),
	}
}

// addedByDan sets up a call: ann is in, dan and eve have accepted, and dan added fay.
func addedByDan() []step {
	return []step{
		invite("dan", "eve"), by("dan/phone", events.VerbAccept), by("eve/phone", events.VerbAccept),
		by("dan/phone", events.VerbAdd, "callees", callees("fay"), "ring_timeout_s", 30),
	}
}

func invite(users ...string) step {
	return by("ann/laptop", events.VerbInvite, "call_type", 0, "callees", callees(users...), "custom_data", theInvitations)
}

func data(st step) step {
	st.body["custom_data"] = theCommands
	return st
}

// dropping is the drop of a party who is in the call.
func dropping(user, device string) step {
	return by("service:presence", events.VerbDrop, "party", seat(user, device), "seen", 99)
}

// notificationTable renders the notifications of transitions after which the call continues.
func notificationTable() (string, error) {
	add := by("dan/phone", events.VerbAdd, "callees", callees("bob"))
	expire := by("service:timeouts", events.VerbExpire)
	busy := call.Claimed{Busy: []string{"bob"}}
	glare := by("bob/phone", events.VerbAccept).claims(call.Claimed{Glare: &call.Glare{CallID: "c1", Attempt: 1}})
	group := []string{"ann", "dan", "eve", "fay"}
	accepted := append(inCall(), by("bob/phone", events.VerbAccept))
	unconfirmed := append(inCall()[:3], inCall()[3].reaches(5*time.Second))
	return renderCases([]notifyCase{
		{"invited, line free", nil, 0, invite("bob", "fay"), "bob", []string{"ann"}},
		{"invited, line full", nil, 0, invite("bob", "fay").claims(busy), "bob", []string{"ann"}},
		{"added, line free", inCall()[:3], 0, data(add), "bob", group},
		{"added, line full", inCall()[:3], 0, data(add).claims(busy), "bob", group},
		{"added too late to ring", inCall()[:3], 0, data(add).after(time.Hour), "bob", group},
		{"ringing (the first device)", inCall(), 0, by("bob/phone", events.VerbRing), "bob", group},
		{"accepted", inCall(), 0, data(by("bob/phone", events.VerbAccept)), "bob", group},
		{"accepted by glare", []step{invite("bob")}, 0, data(glare), "bob", []string{"ann"}},
		{"declined", inCall(), 0, data(by("bob/phone", events.VerbDecline)), "bob", group},
		{"declined with `busy`", inCall(), 0, data(by("bob/phone", events.VerbDecline, "reason", "busy")), "bob", group},
		{"canceled", inCall(), 0, data(by("dan/phone", events.VerbCancel)), "bob", group},
		{"timed_out", inCall(), 40 * time.Second, expire, "bob", group},
		{"timed_out, and no device has confirmed (`reach_s`)", unconfirmed, 10 * time.Second, expire, "bob", group},
		{"left, by a callee", accepted, 0, data(by("bob/phone", events.VerbLeave)), "bob", group},
		{"left, a callee whose device is gone", accepted, 0, dropping("bob", "phone"), "bob", group},
		{"left, by the participant who invited a pending callee", addedByDan(), 0, data(by("dan/phone", events.VerbLeave)), "dan", []string{"ann", "eve", "fay"}},
		{"taken, by a callee", accepted, 0, by("bob/tablet", events.VerbTake), "bob", group},
		{"left, by the caller", inCall()[:3], 0, data(by("ann/laptop", events.VerbLeave)), "ann", []string{"dan", "eve", "fay"}},
	})
}

// endsTable renders the notifications of transitions that end the call.
func endsTable() (string, error) {
	expire := by("service:timeouts", events.VerbExpire)
	one := []step{invite("bob")}
	answered := append(one, by("bob/phone", events.VerbAccept))
	group := []string{"ann", "dan", "eve", "fay"}
	leaving := append(inCall()[:3], by("eve/phone", events.VerbLeave), by("dan/phone", events.VerbLeave))
	caller := []string{"ann"}
	return renderCases([]notifyCase{
		{"invited, all lines full", nil, 0, invite("bob").claims(call.Claimed{Busy: []string{"bob"}}), "bob", caller},
		{"invited too late to ring", nil, 0, invite("bob").after(time.Hour), "bob", caller},
		{"the only callee declines", one, 0, data(by("bob/phone", events.VerbDecline)), "bob", caller},
		{"the only callee declines with `busy`", one, 0, data(by("bob/phone", events.VerbDecline, "reason", "busy")), "bob", caller},
		{"the caller cancels, or leaves before any answer", one, 0, data(by("ann/laptop", events.VerbCancel)), "bob", caller},
		{"the caller's device is gone before any answer", one, 0, dropping("ann", "laptop"), "bob", caller},
		{"the only callee times out", one, time.Hour, expire, "bob", caller},
		{"no device of the only callee has confirmed (`reach_s`)", []step{invite("bob").reaches(5 * time.Second)}, 10 * time.Second, expire, "bob", caller},
		{"the only callee who answered leaves", answered, 0, data(by("bob/phone", events.VerbLeave)), "bob", caller},
		{"the caller leaves the only callee", answered, 0, data(by("ann/laptop", events.VerbLeave)), "bob", caller},
		{"the last participant leaves while a callee is pending", leaving, 0, data(by("ann/laptop", events.VerbLeave)), "", []string{"ann", "fay"}},
		{"the caller ends it", inCall(), 0, data(by("ann/laptop", events.VerbEnd)), "bob", group},
		{"a service ends it", inCall(), 0, data(by("service:desk", events.VerbEnd)), "bob", group},
		{"it reaches its maximum duration", inCall()[:3], 13 * time.Hour, expire, "", group},
	})
}

// silentTable renders the transitions and commands without notifications.
func silentTable() (string, error) {
	busy := invite("bob").claims(call.Claimed{CallerBusy: true})
	merged := invite("bob").claims(call.Claimed{Glare: &call.Glare{CallID: "c0", Attempt: 1}})
	t := newTable("without notifications", "")
	for _, x := range []notifyCase{
		{what: "an invitation whose caller is busy", last: busy},
		{what: "an invitation that was merged into another call", last: merged},
		{what: "an id that is taken out of use", last: by("ann/laptop", events.VerbCancel).after(time.Minute)},
		{what: "a command that is refused", before: []step{invite("bob")}, last: by("mal/phone", events.VerbAccept)},
		{what: "a second device that rings", before: []step{invite("bob"), by("bob/phone", events.VerbRing)}, last: by("bob/tablet", events.VerbRing)},
	} {
		s, o, err := x.play()
		if err != nil {
			return "", err
		}
		if w, ok := o.(call.Write); ok && len(call.Notify(w.Transition)) > 0 {
			return "", fmt.Errorf("reference: %s has notifications", x.what)
		}
		if s.last.Seq > 0 && len(call.Notify(call.Fence(s.last, events.Command{}, call.Input{At: s.now, Limits: s.limits}).Transition)) > 0 {
			return "", fmt.Errorf("reference: a fence has notifications")
		}
		t.row(x.what, outcome(o))
	}
	t.row("a transition that only advances the sequence", "**fenced**")
	return t.String(), nil
}

// play returns the stage before the transition, and the outcome of the last command.
func (x notifyCase) play() (*stage, call.Outcome, error) {
	s := newStage()
	if err := s.play(x.before...); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", x.what, err)
	}
	s.now = s.now.Add(x.wait)
	o, err := s.decide(x.last)
	return s, o, err
}

func renderCases(list []notifyCase) (string, error) {
	t := newTable(columns()...)
	for _, x := range list {
		_, o, err := x.play()
		if err != nil {
			return "", err
		}
		w, ok := o.(call.Write)
		if !ok {
			return "", fmt.Errorf("reference: %s: %+v", x.what, o)
		}
		notices := call.Notify(w.Transition)
		cells := []string{x.what}
		if end := w.Transition.Call.EndReason; end != "" {
			cells[0] += " (**" + string(w.Transition.Event) + "**, " + code(string(end)) + ")"
		}
		for _, role := range roles() {
			cells = append(cells, x.cell(notices, role))
		}
		if err := x.complete(notices); err != nil {
			return "", err
		}
		t.row(append(cells, x.whose(notices))...)
	}
	return t.String(), nil
}

// user returns the user who plays a role, or "" if there is none.
func (x notifyCase) user(role string) string {
	switch {
	case role == "self":
		return x.self
	case slices.Contains(x.roles, role):
		return role
	}
	return ""
}

func (x notifyCase) cell(notices []events.Notice, role string) string {
	u := x.user(role)
	if u == "" {
		return ""
	}
	var list []string
	for _, n := range notices {
		if n.To != u {
			continue
		}
		s := code(string(n.Event))
		if n.Reason != "" {
			s += " " + code(n.Reason)
		}
		list = append(list, s)
	}
	if len(list) == 0 {
		return "–"
	}
	return strings.Join(list, ", ")
}

// complete returns an error if a receiver of a notification has no role.
func (x notifyCase) complete(notices []events.Notice) error {
	for _, n := range notices {
		another := n.To == "fay" && n.Event == events.IncomingCallReceived // called by the same invitation
		if n.To != x.self && !slices.Contains(x.roles, n.To) && !another {
			return fmt.Errorf("reference: %s: %s receives %s and has no role", x.what, n.To, n.Event)
		}
	}
	return nil
}

// whose lists which custom data each role receives.
func (x notifyCase) whose(notices []events.Notice) string {
	names := map[string]string{"self": "the callee", "ann": "the caller", "dan": "who invited them", "eve": "other participants", "fay": "other pending callees"}
	var list []string
	for _, d := range []string{theInvitations, theCommands} {
		var to []string
		for _, role := range roles() {
			receives := slices.ContainsFunc(notices, func(n events.Notice) bool { return n.To == x.user(role) && n.CustomData == d })
			twice := role == "ann" && x.self == "ann"
			if receives && x.user(role) != "" && !twice {
				to = append(to, names[role])
			}
		}
		if len(to) > 0 {
			list = append(list, d+", to "+strings.Join(to, ", "))
		}
	}
	if len(list) == 0 {
		return "–"
	}
	return strings.Join(list, "; ")
}
