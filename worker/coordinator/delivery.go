package coordinator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker"
	"ringline.io/ringline/worker/broker"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/meter"
)

// delivery is one delivery of a command.
type delivery struct {
	cmd       events.Command
	subject   string
	body      []byte
	token     string     // where the answer goes; empty: no answer is wanted
	at        time.Time  // when the command was stored
	until     time.Time  // after when a drop does not count, in broker time; zero: it always counts
	seq       uint64     // sequence of the message
	delivered uint64     // number of deliveries, including this one
	last      *time.Time // when the previous step was done
	msg       worker.Msg
	spent     *spent
	conflicts int // how often a commit conflicted; the cause may be an earlier commit of this delivery that succeeded unnoticed
}

// isFirst reports whether no worker can have handled the command before. A recreated consumer restarts its delivery counts, so
// the count of a command that has waited proves nothing.
func (c *Coordinator) isFirst(d delivery) bool {
	const handledBy = time.Second
	return d.handledFirst() && c.now(d).Sub(d.at) < handledBy
}

// now returns the broker time, but never a time before the command was stored.
func (c *Coordinator) now(d delivery) time.Time {
	if now := c.cfg.Clock.Now(); now.After(d.at) {
		return now
	}
	return d.at
}

// handledFirst reports whether the command appears not to have been handled before. A write verifies that guess.
func (d delivery) handledFirst() bool { return d.delivered == 1 && d.conflicts == 0 }

// read parses the command. If it returns an error, the delivery contains the parts that could be parsed.
func read(msg worker.Msg) (delivery, error) {
	now := time.Now()
	d := delivery{subject: msg.Subject(), body: msg.Data(), delivered: 1, last: &now, msg: msg, spent: &spent{}}
	meta, err := msg.Metadata()
	if err != nil {
		return d, events.Errorf(events.CodeInternal, "no JetStream metadata: %v", err)
	}
	d.at, d.seq, d.delivered = meta.Timestamp, meta.Sequence.Stream, meta.NumDelivered
	address, bad := events.ParseCommandSubject(d.subject)
	d.cmd.CommandAddress = address
	if token := msg.Headers().Get(events.HeaderAnswer); token != "" {
		if err := events.CheckAnswerToken(token); err != nil {
			return d, err
		}
		d.token = token
	}
	if bad != nil {
		return d, bad
	}
	if until, err := time.Parse(time.RFC3339, msg.Headers().Get(events.HeaderDeadline)); err == nil {
		d.until = until
	}
	d.cmd, bad = events.ReadCommand(address, d.body)
	return d, bad
}

// reject stores a malformed command on RINGLINE_REJECTED, answers it, and drops it.
func (c *Coordinator) reject(ctx context.Context, d delivery, why error) worker.Exit {
	refusal := events.Refusal(d.cmd.CommandID, why)
	code, message := string(refusal.Error.Code), refusal.Error.Message
	msg := nats.NewMsg(events.RejectedSubject(d.cmd.App, d.cmd.Verb))
	msg.Header.Set(events.HeaderErrorCode, code)
	msg.Header.Set(events.HeaderErrorMessage, message)
	msg.Header.Set(events.HeaderSubject, d.subject)
	msg.Data = d.body[:min(len(d.body), events.MaxRejected)]
	if _, err := broker.Write(ctx, c.nc, msg); err != nil {
		return c.nak(d, fmt.Errorf("store a malformed command: %w", err))
	}
	c.log.Warn().Str("subject", d.subject).Str("code", code).Str("reason", events.WithoutQuotes(events.Message(why))).Msg("command rejected")
	if err := c.answer(d, refusal); err != nil {
		return c.nak(d, err)
	}
	c.count.Rejected(d.cmd.Verb, c.now(d).Sub(d.at))
	return worker.Term(code)
}

// answer sends the answer, if the sender asked for one.
func (c *Coordinator) answer(d delivery, a events.Answer) error {
	if d.token == "" {
		return nil
	}
	b := c.buffers.Get()
	defer c.buffers.Put(b)
	*b = a.Append(*b)
	if err := c.nc.Publish(events.AnswerSubject(d.cmd.App, d.token), *b); err != nil {
		return fmt.Errorf("answer %s: %w", d.subject, err)
	}
	return nil
}

// ok returns the answer with the call as the sender may see it.
func (c *Coordinator) ok(d delivery, now events.Call) events.Answer {
	seen := view(d.cmd, now)
	return events.Answer{CommandID: d.cmd.CommandID, OK: true, Call: &seen}
}

// answerAcked answers a command that is already acked.
func (c *Coordinator) answerAcked(d delivery, a events.Answer) {
	if err := c.answer(d, a); err != nil {
		c.log.Error().Err(err).Msg("an answer could not be published")
	}
	c.done(d, a)
}

// done counts an answered command.
func (c *Coordinator) done(d delivery, a events.Answer) {
	if a.Error == nil {
		c.count.OK(d.cmd.Verb, c.now(d).Sub(d.at))
	} else {
		c.count.Refused(d.cmd.Verb, a.Error.Code, c.now(d).Sub(d.at))
	}
	c.recordStep(d, meter.StepAnswered)
}

// accepted answers ok and acks the command, which made the transition made.
func (c *Coordinator) accepted(d delivery, now events.Call, made events.Transition) worker.Exit {
	a := c.ok(d, now)
	a.Refused = call.Refused(d.cmd, made)
	if err := c.answer(d, a); err != nil {
		return c.nak(d, err)
	}
	c.done(d, a)
	return worker.Ack()
}

// refused acks before it answers, because a refused command must not succeed later. An error that is not
// an *events.Error naks the command, because its text is not for clients.
func (c *Coordinator) refused(d delivery, now events.Call, why error) worker.Exit {
	if _, ok := errors.AsType[*events.Error](why); !ok {
		return worker.Failed(d.delivered, meter.Defect, fmt.Errorf("coordinator: refuse a command: %w", why))
	}
	a := events.Refusal(d.cmd.CommandID, why)
	if now.EndReason != events.EndFailed && (now.Has(d.cmd.UserID) || now.Seq > 0 && d.cmd.Service != "") {
		seen := view(d.cmd, now)
		a.Call = &seen
	}
	return worker.AckThen(func() { c.answerAcked(d, a) })
}

// view returns the call as the sender of the command may see it. Services see all of it.
func view(cmd events.Command, now events.Call) events.Call {
	if cmd.Service != "" {
		return now
	}
	return now.For(cmd.UserID)
}
