package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ringline.io/ringline/events"
)

// cast sets up the call: ann called eve, dan and fay, who have accepted, and dan added bob. Each scene puts bob in
// another state. The call continues no matter which user leaves next.
func cast() []step {
	return []step{
		inviting("eve", "dan", "fay"),
		by("eve/phone", events.VerbAccept),
		by("dan/phone", events.VerbAccept),
		by("fay/phone", events.VerbAccept),
		by("dan/phone", events.VerbAdd, "callees", callees("bob")),
	}
}

// scene is a state of bob.
type scene struct {
	name  string
	steps []step
}

func scenes() []scene {
	accepted := by("bob/phone", events.VerbAccept)
	expire := by("service:timeouts", events.VerbExpire)
	return []scene{
		{"invited", nil},
		{"ringing", []step{by("bob/phone", events.VerbRing)}},
		{"accepted", []step{accepted}},
		{"left", []step{accepted, by("bob/phone", events.VerbLeave)}},
		{"declined", []step{by("bob/phone", events.VerbDecline)}},
		{"busy", []step{by("bob/phone", events.VerbDecline, "reason", "busy")}},
		{"canceled", []step{by("dan/phone", events.VerbCancel)}},
		{"timed_out", []step{expire}},
		{"call ended", []step{by("service:desk", events.VerbEnd)}},
	}
}

// The senders to try.
const (
	sameDevice  = "the callee, from the device that answered"
	otherDevice = "the callee, from another device"
	aCaller     = "the caller"
	callerLeft  = "the caller, who has left"
	anInviter   = "the participant who invited the callee"
	participant = "another participant"
	stranger    = "any other user"
	aService    = "a service"
	timeouts    = "the service `timeouts`"
	presence    = "the service `presence`"
)

// senders lists the senders to try for a verb, and the users who play them. A verb with an attempt affects only its
// sender and has the same outcome for every callee, so the list then omits other participants.
func senders(v events.Verb) [][2]string {
	list := [][2]string{
		{sameDevice, "bob/phone"},
		{otherDevice, "bob/tablet"},
		{aCaller, "ann/laptop"},
		{callerLeft, "ann,left"},
		{anInviter, "dan/phone"},
		{participant, "eve/phone"},
		{stranger, "mal/phone"},
		{aService, "service:desk"},
		{timeouts, "service:timeouts"},
		{presence, "service:presence"},
	}
	if v.Has("attempt") {
		return slices.Delete(list, 4, 6)
	}
	return list
}

// joined merges the names of senders with the same outcomes.
func joined(names []string) string {
	for _, x := range []struct {
		all []string
		one string
	}{
		{[]string{sameDevice, otherDevice, aCaller, callerLeft, anInviter, participant, stranger}, "any user"},
		{[]string{sameDevice, otherDevice}, "the callee"},
		{[]string{aCaller, callerLeft}, "the caller, even after leaving"},
		{[]string{anInviter, participant}, "any other participant"},
		{[]string{aService, timeouts, presence}, "a service"},
		{[]string{aService, timeouts}, aService},
		{[]string{aService, presence}, aService},
	} {
		missing := func(n string) bool { return !slices.Contains(names, n) }
		if !slices.ContainsFunc(x.all, missing) {
			first := slices.Index(names, x.all[0])
			names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(x.all, n) })
			names = slices.Insert(names, min(first, len(names)), x.one)
		}
	}
	return strings.Join(names, "; ")
}

// set sets up a scene for a sender, and returns the sender in the notation of a step.
func (sc scene) set(sender string) (s *stage, from string, err error) {
	s = newStage()
	if err = s.play(cast()...); err != nil {
		return nil, "", err
	}
	if sender == "ann,left" {
		sender = "ann/laptop"
		if err := s.play(by(sender, events.VerbLeave)); err != nil {
			return nil, "", err
		}
	}
	for _, st := range sc.steps {
		if st.verb == events.VerbExpire {
			s.now = s.now.Add(time.Hour)
		}
		if err := s.play(st); err != nil {
			return nil, "", err
		}
	}
	return s, sender, nil
}

// mayDo renders the table of one verb: its outcome by sender and by the state of the callee.
func mayDo(verb events.Verb) (string, error) {
	all := scenes()
	var rows, names [][]string
	for _, who := range senders(verb) {
		row := make([]string, len(all))
		for i, sc := range all {
			s, from, err := sc.set(who[1])
			if err != nil {
				return "", fmt.Errorf("%s: %w", sc.name, err)
			}
			o, err := s.decide(commandTo(verb, from))
			if err != nil {
				return "", err
			}
			row[i] = outcome(o)
		}
		if i := slices.IndexFunc(rows, func(r []string) bool { return slices.Equal(r, row) }); i >= 0 {
			names[i] = append(names[i], who[0])
			continue
		}
		rows, names = append(rows, row), append(names, []string{who[0]})
	}
	return render(all, names, rows), nil
}

// commandTo returns the command, with bob as its target. An invite calls gil instead.
func commandTo(verb events.Verb, from string) step {
	switch {
	case verb == events.VerbInvite:
		return by(from, verb, "call_type", 0, "callees", callees("gil"))
	case verb == events.VerbCancel:
		return by(from, verb, "callees", []string{"bob"})
	case verb == events.VerbDrop:
		return by(from, verb, "party", seat("bob", "phone"), "seen", 99)
	case verb.Has("callees"):
		return by(from, verb, "callees", callees("bob"))
	}
	return by(from, verb)
}

// render writes the table and merges equal adjacent columns.
func render(all []scene, names, rows [][]string) string {
	head, columns := []string{"sender"}, []int{}
	for i, sc := range all {
		same := i > 0 && !slices.ContainsFunc(rows, func(r []string) bool { return r[i] != r[i-1] })
		if same && sc.name != "call ended" {
			head[len(head)-1] += ", " + sc.name
			continue
		}
		head, columns = append(head, sc.name), append(columns, i)
	}
	if len(columns) == 2 && !slices.ContainsFunc(rows, func(r []string) bool { return r[columns[0]] != r[columns[1]] }) {
		head, columns = []string{"sender", "any state"}, columns[:1]
	}
	if len(columns) == 2 {
		head[1] = "call open"
	}
	t := newTable(head...)
	for i, r := range rows {
		cells := []string{joined(names[i])}
		for _, c := range columns {
			cells = append(cells, r[c])
		}
		t.row(cells...)
	}
	return t.String()
}

// situation is a command with the commands before it.
type situation struct {
	what   string
	before []step
	wait   time.Duration // before the last command
	last   step
	more   string // addition to the outcome
}

// outcomes renders a table of situations.
func outcomes(list []situation) (string, error) {
	t := newTable("situation", "outcome")
	for _, x := range list {
		s := newStage()
		if err := s.play(x.before...); err != nil {
			return "", fmt.Errorf("%s: %w", x.what, err)
		}
		s.now = s.now.Add(x.wait)
		o, err := s.decide(x.last)
		if err != nil {
			return "", err
		}
		t.row(x.what, strings.TrimSuffix(outcome(o)+"; "+x.more, "; "))
	}
	return t.String(), nil
}
