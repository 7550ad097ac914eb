package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
)

// observer records all messages on the broker, during one command at a time.
type observer struct {
	nc   *nats.Conn
	seen chan *nats.Msg
	mu   sync.Mutex // held while a command is observed
}

// observe subscribes to all subjects.
func observe(nc *nats.Conn) (*observer, error) {
	o := &observer{nc: nc, seen: make(chan *nats.Msg, 1<<16)}
	if _, err := nc.ChanSubscribe(">", o.seen); err != nil {
		return nil, fmt.Errorf("bench: observe: %w", err)
	}
	if err := nc.Flush(); err != nil {
		return nil, fmt.Errorf("bench: observe: %w", err)
	}
	return o, nil
}

// How long the observer waits for the messages of a command.
const (
	settles = 5 * time.Second       // until its ack
	quiet   = 25 * time.Millisecond // after the ack, for messages that come through another node
)

// during records the messages while send runs, up to the ack of its command and the messages shortly after. It runs one
// send at a time.
func (o *observer) during(d dialect, send func() error) ([]*nats.Msg, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.seen) > 0 {
		<-o.seen
	}
	if err := send(); err != nil {
		return nil, err
	}
	var all []*nats.Msg
	acks, acked := map[string]int{}, false // by ack subject, in any order: bit 0 the delivery, bit 1 the ack
	patience := time.NewTimer(settles)
	defer patience.Stop()
	for {
		wait := patience.C
		if acked {
			wait = time.After(quiet)
		}
		select {
		case m := <-o.seen:
			all = append(all, m)
			kind, _, belongs := d.classify(m)
			switch {
			case belongs && kind == kindDeliver:
				acks[m.Reply] |= 1
				acked = acked || acks[m.Reply] == 3
			case belongs && kind == kindAck:
				acks[m.Subject] |= 2
				acked = acked || acks[m.Subject] == 3
			}
		case <-wait:
			if !acked {
				return nil, errors.New("bench: a command was not acknowledged")
			}
			return all, nil
		}
	}
}

// kind is the kind of an operation.
type kind string

// The kinds of operations.
const (
	kindSend    kind = "send"    // no reply is expected
	kindWrite   kind = "write"   // to a stream, which acks the publish
	kindRead    kind = "read"    // one message of a stream, from any replica
	kindLead    kind = "lead"    // the same, from the leader
	kindAck     kind = "ack"     // of a command
	kindDeliver kind = "deliver" // of a command, to a worker
	kindRequest kind = "request" // to the API
)

// op is an observed operation: a message, and its reply if one is expected.
type op struct {
	kind  kind
	place string // the stream, or the kind of subject
	msg   *nats.Msg
	reply *nats.Msg // nil if none is expected
	level int       // length of the chain of replies up to this operation, with its own reply; 0 for the command

	began, ended int // positions in the record
}

func (o op) bytes() int {
	n := o.msg.Size()
	if o.reply != nil {
		n += o.reply.Size()
	}
	return n
}

// dialect identifies the messages of Ringline or of the floor. With an app it is limited to that app.
type dialect struct{ subject, stream, app string }

var (
	ringline = dialect{subject: "ringline.", stream: "RINGLINE_"} //nolint:gochecknoglobals // constants
	bare     = dialect{subject: "baseline.", stream: "BASELINE_"} //nolint:gochecknoglobals // constants; as long as ours, so that bytes are the same
)

// in returns the dialect limited to one app.
func (d dialect) in(app string) dialect {
	d.app = app
	return d
}

// concerns reports whether a subject of a call or of a line belongs to the app.
func (d dialect) concerns(subject string) bool {
	rest, ok := strings.CutPrefix(subject, d.subject)
	if !ok {
		if _, rest, ok = strings.Cut(subject, "$KV."+d.stream); ok {
			_, rest, ok = strings.Cut(rest, ".") // the bucket
		}
	}
	return ok && (d.app == "" || strings.HasPrefix(rest, d.app+"."))
}

// classify returns the kind and the place of an operation, or false for a message that does not belong to a command. An
// ack subject does not name the app: match it with its delivery.
func (d dialect) classify(m *nats.Msg) (kind, string, bool) {
	const direct, leader = "$JS.API.DIRECT.GET.", "$JS.API.STREAM.MSG.GET."
	t := strings.Split(m.Subject, ".")
	named := func(s string) (string, bool) {
		return strings.Replace(s, d.stream, "", 1), strings.Contains(s, d.stream)
	}
	switch {
	case strings.HasPrefix(m.Subject, direct):
		where, belongs := named(t[4])
		_, subject, _ := strings.Cut(m.Subject[len(direct):], ".")
		return kindRead, where, belongs && d.concerns(subject)
	case strings.HasPrefix(m.Subject, leader):
		where, belongs := named(t[5])
		var wanted struct {
			Subject string `json:"last_by_subj"`
		}
		err := json.Unmarshal(m.Data, &wanted)
		return kindLead, where, belongs && err == nil && d.concerns(wanted.Subject)
	case strings.HasPrefix(m.Subject, "$JS.ACK."):
		where, belongs := named(t[2])
		return kindAck, where, belongs && where == "COMMANDS"
	case strings.HasPrefix(m.Subject, "$KV."):
		where, belongs := named(t[1])
		return kindWrite, "KV_" + where, belongs && d.concerns(m.Subject)
	case !d.concerns(m.Subject) || len(t) < 4:
		return "", "", false
	}
	delivered := strings.HasPrefix(m.Reply, "$JS.ACK.")
	switch t[2] {
	case "cmd":
		if delivered {
			return kindDeliver, "COMMANDS", true
		}
		return kindWrite, "COMMANDS", true
	case "call":
		return kindWrite, "CALLS", !delivered // the broker makes the copy in the event log
	case "timer":
		if m.Reply == "" {
			return kindSend, "TIMERS", true
		}
		return kindWrite, "TIMERS", true
	case "user", "answer":
		return kindSend, t[2] + "s", true
	case "api":
		return kindRequest, "api", true
	}
	return "", "", false
}

