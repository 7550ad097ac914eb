package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// stage applies commands to call c1 of app demo with the real decisions.
type stage struct {
	last   events.Transition
	now    time.Time
	limits call.Limits
	count  int
}

func newStage() *stage {
	return &stage{now: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC), limits: call.DefaultLimits()}
}

// step is one command: its sender and the other members of its body.
type step struct {
	sender string // a user, user/device, or service:name
	verb   events.Verb
	body   map[string]any

	late    time.Duration // delay before the command is processed
	reach   time.Duration // reach_s of the app
	claimed call.Claimed  // result of the claims on lines
}

func by(sender string, verb events.Verb, members ...any) step {
	s := step{sender: sender, verb: verb, body: map[string]any{}}
	for i := 0; i+1 < len(members); i += 2 {
		s.body[members[i].(string)] = members[i+1]
	}
	return s
}

// callees returns the callees of an invite or add.
func callees(users ...string) []map[string]string {
	list := make([]map[string]string, len(users))
	for i, u := range users {
		list[i] = map[string]string{"user_id": u}
	}
	return list
}

// seat returns the party of a drop.
func seat(user, device string) map[string]string {
	return map[string]string{"user_id": user, "device_id": device}
}

func inviting(users ...string) step {
	return by("ann/laptop", events.VerbInvite, "call_type", 0, "callees", callees(users...))
}

// read encodes and decodes the command as its sender would. If the command is malformed, the error is an
// *events.Error.
func (s *stage) read(st step) (events.Command, error) {
	s.count++
	body := map[string]any{"command_id": fmt.Sprintf("k%d", s.count)}
	if service, ok := strings.CutPrefix(st.sender, "service:"); ok {
		body["service"] = service
	} else {
		user, device, _ := strings.Cut(st.sender, "/")
		body["user_id"], body["device_id"] = user, device
	}
	maps.Copy(body, st.body)
	text, err := json.Marshal(body)
	if err != nil {
		return events.Command{}, err
	}
	return events.ReadCommand(events.CommandAddress{App: "demo", CallID: "c1", Verb: st.verb}, text)
}

// decide returns the outcome of the command without applying it.
func (s *stage) decide(st step) (call.Outcome, error) {
	cmd, err := s.read(st)
	if bad, ok := errors.AsType[*events.Error](err); ok {
		return call.Refuse{Err: bad}, nil
	}
	if err != nil {
		return nil, err
	}
	in := call.Input{At: s.now, Now: s.now.Add(st.late), Limits: s.limits, Claimed: st.claimed}
	in.Limits.Reach = st.reach
	if g := st.claimed.Glare; g != nil && st.verb == events.VerbAccept { // the other side of a glare
		return call.Join(s.last, cmd, *g, in), nil
	}
	return call.Decide(s.last, cmd, in), nil
}

// play applies the commands. Each of them must cause a transition.
func (s *stage) play(steps ...step) error {
	for _, st := range steps {
		o, err := s.decide(st)
		if err != nil {
			return err
		}
		w, ok := o.(call.Write)
		if !ok {
			return fmt.Errorf("reference: %s by %s: %+v", st.verb, st.sender, o)
		}
		s.last = w.Transition
		s.now = s.now.Add(time.Second)
	}
	return nil
}

// outcome describes the outcome of a command in words.
func outcome(o call.Outcome) string {
	switch o := o.(type) {
	case call.Keep:
		return "ok, nothing changes"
	case call.Refuse:
		return code(string(o.Err.Code))
	case call.Wait:
		return "waits"
	case call.Write:
		c := o.Transition.Call
		switch {
		case o.Err != nil:
			return code(string(o.Err.Code)) + " (the call is written as ended, " + code(string(c.EndReason)) + ")"
		case c.State == events.CallStateEnded:
			return "**" + string(o.Transition.Event) + "**, call ends " + code(string(c.EndReason))
		}
		return "**" + string(o.Transition.Event) + "**"
	}
	return ""
}
