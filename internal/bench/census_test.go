package bench

import (
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// seen parses lines "subject reply" or "subject?data reply" into messages.
func seen(lines ...string) (list []*nats.Msg) {
	for _, line := range lines {
		subject, reply, _ := strings.Cut(line, " ")
		subject, data, asks := strings.Cut(subject, "?") // the body of a read from the leader
		if !asks {
			data = "xx"
		}
		list = append(list, &nats.Msg{Subject: subject, Reply: reply, Data: []byte(data), Header: nats.Header{}})
	}
	return list
}

const (
	command   = "ringline.demo.cmd.c1.invite _INBOX.client.1"
	delivered = "ringline.demo.cmd.c1.invite $JS.ACK.RINGLINE_COMMANDS.coordinators.1"
	readAnn   = `$JS.API.STREAM.MSG.GET.KV_RINGLINE_LINES?{"last_by_subj":"$KV.RINGLINE_LINES.demo.ann"} _INBOX.w.1`
	readBob   = `$JS.API.STREAM.MSG.GET.KV_RINGLINE_LINES?{"last_by_subj":"$KV.RINGLINE_LINES.demo.bob"} _INBOX.w.2`
	claimAnn  = "$KV.RINGLINE_LINES.demo.ann _INBOX.w.3"
	claimBob  = "$KV.RINGLINE_LINES.demo.bob _INBOX.w.4"
	commit    = "ringline.demo.call.c1 _INBOX.w.5"
	copyOf    = "ringline.demo.call.c1 $JS.ACK.RINGLINE_CALLS.JS_SRC.1"
	notify    = "ringline.demo.user.bob"
	arm       = "ringline.demo.timer.c1.1 _INBOX.w.6"
	answer    = "ringline.demo.answer.t.1"
	ack       = "$JS.ACK.RINGLINE_COMMANDS.coordinators.1"
	pull      = "$JS.API.CONSUMER.MSG.NEXT.RINGLINE_COMMANDS.coordinators _INBOX.w.7"
)

// An operation waits for those whose reply arrived before its own message: two concurrent reads are one wait, two
// sequential claims are two.
func TestTrace(t *testing.T) {
	x, err := ringline.trace(seen(
		command, pull, delivered, "_INBOX.client.1", readAnn, readBob, "_INBOX.w.2", "_INBOX.w.1", claimAnn, "_INBOX.w.3",
		claimBob, "_INBOX.w.4", commit, copyOf, "_INBOX.w.5", notify, arm, "_INBOX.w.6", answer, ack,
	))
	if err != nil {
		t.Fatal(err)
	}
	if got := x.waits(); got != 5 {
		t.Errorf("%d waits, want 5: the reads, two claims, the commit, the deadline", got)
	}
	want := map[string]int{readAnn: 1, readBob: 1, claimAnn: 2, claimBob: 3, commit: 4, notify: 4, arm: 5, answer: 5, ack: 5}
	for _, o := range x.ops {
		subject := o.msg.Subject
		if o.kind == kindLead {
			subject += "?" + string(o.msg.Data)
		}
		line := strings.TrimSpace(subject + " " + o.msg.Reply)
		if level, ok := want[line]; !ok || o.level != level {
			t.Errorf("%s is at %d, want %d", line, o.level, level)
		}
		delete(want, line)
	}
	for line := range want {
		t.Errorf("%s is missing", line)
	}
	if x.command.Subject != "ringline.demo.cmd.c1.invite" {
		t.Errorf("the command is %s", x.command.Subject)
	}
}

// On a busy machine two concurrent operations may look sequential, without more waits in total. That trace is not the cheaper one.
func TestCheaperHasFewerWaitsForEachPlace(t *testing.T) {
	concurrent, err := ringline.trace(seen(command, delivered, claimAnn, claimBob, "_INBOX.w.3", "_INBOX.w.4", commit, "_INBOX.w.5", ack))
	if err != nil {
		t.Fatal(err)
	}
	delayed, err := ringline.trace(seen(command, delivered, claimAnn, "_INBOX.w.3", claimBob, commit, "_INBOX.w.4", "_INBOX.w.5", ack))
	if err != nil {
		t.Fatal(err)
	}
	if concurrent.waits() != delayed.waits() || !concurrent.cheaper(delayed) || delayed.cheaper(concurrent) {
		t.Errorf("%d and %d waits; cheaper: %v, %v", concurrent.waits(), delayed.waits(), concurrent.cheaper(delayed), delayed.cheaper(concurrent))
	}
}

func TestTraceRefusesOtherMessages(t *testing.T) {
	for _, lines := range [][]string{{}, {pull}, {commit}, {command, command}} {
		if x, err := ringline.trace(seen(lines...)); err == nil {
			t.Errorf("%v gives %+v", lines, x)
		}
	}
	if _, err := bare.trace(seen(command)); err == nil {
		t.Error("the floor takes a command of Ringline's for its own")
	}
}

// Concurrent traffic of other apps does not count, whatever its subjects look like.
func TestTraceWithConcurrentCalls(t *testing.T) {
	own := []string{command, delivered, readAnn, claimAnn, commit, notify, answer, ack}
	want, err := ringline.in("demo").trace(seen(own...))
	if err != nil {
		t.Fatal(err)
	}
	var mixed []string
	for i, line := range own {
		others := strings.NewReplacer("demo", "other", "c1", "demo", "ann", "demo", "COMMANDS.coordinators.1", "COMMANDS.coordinators.2",
			"_INBOX.", "_INBOX.other").Replace(line)
		mixed = append(mixed, others, line)
		if i == 0 {
			mixed = append(mixed, "$JS.API.DIRECT.GET.RINGLINE_CALLS.ringline.other.call.demo _INBOX.other.9")
		}
	}
	got, err := ringline.in("demo").trace(seen(mixed...))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.all) != len(want.all) || got.waits() != want.waits() || !got.isWhole() != !want.isWhole() {
		t.Errorf("with concurrent calls it is %+v\nwant %+v", got.all, want.all)
	}
}

