package call_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// start is the time from which the times of scripts count.
var start = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

// stage plays commands to calls like the coordinator: it reads every command from its body, and reads every written transition
// back from its event before the next decision.
type stage struct {
	limits  call.Limits
	calls   map[string]*played
	*played     // the call of the last command, c1 at first
	count   int // number of commands, for their ids
}

// played is a call of a stage.
type played struct {
	last events.Transition
	log  []events.Transition // as they were written, from sequence 1
	made line                // the command that made the first transition
}

func newStage() *stage {
	s := &stage{limits: call.DefaultLimits(), calls: map[string]*played{}}
	s.turnTo("c1")
	return s
}

// turnTo makes this call the current one.
func (s *stage) turnTo(callID string) {
	if s.calls[callID] == nil {
		s.calls[callID] = &played{}
	}
	s.played = s.calls[callID]
}

// line is one command of a script, with the times at which it was stored and is handled, and the result of its claims.
type line struct {
	at, now time.Duration
	cmd     events.Command
	claimed call.Claimed
}

// input returns the input of the decision, from the line and the limits.
func (l line) input(limits call.Limits) call.Input {
	return call.Input{At: start.Add(l.at), Now: start.Add(l.now), Limits: limits, Claimed: l.claimed}
}

// decide decides a command for the current call.
func (s *stage) decide(l line) call.Outcome { return call.Decide(s.last, l.cmd, l.input(s.limits)) }

// do decides a command, and writes the transition if there is one.
func (s *stage) do(t *testing.T, l line) call.Outcome {
	t.Helper()
	s.turnTo(l.cmd.CallID)
	o := s.decide(l)
	s.keep(t, l, o)
	return o
}

// keep writes the transition of an outcome, if there is one.
func (s *stage) keep(t *testing.T, l line, o call.Outcome) {
	t.Helper()
	w, ok := o.(call.Write)
	if !ok {
		return
	}
	if s.last.Seq == 0 {
		s.made = l
	}
	s.last = reread(t, w)
	s.log = append(s.log, w.Transition)
}

// join joins the merged invitation of this call to the call that it crosses. It is the same delivery, handled at now.
func (s *stage) join(t *testing.T, merged string, now time.Duration) (call.Outcome, error) {
	t.Helper()
	s.turnTo(merged)
	g := call.Merged(s.last)
	if g == nil {
		return nil, fmt.Errorf("%s was not merged", merged)
	}
	l := s.made
	l.now = now
	s.turnTo(g.CallID)
	o := call.Join(s.last, l.cmd, *g, call.Input{At: start.Add(l.at), Now: start.Add(l.now), Limits: s.limits})
	s.keep(t, l, o)
	return o, nil
}

// fence moves the call stale past a claim for which this command waits.
func (s *stage) fence(t *testing.T, stale string, l line) call.Write {
	t.Helper()
	l.cmd.CallID = stale
	s.turnTo(stale)
	w := call.Fence(s.last, l.cmd, l.input(s.limits))
	s.keep(t, l, w)
	return w
}

// play plays a script with one command per line. It fails the test if a command is refused or has to wait.
func (s *stage) play(t *testing.T, script string) {
	t.Helper()
	for text := range strings.Lines(script) {
		if strings.TrimSpace(text) == "" {
			continue
		}
		l, refused := s.read(t, text)
		if refused != nil {
			t.Fatalf("%s: %v", text, refused)
		}
		switch o := s.do(t, l).(type) {
		case call.Write, call.Keep:
		case call.Refuse, call.Wait:
			t.Fatalf("%s: %#v", text, o)
		}
	}
}

// read makes a command from a line of a script
//
//	<at> <user>[/<device>]|service:<service>|timer <verb> [<callee>[:<name>],…] [voice|video|busy|c1.1|c1.1.reach|bob/phone] [key=value …]
//
// and reads it like a worker. The argument of a timer is the deadline that came due, that of a drop
// the party with their device. The keys are
//
//   - id, data, timeout, name and room, and any other field of a command by its name, such as attempt;
//   - call: the call id (default c1);
//   - handled: the time at which a worker handles the command (default: when it is stored);
//   - busy=eve,…: callees with full lines;
//   - line=full: the caller's line is full;
//   - glare=c1#2: the invitation crosses c1, in which its sender is pending in attempt 2.
func (s *stage) read(t *testing.T, text string) (line, error) {
	t.Helper()
	words := fields(text)
	if len(words) < 3 {
		t.Fatalf("%q: no command", text)
	}
	s.count++
	l := line{at: duration(t, words[0])}
	l.now = l.at
	l.cmd.CommandID = fmt.Sprintf("k%d", s.count)
	l.cmd.CommandAddress = events.CommandAddress{App: "demo", CallID: "c1", Verb: events.Verb(words[2])}
	sender(&l.cmd, words[1])
	for _, w := range words[3:] {
		l.argument(t, w)
	}
	body, err := l.cmd.Encode()
	if err != nil {
		t.Fatal(err)
	}
	cmd, refused := events.ReadCommand(l.cmd.CommandAddress, body)
	l.cmd = cmd
	return l, refused
}

