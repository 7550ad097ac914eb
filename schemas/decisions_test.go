package schemas_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// play sends random commands to random calls and passes every message to the coverage.
type play struct {
	t     *testing.T
	c     *coverage
	fill  *filler
	rand  *rand.Rand
	now   time.Time
	last  events.Transition
	count int
}

// TestMessagesCoverTheSchemas checks that all messages of the decisions and notifications match the schemas, without
// undescribed members. It also checks that every described member and word occurs. So the schema of a kind of
// notification has custom data, a reason or a remaining time exactly if such notifications have it.
func TestMessagesCoverTheSchemas(t *testing.T) {
	t.Parallel()
	p := &play{t: t, c: newCoverage(t), fill: newFiller(t), rand: rand.New(rand.NewPCG(4, 4)), now: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)}
	p.scenario(comesBack())
	p.scenario(waitsForAnother())
	never := []string{
		"part/change.from=busy", "part/change.from=canceled", "part/change.from=declined", "part/change.from=left",
		"part/change.from=timed_out", // terminal states do not change
		"part/change/v2.from=busy", "part/change/v2.from=canceled", "part/change/v2.from=declined", "part/change/v2.from=left",
		"part/change/v2.from=timed_out",
		"part/error.code=exhausted", "part/error.code=internal", "part/error.code=rate_limited", "part/error.code=unavailable", // no decision returns them
		"part/remembered.verb=drop", "part/remembered.verb=expire", "part/remembered.verb=ring", // not remembered
	}
	missing := p.missing()
	for quiet := 0; quiet < 6; quiet++ { // end after 6 rounds in a row that found nothing new: 2 in a row are rare
		for range 50 {
			p.call()
		}
		before := len(missing)
		if missing = p.missing(); slices.Equal(missing, never) {
			return
		}
		if len(missing) < before {
			quiet = -1
		}
	}
	t.Errorf("never came up: %s\nwant %s", strings.Join(missing, "\n"), never)
}

// missing lists what never occurred in a call's messages.
func (p *play) missing() (missing []string) {
	for name := range goTypes() {
		switch name {
		case "line", "app", "deadline", "reply/get", "reply/line", "reply/list", "reply/present", "part/entry", "part/party", "part/token_key",
			"session/connect", "session/snapshot", "session/push", "session/event", "part/snapshot_call":
			continue // not part of a call's messages
		}
		missing = append(missing, p.c.missing(name)...)
	}
	slices.Sort(missing)
	return missing
}

// one picks one of the values at random.
func one[T any](p *play, list ...T) T { return list[p.rand.IntN(len(list))] }

// call creates a call and sends it some commands.
func (p *play) call() {
	p.last = events.Transition{}
	if p.rand.IntN(20) == 0 { // a hang-up that arrives before its invitation, or a claim that was never committed
		p.send(p.command(one(p, events.VerbCancel, events.VerbLeave, events.VerbEnd)), 6*time.Second, call.Claimed{})
		p.send(p.command(events.VerbInvite), 0, call.Claimed{})
		return
	}
	invite := p.command(events.VerbInvite)
	var claimed call.Claimed
	switch p.rand.IntN(8) {
	case 0:
		claimed.CallerBusy = true
	case 1:
		claimed.Glare = &call.Glare{CallID: "other", Attempt: 1}
	case 2, 3:
		claimed.Busy = []string{"bob", one(p, "eve", "dan")}
	}
	p.send(invite, p.late(), claimed)
	for range p.rand.IntN(24) {
		p.now = p.now.Add(time.Duration(p.rand.IntN(9000)) * time.Millisecond)
		switch p.rand.IntN(12) {
		case 0:
			if p.last.Call.State != events.CallStateEnded {
				p.written(call.Fence(p.last, invite, p.input(0, claimed)))
			}
		case 1:
			x := one(p, p.last.Call.Callees...)
			joining := events.Command{CommandAddress: invite.CommandAddress, CommandID: p.id(), UserID: x.UserID, DeviceID: "phone"}
			p.outcome(joining, call.Join(p.last, joining, call.Glare{CallID: "c1", Attempt: x.Attempt}, p.input(0, claimed)))
		default:
			more := []events.Verb{events.VerbAccept, events.VerbAccept, events.VerbAccept, events.VerbAdd, events.VerbAdd, events.VerbLeave}
			cmd := p.command(one(p, append(more, events.Verbs()...)...))
			p.send(cmd, p.late(), call.Claimed{Busy: []string{one(p, "bob", "fay")}})
		}
	}
}