// exceeds detects a floor that does more than Ringline.
func TestExceeds(t *testing.T) {
	product := Counted{"invite": {"CALLS": {Messages: 2, Bytes: 100, Waits: 1}}}
	for says, low := range map[string]Counted{
		"":           {"invite": {"CALLS": {Messages: 2, Bytes: 200, Waits: 1}}},
		"3 messages": {"invite": {"CALLS": {Messages: 3, Waits: 1}}},
		"2 waits":    {"invite": {"CALLS": {Messages: 2, Waits: 2}}},
		"TIMERS":     {"invite": {"TIMERS": {Messages: 1}}},
		"ring":       {"ring": {"CALLS": {Messages: 1}}},
	} {
		err := low.exceeds(product)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", low, err, says)
		}
	}
}

// The floor repeats an observed command for another call, with that call's ids, users and sequences.
func TestPlan(t *testing.T) {
	messages := seen(command, delivered, "_INBOX.client.1", claimAnn, "_INBOX.w.3", commit, "_INBOX.w.5", notify, answer, ack)
	messages[3].Header.Set(jetstream.ExpectedLastSubjSeqHeader, "7")
	x, err := ringline.trace(messages)
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPlan(x, step{call: &played{id: "c1", users: []string{"ann", "bob"}}})
	if err != nil {
		t.Fatal(err)
	}
	e := errand{plan: p, call: &played{id: "c9", users: []string{"eve", "joe"}}, answer: "token.5"}
	var got []string
	for _, o := range p.ops {
		got = append(got, e.subject(o.subject))
	}
	want := "$KV.BASELINE_LINES.demo.eve baseline.demo.call.c9 baseline.demo.user.joe baseline.demo.answer.token.5 " +
		"$JS.ACK.BASELINE_COMMANDS.coordinators.1"
	if strings.Join(got, " ") != want {
		t.Errorf("it sends to\n%v\nwant\n%s", got, want)
	}
	if h := e.headers(p.ops[0], 42); h.Get(jetstream.ExpectedLastSubjSeqHeader) != "42" {
		t.Errorf("it expects %v", h)
	}
	e.by = 1 // the plan's caller operations now belong to the callee
	if got := e.subject(p.ops[0].subject); got != "$KV.BASELINE_LINES.demo.joe" {
		t.Errorf("as the callee it sends to %s", got)
	}
}

func TestEventOfMessages(t *testing.T) {
	for body, want := range map[string]string{
		`{"event":"call_ended","id":"x"}`: "call_ended", `{"id":"x","event":"call_ended"}`: "", `{"event":"`: "", "": "",
	} {
		if got := eventOf([]byte(body)); string(got) != want {
			t.Errorf("%s is %q", body, got)
		}
	}
	for body, says := range map[string]string{
		`{"command_id":"k","ok":true,"call":{}}`:                                     "",
		`{"command_id":"k","ok":false,"error":{"code":"caller_busy","message":"m"}}`: "caller_busy: m",
		`{"ok":false}`: "without an error", `x`: "invalid",
	} {
		err := isOK([]byte(body))
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", body, err, says)
		}
	}
}