// fields splits a line at its spaces, except for spaces between quotes.
func fields(text string) []string {
	quoted := false
	return strings.FieldsFunc(strings.TrimSpace(text), func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
}

func sender(cmd *events.Command, word string) {
	if service, ok := strings.CutPrefix(word, "service:"); ok {
		cmd.Service = service
	} else if word == "timer" {
		cmd.Service = events.ServiceTimeouts
	} else {
		cmd.UserID, cmd.DeviceID, _ = strings.Cut(word, "/")
	}
}

func (l *line) argument(t *testing.T, word string) {
	t.Helper()
	key, value, named := strings.Cut(word, "=")
	value = strings.Trim(value, `"`)
	switch {
	case !named:
		l.bare(t, word)
	case key == "id":
		l.cmd.CommandID = value
	case key == "data":
		l.cmd.CustomData = value
	case key == "timeout":
		l.cmd.RingTimeoutS = int(number(t, value))
	case key == "name":
		l.cmd.UserName = value
	case key == "room":
		l.cmd.RoomID = value
	case key == "call":
		l.cmd.CallID = value
	case key == "handled":
		l.now = duration(t, value)
	case l.field(t, key, value):
	default:
		l.becameOfClaims(t, word, key, value)
	}
}

// becameOfClaims reads the result of the command's claims.
func (l *line) becameOfClaims(t *testing.T, word, key, value string) {
	t.Helper()
	switch {
	case key == "busy":
		l.claimed.Busy = strings.Split(value, ",")
	case word == "line=full":
		l.claimed.CallerBusy = true
	case key == "glare":
		callID, attempt, _ := strings.Cut(value, "#")
		l.claimed.Glare = &call.Glare{CallID: callID, Attempt: int(number(t, attempt))}
	default:
		t.Fatalf("%q: unknown argument", word)
	}
}

func (l *line) bare(t *testing.T, word string) {
	t.Helper()
	switch {
	case l.cmd.Verb == events.VerbExpire:
		callID, deadline, _ := strings.Cut(word, ".")
		seq, kind, _ := strings.Cut(deadline, ".")
		l.cmd.CallID = callID
		l.cmd.CommandID = events.ExpireID(callID, events.DeadlineID{Seq: int(number(t, seq)), Kind: events.DeadlineKind(kind)})
	case word == "voice":
		l.cmd.CallType = events.CallTypeVoice
	case word == "video":
		l.cmd.CallType = events.CallTypeVideo
	case l.cmd.Verb == events.VerbDrop:
		l.cmd.Party.UserID, l.cmd.Party.DeviceID, _ = strings.Cut(word, "/")
	case l.cmd.Verb == events.VerbDecline:
		l.cmd.Reason = events.Reason(word)
	case l.cmd.Verb != events.VerbInvite && l.cmd.Verb != events.VerbAdd && l.cmd.Verb != events.VerbCancel:
		t.Fatalf("%q: %s takes no such argument", word, l.cmd.Verb)
	default:
		for callee := range strings.SplitSeq(word, ",") {
			id, name, _ := strings.Cut(callee, ":")
			l.cmd.Callees = append(l.cmd.Callees, events.Party{UserID: id, UserName: name})
		}
	}
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func duration(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// reread returns the transition as it is read from the stream.
func reread(t *testing.T, w call.Write) events.Transition {
	t.Helper()
	body, err := w.Transition.Encode(w.At)
	if err != nil {
		t.Fatal(err)
	}
	read, at, err := events.ReadTransition(w.Transition.Call.App, w.Transition.Call.CallID, body)
	if err != nil {
		t.Fatal(err)
	}
	if at != w.At {
		t.Fatalf("written at %v, read as %v", w.At, at)
	}
	return read
}
