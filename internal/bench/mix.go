package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"ringline.io/ringline/events"
)

// Mix names the kinds of calls that a benchmark plays.
type Mix string

// The mixes.
const (
	MixAnswered Mix = "answered" // one callee, who rings and accepts; the caller ends the call
	MixOutcomes Mix = "outcomes" // of 20 calls, 10 are answered, 3 declined, 3 canceled, 2 busy and 2 time out
	MixGroups   Mix = "groups"   // one caller and eight callees: six accept, two decline
	MixTimeouts Mix = "timeouts" // no callee answers, for 1 s
)

// Mixes lists the mixes.
func Mixes() []Mix { return []Mix{MixAnswered, MixOutcomes, MixGroups, MixTimeouts} }

// Size is the number of users in a call of the mix.
func (m Mix) Size() int {
	switch m {
	case MixGroups:
		return 9
	case MixOutcomes:
		return 3 // the third user calls a busy callee
	case MixAnswered, MixTimeouts:
	}
	return 2
}

// counted is the number of calls in a census: enough to observe each command undisturbed once.
func (m Mix) counted() int {
	switch m {
	case MixGroups:
		return 4 // each has eight callees that ring
	case MixTimeouts:
		return 5 // each takes 1 s
	case MixAnswered, MixOutcomes:
	}
	return 20 // one full cycle of outcomes
}

// player plays calls on a stage and measures their times.
type player struct {
	stage stage
	app   string
	mix   Mix
	times *times
}

// play plays call number n of its mix. due is the time at which it was due; zero means now.
func (p player) play(ctx context.Context, n int, c *played, due time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if due.IsZero() {
		due = time.Now()
	}
	x := scene{player: p, call: c, due: due}
	switch p.mix {
	case MixAnswered:
		return x.answered(ctx)
	case MixOutcomes:
		return x.outcome(ctx, n%20)
	case MixGroups:
		return x.group(ctx)
	case MixTimeouts:
		return x.unanswered(ctx)
	}
	return fmt.Errorf("bench: unknown mix %q", p.mix)
}

// scene is one call while it is played.
type scene struct {
	player

	call *played
	due  time.Time
}

// act sends a command of one user of the call.
func (x scene) act(ctx context.Context, name string, by int, cmd events.Command) error {
	cmd.App, cmd.UserID, cmd.CommandID = x.app, x.call.users[by], fmt.Sprintf("%s-%d", cmd.Verb, by)
	if cmd.CallID == "" {
		cmd.CallID = x.call.id
	}
	begun := time.Now()
	if err := x.stage.send(ctx, step{name: name, call: x.call, by: by, cmd: cmd}); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	x.times.command.add(time.Since(begun))
	return nil
}

func (x scene) verb(ctx context.Context, name string, by int, v events.Verb) error {
	return x.act(ctx, name, by, events.Command{CommandAddress: events.CommandAddress{Verb: v}})
}

// invite rings the callees, and measures the time until each of them has its notification.
func (x scene) invite(ctx context.Context, name string, callees []int, timeout int) error {
	cmd := events.Command{CommandAddress: events.CommandAddress{Verb: events.VerbInvite}, RingTimeoutS: timeout}
	for _, i := range callees {
		cmd.Callees = append(cmd.Callees, events.Party{UserID: x.call.users[i]})
	}
	for _, e := range x.call.inboxes { // drop notifications of an earlier call
		for len(e) > 0 {
			<-e
		}
	}
	sent := make(chan error, 1)
	go func() { sent <- x.act(ctx, name, 0, cmd) }()
	for _, i := range callees {
		h, err := x.call.inboxes[i].await(ctx, events.IncomingCallReceived)
		if err != nil {
			return fmt.Errorf("%w; %w", err, <-sent)
		}
		x.times.ring.add(h.at.Sub(x.due))
	}
	return <-sent
}

