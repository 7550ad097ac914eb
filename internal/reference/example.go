package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"ringline.io/ringline/events"
	"ringline.io/ringline/events/jsonobject"
	"ringline.io/ringline/worker/call"
)

// example shows one command with all its effects: bob declines, eve still rings.
func example() (string, error) {
	s := newStage()
	begin := s.now
	invitation := by("ann", events.VerbInvite, "user_name", "Ann", "call_type", 1, "custom_data", "hi",
		"callees", []map[string]string{{"user_id": "bob", "user_name": "Bob"}, {"user_id": "eve", "user_name": "Eve"}})
	for _, x := range []struct {
		at time.Duration
		st step
	}{
		{0, invitation.id("k1")},
		{300 * time.Millisecond, by("bob/phone-1", events.VerbRing)},
		{400 * time.Millisecond, by("eve/phone-2", events.VerbRing)},
	} {
		s.now = begin.Add(x.at)
		if err := s.play(x.st); err != nil {
			return "", err
		}
	}
	s.now = begin.Add(7250 * time.Millisecond)
	last := by("bob/phone-1", events.VerbDecline, "reason", "declined", "custom_data", "later").id("k2")
	cmd, err := s.read(last)
	if err != nil {
		return "", fmt.Errorf("reference: example: %w", err)
	}
	w, ok := call.Decide(s.last, cmd, call.Input{At: s.now, Now: s.now, Limits: s.limits}).(call.Write)
	if !ok {
		return "", fmt.Errorf("reference: example: the command causes no transition")
	}
	return show(cmd, w, s.now.Add(10*time.Millisecond))
}

// show formats the command, its answer, the transition, and all notifications.
func show(cmd events.Command, w call.Write, now time.Time) (string, error) {
	var b strings.Builder
	message := func(subject, header string, v any) error {
		text, err := events.Encode(v)
		if err != nil {
			return err
		}
		if header != "" {
			header = "   " + header
		}
		fmt.Fprintf(&b, "%s%s\n%s\n\n", subject, header, pretty(text, ""))
		return nil
	}
	body, err := cmd.Encode()
	if err != nil {
		return "", err
	}
	if err := message(events.CommandSubject(cmd.App, cmd.CallID, cmd.Verb), events.HeaderAnswer+": t7", jsontext.Value(body)); err != nil {
		return "", err
	}
	view := w.Transition.Call.For(cmd.UserID)
	if err := message(events.AnswerSubject(cmd.App, "t7"), "", events.Answer{CommandID: cmd.CommandID, OK: true, Call: &view}); err != nil {
		return "", err
	}
	event, err := w.Transition.Encode(w.At)
	if err != nil {
		return "", err
	}
	header := fmt.Sprintf("Content-Type: %s   %s: %s", events.ContentType, events.HeaderEvent, w.Transition.Event)
	if err := message(events.TransitionSubject(cmd.App, cmd.CallID), header, jsontext.Value(event)); err != nil {
		return "", err
	}
	for _, n := range call.Notify(w.Transition) {
		if err := message(events.UserSubject(cmd.App, n.To), "", n.Stamped(now)); err != nil {
			return "", err
		}
	}
	return strings.TrimSpace(b.String()), nil
}

// pretty breaks long JSON into lines.
func pretty(raw jsontext.Value, indent string) string {
	const most = 118
	parts := partsOf(raw)
	if len(indent)+len(raw) <= most || len(parts) == 0 {
		return string(raw)
	}
	var lines []string
	line := ""
	flush := func() {
		if line != "" {
			lines = append(lines, line)
		}
		line = ""
	}
	for i, p := range parts {
		text := p.name + pretty(p.value, indent+"  ")
		if i < len(parts)-1 {
			text += ","
		}
		if strings.Contains(text, "\n") || len(indent)+2+len(line)+len(text) > most {
			flush()
		}
		line += text
		if strings.Contains(text, "\n") {
			flush()
		}
	}
	flush()
	return string(raw[0]) + strings.Join(lines, "\n"+indent+" ") + string(raw[len(raw)-1])
}

// part is a member of an object, or an item of an array, whose name is empty.
type part struct {
	name  string // with its quotes and colon
	value jsontext.Value
}

func partsOf(raw jsontext.Value) (parts []part) {
	if members, err := jsonobject.Read(raw); err == nil {
		for _, m := range members {
			parts = append(parts, part{fmt.Sprintf("%q:", m.Name), m.Value})
		}
		return parts
	}
	var items []jsontext.Value
	if json.Unmarshal(raw, &items) == nil {
		for _, item := range items {
			parts = append(parts, part{"", item})
		}
	}
	return parts
}
