package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// begins is the time at which every world begins.
func begins() time.Time { return time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC) }

const (
	app      = "demo"
	forgets  = 24 * time.Hour // after its last transition, when the server forgets a call
	tooLate  = 62 * time.Second
	duration = 12 * time.Hour
)

// history is a call with all of its transitions, from sequence 1 on.
type history struct {
	id      string
	log     []events.Transition
	written []time.Time
	made    events.Command // the invitation
	merged  map[int]bool   // the transitions that another invitation made, which was merged into this call
}

// last is the newest transition, zero if there is none.
func (h *history) last() events.Transition { return h.at(len(h.log)) }

// at is the transition of this sequence.
func (h *history) at(seq int) events.Transition {
	if seq == 0 {
		return events.Transition{}
	}
	return h.log[seq-1]
}

func (h *history) open() bool { return len(h.log) > 0 && h.last().Call.State != events.CallStateEnded }

// happening is the result of one command: the notifications, and the answer to its sender. seqs has the version of each
// call of the world at that time.
type happening struct {
	at       time.Time
	call     *history
	notifies int // the sequence of the transition whose notifications are sent, or sent again; 0: none
	answer   *answered
	seqs     []int
}

// answered is an answer to a device. seq is the version of the call in it, 0 if it has none.
type answered struct {
	user, device string
	verb         events.Verb
	answer       events.Answer
	call         *history
	seq          int
}

// world is a cast of users, the calls between them, and what happened.
type world struct {
	r      *rand.Rand
	theme  theme
	limits call.Limits
	now    time.Time
	calls  []*history
	sent   []events.Command
	lags   map[string]time.Duration // how late each deadline fires
	past   []happening
}