// then sends a command, and measures the time until the listener has the notification.
func (x scene) then(ctx context.Context, name string, by int, v events.Verb, listener int, event events.Kind) error {
	begun := time.Now()
	sent := make(chan error, 1)
	go func() { sent <- x.verb(ctx, name, by, v) }()
	h, err := x.call.inboxes[listener].await(ctx, event)
	if err != nil {
		return fmt.Errorf("%w; %w", err, <-sent)
	}
	x.times.notified.add(h.at.Sub(begun))
	return <-sent
}

func (x scene) answered(ctx context.Context) error {
	if err := x.invite(ctx, "invite", []int{1}, 0); err != nil {
		return err
	}
	if err := x.then(ctx, "ring", 1, events.VerbRing, 0, events.OutgoingCallRinging); err != nil {
		return err
	}
	if err := x.then(ctx, "accept", 1, events.VerbAccept, 0, events.OutgoingCallAccepted); err != nil {
		return err
	}
	return x.then(ctx, "end", 0, events.VerbEnd, 1, events.CallEnded)
}

// another is the suffix of the id of a second call to a callee of the first.
const another = "-b"

// outcome plays one call of a cycle of 20.
func (x scene) outcome(ctx context.Context, n int) error {
	switch {
	case n < 10:
		return x.answered(ctx)
	case n < 18:
	default:
		return x.unanswered(ctx)
	}
	if err := x.invite(ctx, "invite", []int{1}, 0); err != nil {
		return err
	}
	switch {
	case n < 13:
		return x.then(ctx, "decline", 1, events.VerbDecline, 0, events.OutgoingCallDeclined)
	case n < 16:
		return x.then(ctx, "cancel", 0, events.VerbCancel, 1, events.IncomingCallCanceled)
	}
	second := events.Command{
		CommandAddress: events.CommandAddress{CallID: x.call.id + another, Verb: events.VerbInvite},
		Callees:        []events.Party{{UserID: x.call.users[1]}},
	}
	third := x
	third.call = &played{id: second.CallID, users: x.call.users, inboxes: x.call.inboxes}
	if err := third.act(ctx, "invite busy", 2, second); err != nil {
		return err
	}
	return x.then(ctx, "cancel", 0, events.VerbCancel, 1, events.IncomingCallCanceled)
}

// unanswered rings for 2 s, so that the callee's device can confirm on a busy machine too, and measures the time from the deadline to the caller's notification.
func (x scene) unanswered(ctx context.Context) error {
	const rings = 2
	begun := time.Now()
	if err := x.invite(ctx, "invite", []int{1}, rings); err != nil {
		return err
	}
	if err := x.then(ctx, "ring", 1, events.VerbRing, 0, events.OutgoingCallRinging); err != nil {
		return err
	}
	at, err := x.stage.await(ctx, step{name: stepExpire, call: x.call, by: 0}, events.OutgoingCallTimeout)
	if err == nil {
		x.times.late.add(at.Sub(begun.Add(rings * time.Second)))
	}
	return err
}

func (x scene) group(ctx context.Context) error {
	callees := []int{1, 2, 3, 4, 5, 6, 7, 8}
	if err := x.invite(ctx, "invite 8", callees, 0); err != nil {
		return err
	}
	const accept = 6
	if err := x.all(callees, func(i int) error { return x.verb(ctx, "ring", i, events.VerbRing) }); err != nil {
		return err
	}
	if err := x.verb(ctx, "accept first", 1, events.VerbAccept); err != nil {
		return err
	}
	err := x.all(callees[1:], func(i int) error {
		if i > accept {
			return x.verb(ctx, "decline", i, events.VerbDecline)
		}
		return x.verb(ctx, "accept", i, events.VerbAccept)
	})
	if err != nil {
		return err
	}
	if err := x.verb(ctx, "end", 0, events.VerbEnd); err != nil {
		return err
	}
	for i := 1; i <= accept; i++ {
		if _, err := x.call.inboxes[i].await(ctx, events.CallEnded); err != nil {
			return err
		}
	}
	return nil
}

// all runs act for the users concurrently.
func (x scene) all(users []int, act func(user int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, len(users))
	for i, u := range users {
		wg.Go(func() { errs[i] = act(u) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
