package bench

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
)

// plan is the operations of the floor for a command, as observed when Ringline handled a command of the same step.
type plan struct {
	command []byte
	request []byte // request to the API, if there was one
	ops     []planned
	waits   int
	call    *played // the call of the observed command
	by      int
}

// planned is one operation of a plan.
type planned struct {
	kind    kind
	level   int
	waits   bool
	subject []string // split into tokens
	header  nats.Header
	expects bool // the write sets an expected last sequence on its subject
	body    []byte
	read    []string // the subject that is read, split into tokens
	after   time.Duration
}

// newPlan creates a plan from a trace.
func newPlan(t trace, s step) (*plan, error) {
	p := &plan{command: t.command.Data, waits: t.waits(), call: s.call, by: s.by}
	for _, o := range t.all {
		if o.kind == kindRequest {
			p.request = o.msg.Data
		}
	}
	for _, o := range t.ops {
		x := planned{
			kind: o.kind, level: o.level, waits: o.reply != nil, subject: rename(o.msg.Subject), body: o.msg.Data,
			header: nats.Header{},
		}
		for name, values := range o.msg.Header {
			x.header[name] = slices.Clone(values)
		}
		x.expects = x.header.Get(jetstream.ExpectedLastSubjSeqHeader) != ""
		if at, ok := strings.CutPrefix(x.header.Get(jetstream.ScheduleHeader), "@at "); ok {
			due, err := time.Parse(time.RFC3339Nano, at)
			if err != nil {
				return nil, fmt.Errorf("bench: a deadline: %w", err)
			}
			x.after = due.Sub(t.at)
			x.header.Set(jetstream.ScheduleTargetHeader, strings.Join(rename(x.header.Get(jetstream.ScheduleTargetHeader)), "."))
		}
		if o.kind == kindLead {
			var what struct {
				LastBySubject string `json:"last_by_subj"`
			}
			if err := json.Unmarshal(o.msg.Data, &what); err != nil || what.LastBySubject == "" {
				return nil, fmt.Errorf("bench: a read that the floor can't do: %s", o.msg.Data)
			}
			x.read = rename(what.LastBySubject)
		}
		p.ops = append(p.ops, x)
	}
	return p, nil
}

// rename converts a subject of Ringline to one of the floor, split into tokens.
func rename(subject string) []string {
	tokens := strings.Split(strings.Replace(subject, ringline.stream, bare.stream, 1), ".")
	for i, t := range tokens { // the subject of a direct read contains the subject that is read
		if t+"." == ringline.subject {
			tokens[i] = strings.TrimSuffix(bare.subject, ".")
		}
	}
	return tokens
}

// errand is a command that the floor has to perform.
type errand struct {
	plan   *plan
	call   *played
	by     int
	answer string // the answer token
	rings  time.Duration
}

// subject converts a subject of the plan to this errand, with its call, users and answer.
func (e errand) subject(tokens []string) string {
	var b strings.Builder
	for i, t := range tokens {
		if i > 0 {
			b.WriteByte('.')
		}
		switch {
		case i == 3 && tokens[2] == "answer":
			b.WriteString(e.answer)
			return b.String()
		case t == e.plan.call.id:
			t = e.call.id
		case t+another == e.plan.call.id:
			t = strings.TrimSuffix(e.call.id, another)
		default:
			if at := slices.Index(e.plan.call.users, t); at >= 0 {
				t = e.call.users[e.as(at)]
			}
		}
		b.WriteString(t)
	}
	return b.String()
}

// as maps a user of the plan to a user of this errand. The senders correspond to each other.
func (e errand) as(user int) int {
	switch user {
	case e.plan.by:
		return e.by
	case e.by:
		return e.plan.by
	}
	return user
}

// headers returns the headers of an operation, with the expected sequence and the due time of this errand.
func (e errand) headers(o planned, last uint64) nats.Header {
	if len(o.header) == 0 {
		return nil
	}
	h := make(nats.Header, len(o.header))
	maps.Copy(h, o.header)
	if o.expects {
		h[jetstream.ExpectedLastSubjSeqHeader] = []string{strconv.FormatUint(last, 10)}
	}
	if o.after > 0 {
		after := o.after
		if e.rings > 0 && after < events.MaxRingTimeoutS*time.Second {
			after = e.rings
		}
		h[jetstream.ScheduleHeader] = []string{"@at " + time.Now().Add(after).UTC().Format(time.RFC3339Nano)}
		h[jetstream.ScheduleTargetHeader] = []string{e.subject(strings.Split(o.header.Get(jetstream.ScheduleTargetHeader), "."))}
	}
	return h
}