func newWorld(th theme, r *rand.Rand) *world {
	w := &world{r: r, theme: th, now: begins(), lags: map[string]time.Duration{}}
	w.limits = call.Limits{
		RingTimeout: pick[time.Duration](r, 15, 30, 60) * time.Second, MaxCallees: 4, MaxDuration: duration, Capacity: pick(r, 1, 1, 1, 2),
	}
	if r.IntN(3) == 0 {
		w.limits.MaxDuration = 90 * time.Second
	}
	return w
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func (w *world) chance(p float64) bool { return w.r.Float64() < p }

// newCall makes room for a call that has no invitation yet.
func (w *world) newCall() *history {
	h := &history{id: fmt.Sprintf("c%d", len(w.calls)+1), merged: map[int]bool{}}
	w.calls = append(w.calls, h)
	return h
}

// openCalls lists the calls that have not ended.
func (w *world) openCalls() []*history {
	return slices.DeleteFunc(slices.Clone(w.calls), func(h *history) bool { return !h.open() })
}

// do encodes a command, reads it back, and takes it through the coordinator's steps.
func (w *world) do(h *history, cmd events.Command, waited time.Duration) {
	cmd.App, cmd.CallID = app, h.id
	if cmd.CommandID == "" {
		cmd.CommandID = fmt.Sprintf("k%d", len(w.sent)+1)
	}
	body, err := cmd.Encode()
	must(err)
	read, refused := events.ReadCommand(cmd.CommandAddress, body)
	if refused != nil {
		panic(refused)
	}
	w.sent = append(w.sent, read)
	if read.Verb == events.VerbInvite && len(h.log) == 0 {
		h.made = read
	}
	at := w.now
	w.now = w.now.Add(waited)
	w.handle(h, read, call.Input{At: at, Now: w.now, Limits: w.limits})
}

// handle decides a command, records its notifications, and continues with the first call if the command was merged.
func (w *world) handle(h *history, cmd events.Command, in call.Input) {
	in.Claimed = w.claim(h, cmd, in)
	o := call.Decide(h.last(), cmd, in)
	_, refused := o.(call.Refuse)
	if g := call.Merged(h.last()); g != nil && !refused && cmd.Verb == events.VerbInvite {
		w.join(cmd, *g, in)
		return
	}
	if wr, ok := o.(call.Write); ok {
		w.write(h, wr)
		if g := call.Merged(h.last()); g != nil {
			w.record(h, 0, nil)
			w.join(cmd, *g, in)
			return
		}
	}
	w.recordOutcome(h, cmd, o)
}

// join applies a merged invitation to the call that it met.
func (w *world) join(cmd events.Command, g call.Glare, in call.Input) {
	i := slices.IndexFunc(w.calls, func(h *history) bool { return h.id == g.CallID })
	first := w.calls[i]
	o := call.Join(first.last(), cmd, g, in)
	if wr, ok := o.(call.Write); ok {
		w.write(first, wr)
		first.merged[len(first.log)] = true
	}
	w.recordOutcome(first, cmd, o)
}

// write stores a transition as a reader of the stream decodes it.
func (w *world) write(h *history, wr call.Write) {
	body, err := wr.Transition.Encode(wr.At)
	must(err)
	read, _, err := events.ReadTransition(app, h.id, body)
	must(err)
	h.log, h.written = append(h.log, read), append(h.written, w.now)
}

// recordOutcome records the outcome of a command.
func (w *world) recordOutcome(h *history, cmd events.Command, o call.Outcome) {
	switch o := o.(type) {
	case call.Write:
		w.record(h, h.last().Seq, w.answer(h, cmd, h.last().Seq, o.Err))
	case call.Keep:
		w.record(h, o.Made, w.answer(h, cmd, o.Made, nil))
	case call.Refuse:
		w.record(h, 0, w.answer(h, cmd, 0, o.Err))
	case call.Wait: // it is redelivered
	}
}

func (w *world) record(h *history, notifies int, a *answered) {
	seqs := make([]int, len(w.calls))
	for i, c := range w.calls {
		seqs[i] = len(c.log)
	}
	w.past = append(w.past, happening{at: w.now, call: h, notifies: notifies, answer: a, seqs: seqs})
}

// answer returns the answer that the coordinator sends to a command that made the transition made, or none if it is 0. There is
// no answer if a service sent the command.
func (w *world) answer(h *history, cmd events.Command, made int, why *events.Error) *answered {
	if cmd.UserID == "" {
		return nil
	}
	a := events.Answer{CommandID: cmd.CommandID, OK: why == nil, Error: why}
	if made > 0 {
		a.Refused = call.Refused(cmd, h.log[made-1])
	}
	now, seq := h.last().Call, 0
	if why == nil || now.Has(cmd.UserID) && now.EndReason != events.EndFailed {
		seen := now.For(cmd.UserID)
		a.Call, seq = &seen, now.Seq
	}
	return &answered{user: cmd.UserID, device: cmd.DeviceID, verb: cmd.Verb, answer: a, call: h, seq: seq}
}

// claim returns the result of a command's claims, with no concurrent claims.
func (w *world) claim(h *history, cmd events.Command, in call.Input) (got call.Claimed) {
	for _, u := range slices.Sorted(slices.Values(call.Claims(call.Decide(h.last(), cmd, in), cmd))) {
		on := w.line(u, h)
		for _, c := range on {
			if g := call.FindGlare(cmd, c.last().Call); g != nil {
				return call.Claimed{Glare: g}
			}
		}
		switch {
		case len(on) < w.limits.Capacity:
		case u == cmd.UserID:
			return call.Claimed{CallerBusy: true}
		default:
			got.Busy = append(got.Busy, u)
		}
	}
	return got
}

// line lists the calls that a user is in, except one.
func (w *world) line(user string, but *history) []*history {
	return slices.DeleteFunc(slices.Clone(w.calls), func(h *history) bool {
		return h == but || len(h.log) == 0 || !h.last().Call.On(user)
	})
}

// pass advances the time. Deadlines that expire in between fire a little late.
func (w *world) pass(d time.Duration) {
	until := w.now.Add(d)
	for {
		h, due, id := w.nextDue(until)
		if h == nil {
			break
		}
		w.now = later(due, w.now.Add(time.Millisecond))
		w.do(h, events.Command{
			CommandAddress: events.CommandAddress{Verb: events.VerbExpire}, Service: events.ServiceTimeouts,
			CommandID: events.ExpireID(h.id, id),
		}, 0)
	}
	w.now = later(until, w.now.Add(time.Millisecond))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// nextDue finds the deadline that expires first, up to a time.
func (w *world) nextDue(by time.Time) (first *history, at time.Time, id events.DeadlineID) {
	for _, h := range w.calls {
		for _, d := range call.Deadlines(h.last()) {
			due := d.At.Time().Add(w.lag(h, d.Seq))
			if !due.After(by) && (first == nil || due.Before(at)) {
				first, at, id = h, due, d.DeadlineID
			}
		}
	}
	return first, at, id
}

func (w *world) lag(h *history, seq int) time.Duration {
	key := events.TransitionID(h.id, seq)
	if _, drawn := w.lags[key]; !drawn {
		w.lags[key] = time.Duration(w.r.IntN(250)) * time.Millisecond
		if w.chance(0.2) {
			w.lags[key] = time.Duration(w.r.IntN(8500)) * time.Millisecond
		}
	}
	return w.lags[key]
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