// planned is a command of a scenario.
type planned struct {
	user    string
	verb    events.Verb
	callees string
}

// comesBack is a case that random commands do not reach. Bob adds dan, leaves, is added again, and answers while dan
// still rings. So bob waits for dan when the notification of bob's answer arrives.
func comesBack() []planned {
	return []planned{
		{"ann", events.VerbInvite, "bob,eve"},
		{"bob", events.VerbAccept, ""},
		{"eve", events.VerbAccept, ""},
		{"bob", events.VerbAdd, "dan"},
		{"bob", events.VerbLeave, ""},
		{"eve", events.VerbAdd, "bob"},
		{"bob", events.VerbAccept, ""},
	}
}

// waitsForAnother is a case that random commands seldom reach. Eve waits for dan, who was added by eve, when bob joins.
func waitsForAnother() []planned {
	return []planned{
		{"ann", events.VerbInvite, "bob,eve"},
		{"eve", events.VerbAccept, ""},
		{"eve", events.VerbAdd, "dan"},
		{"bob", events.VerbAccept, ""},
	}
}

func (p *play) scenario(steps []planned) {
	p.last = events.Transition{}
	for _, step := range steps {
		cmd := p.command(step.verb)
		cmd.UserID, cmd.Service, cmd.Callees = step.user, "", nil
		for u := range strings.SplitSeq(step.callees, ",") {
			if u != "" {
				cmd.Callees = append(cmd.Callees, events.Party{UserID: u})
			}
		}
		p.send(cmd, 0, call.Claimed{})
	}
}

func (p *play) late() time.Duration {
	if p.rand.IntN(10) == 0 {
		return 2 * time.Minute
	}
	return 0
}

func (p *play) id() string {
	p.count++
	return fmt.Sprintf("k%d", p.count)
}

func (p *play) input(late time.Duration, claimed call.Claimed) call.Input {
	limits := call.DefaultLimits()
	limits.Reach = one(p, 0, 5*time.Second)
	return call.Input{At: p.now, Now: p.now.Add(late), Limits: limits, Claimed: claimed}
}

// command creates a command from a random sender.
func (p *play) command(v events.Verb) events.Command {
	cmd := events.Command{
		CommandAddress: events.CommandAddress{App: "demo", CallID: "c1", Verb: v},
		CommandID:      p.id(), UserID: one(p, "ann", "bob", "eve", "dan", "fay", "mal"), DeviceID: one(p, "", "phone", "tablet"),
	}
	switch {
	case v.Invites():
		cmd.RingTimeoutS = one(p, 0, 0, 5)
		for _, u := range []string{"bob", "eve", "dan", "fay"} {
			x := p.last.Call.Callee(u)
			likely := 8 // the others are refused
			if x == nil || !x.Pending() && x.State != events.StateAccepted {
				likely = 2
			}
			if p.rand.IntN(likely) == 0 {
				cmd.Callees = append(cmd.Callees, events.Party{UserID: u, UserName: one(p, "", "Some One")})
			}
		}
		if v == events.VerbAdd && p.rand.IntN(8) == 0 {
			cmd.Callees = append(cmd.Callees, events.Party{UserID: "ann"})
		}
		if len(cmd.Callees) == 0 {
			cmd.Callees = []events.Party{{UserID: "bob"}}
		}
	case v == events.VerbDecline:
		cmd.Reason = one(p, "", events.ReasonDeclined, events.ReasonBusy)
	case v == events.VerbCancel:
		if p.rand.IntN(2) == 0 {
			cmd.Callees = []events.Party{{UserID: one(p, "bob", "eve")}}
		}
	}
	switch {
	case v == events.VerbInvite:
		cmd.UserID, cmd.UserName, cmd.RoomID, cmd.CallType = "ann", one(p, "", "Ann"), one(p, "", "room 7"), one(p, events.CallTypeVoice, events.CallTypeVideo)
	case v == events.VerbExpire:
		cmd.UserID, cmd.DeviceID, cmd.Service = "", "", events.ServiceTimeouts
		p.now = p.now.Add(one(p, time.Second, time.Second, time.Second, time.Minute, 13*time.Hour))
	case v == events.VerbTake:
		cmd.DeviceID = one(p, "phone", "tablet")
	case v == events.VerbDrop:
		cmd.UserID, cmd.DeviceID, cmd.Service = "", "", events.ServicePresence
		cmd.Party, cmd.Seen = events.Seat{UserID: "ann", DeviceID: cmp.Or(p.last.Call.Caller.DeviceID, "phone")}, max(1, p.last.Seq)
		for _, x := range p.last.Call.Callees {
			if x.DeviceID != "" && p.rand.IntN(2) == 0 {
				cmd.Party = events.Seat{UserID: x.UserID, DeviceID: x.DeviceID}
			}
		}
	case !v.UsersOnly():
		if p.rand.IntN(3) == 0 {
			cmd.UserID, cmd.DeviceID, cmd.Service = "", "", "desk"
		}
	}
	if v.Has("seen") && v != events.VerbDrop {
		cmd.Seen = one(p, 0, 0, 0, max(1, p.last.Seq-1))
	}
	if cmd.UserID != "" && p.rand.IntN(2) == 0 {
		cmd.Via = events.ViaSession
	}
	if v.Has("custom_data") {
		cmd.CustomData = one(p, "", "some data")
	}
	p.setOthers(&cmd)
	return cmd
}