// trace is the operations of one command, in order.
type trace struct {
	at      time.Time
	command *nats.Msg
	ops     []op // without the command and its delivery
	all     []op
}

// waits is the number of sequential replies that a worker waits for.
func (t trace) waits() int {
	n := 0
	for _, o := range t.ops {
		if o.reply != nil {
			n = max(n, o.level)
		}
	}
	return n
}

// waitsByPlace is the total of the sequential waits for each place.
func (t trace) waitsByPlace() int {
	n := 0
	for _, levels := range t.waited() {
		n += len(levels)
	}
	return n
}

// waited returns the levels of the operations with a reply, by place. Those of one level are concurrent.
func (t trace) waited() map[string]map[int]bool {
	waited := map[string]map[int]bool{}
	for _, o := range t.ops {
		if o.reply == nil {
			continue
		}
		if waited[o.place] == nil {
			waited[o.place] = map[int]bool{}
		}
		waited[o.place][o.level] = true
	}
	return waited
}

// bytes is the total size of the messages.
func (t trace) bytes() int {
	n := 0
	for _, o := range t.all {
		n += o.bytes()
	}
	return n
}

// isWhole reports whether the trace is complete. It may not be, because the nodes of a cluster deliver to the observer
// at different speeds.
func (t trace) isWhole() bool {
	delivered, acked := 0, 0
	for _, o := range t.all {
		switch o.kind { //nolint:exhaustive // of the others there may be any number
		case kindDeliver:
			delivered++
		case kindAck:
			acked++
		}
		if o.kind != kindDeliver && o.msg.Reply != "" && o.reply == nil {
			return false
		}
	}
	return delivered == 1 && acked == 1
}

// cheaper reports whether t costs the broker less than u.
func (t trace) cheaper(u trace) bool {
	switch {
	case t.waits() != u.waits():
		return t.waits() < u.waits()
	case t.waitsByPlace() != u.waitsByPlace():
		return t.waitsByPlace() < u.waitsByPlace()
	case len(t.all) != len(u.all):
		return len(t.all) < len(u.all)
	}
	return t.bytes() < u.bytes()
}

// trace finds the operations in the record, and their order: an operation depends on those whose reply came before it
// started.
func (d dialect) trace(seen []*nats.Msg) (trace, error) {
	t := trace{at: time.Now()}
	open := map[string]int{}  // by reply subject: the operation that waits for it
	acks := map[string]bool{} // ack subjects of observed deliveries
	for _, m := range seen {
		if kind, _, belongs := d.classify(m); belongs && kind == kindDeliver {
			acks[m.Reply] = true
		}
	}
	for i, m := range seen {
		if at, ok := open[m.Subject]; ok && t.all[at].reply == nil {
			t.all[at].reply, t.all[at].ended = m, i
			continue
		}
		kind, place, belongs := d.classify(m)
		if !belongs || kind == kindAck && !acks[m.Subject] {
			continue
		}
		o := op{kind: kind, place: place, msg: m, began: i}
		if m.Reply != "" && kind != kindDeliver {
			open[m.Reply] = len(t.all)
		}
		t.all = append(t.all, o)
	}
	if len(t.all) == 0 {
		return t, errors.New("bench: no message of a command was seen")
	}
	for i := range t.all {
		o := &t.all[i]
		if o.kind == kindWrite && o.place == "COMMANDS" {
			if t.command != nil {
				return t, fmt.Errorf("bench: two commands at once: %s and %s", t.command.Subject, o.msg.Subject)
			}
			t.command = o.msg
			continue
		}
		if o.kind == kindDeliver || o.kind == kindRequest {
			continue
		}
		for _, before := range t.ops {
			if before.reply != nil && before.ended < o.began {
				o.level = max(o.level, before.level)
			}
		}
		if o.reply != nil {
			o.level++
		}
		t.ops = append(t.ops, *o)
	}
	if t.command == nil {
		return t, errors.New("bench: no command was seen")
	}
	return t, nil
}

// number is the second part of the command's answer token.
func number(m *nats.Msg) string {
	_, n, _ := strings.Cut(m.Header.Get(events.HeaderAnswer), ".")
	return n
}