// setOthers sometimes sets the fields that command does not choose, each to a value that the schema allows.
func (p *play) setOthers(cmd *events.Command) {
	chosen := []string{
		"CommandID", "UserID", "Service", "DeviceID", "CustomData", "UserName", "CallType", "RoomID", "Callees", "RingTimeoutS", "Reason",
		"Seen", "Party", "Via",
		"Attempt", // never set: most attempts are refused
	}
	name := "command/" + string(cmd.Verb)
	properties := p.c.schema(name)["properties"].(object)
	for f, v := range reflect.ValueOf(cmd).Elem().Fields() {
		described, has := properties[nameOf(f)].(object)
		if has && !slices.Contains(chosen, f.Name) && p.rand.IntN(3) == 0 {
			p.fill.fill(v, name, described)
		}
	}
}

func (p *play) send(cmd events.Command, late time.Duration, claimed call.Claimed) {
	body, err := cmd.Encode()
	if err != nil {
		p.t.Fatal(err)
	}
	read, refused := events.ReadCommand(cmd.CommandAddress, body)
	if refused != nil {
		p.t.Fatalf("%s: %v", body, refused)
	}
	if err := p.c.c.Valid("command/"+string(cmd.Verb)+"/v1.json", body); err != nil {
		p.t.Fatalf("%s: %v", body, err)
	}
	p.outcome(read, call.Decide(p.last, read, p.input(late, claimed)))
}

// outcome records the answer and, if there is one, the transition.
func (p *play) outcome(cmd events.Command, o call.Outcome) {
	answer := events.Answer{CommandID: cmd.CommandID}
	switch o := o.(type) {
	case call.Write:
		p.written(o)
		answer.Error, answer.Refused = o.Err, call.Refused(cmd, o.Transition)
	case call.Refuse:
		answer.Error = o.Err
	case call.Keep:
	case call.Wait:
		return
	}
	answer.OK = answer.Error == nil
	if cmd.Service != "" || p.last.Call.Has(cmd.UserID) {
		view := p.last.Call
		if p.rand.IntN(10) == 0 { // of a call that began before format 2
			view = inFormat1(p.last).Call
		}
		if cmd.UserID != "" {
			view = view.For(cmd.UserID)
		}
		answer.Call = &view
	}
	if answer.Error != nil && p.last.Seq == 0 {
		answer.Call = nil
	}
	p.message("answer", answer)
	if p.rand.IntN(50) == 0 { // a command without a readable id
		p.message("answer", events.Refusal("", events.Errorf(events.CodeInvalidArgument, "body: is not JSON")))
	}
}

// written records a committed transition: the message on the stream and the notifications.
func (p *play) written(w call.Write) {
	p.last = w.Transition
	text, err := w.Transition.Encode(w.At)
	if err != nil {
		p.t.Fatal(err)
	}
	p.c.message("call/"+string(w.Transition.Event)+"/v2", text)
	if w.Transition.Event.In(1) {
		if text, err = inFormat1(w.Transition).Encode(w.At); err != nil {
			p.t.Fatal(err)
		}
		p.c.message("call/"+string(w.Transition.Event), text)
	}
	for _, n := range call.Notify(w.Transition) {
		p.message("notification/"+string(n.Event), n.Stamped(p.now))
	}
}

func (p *play) message(name string, v any) {
	text, err := events.Encode(v)
	if err != nil {
		p.t.Fatal(err)
	}
	p.c.message(name, text)
}
