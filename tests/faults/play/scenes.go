package play

import (
	"context"
	"slices"
	"sync"

	"ringline.io/ringline/events"
)

// part is a scene, with its weight in the random choice.
type part struct {
	name   string
	weight int
	play   func(*scene, context.Context)
}

func parts() []part {
	return []part{
		{"answered", 24, (*scene).answered},
		{"declined", 8, (*scene).declined},
		{"canceled", 8, (*scene).canceled},
		{"heels", 6, (*scene).onItsHeels},
		{"early", 6, (*scene).early},
		{"unanswered", 7, (*scene).unanswered},
		{"staggered", 3, (*scene).staggered},
		{"raced", 10, (*scene).raced},
		{"group", 11, (*scene).group},
		{"glare", 12, (*scene).glare},
		{"taken", 6, (*scene).taken},
		{"strangers", 4, (*scene).strangers},
		{"unreadable", 2, (*scene).unreadable},
		{"unknown", 2, (*scene).unknown},
	}
}

// Scenes lists the names of the scenes.
func Scenes() []string {
	var names []string
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return names
}

// play plays a random scene.
func (x *scene) play(ctx context.Context) {
	list := parts()
	if len(x.stage.Only) > 0 {
		list = slices.DeleteFunc(list, func(p part) bool { return !slices.Contains(x.stage.Only, p.name) })
	}
	total := 0
	for _, p := range list {
		total += p.weight
	}
	at := x.draw(total)
	for _, p := range list {
		if at -= p.weight; at < 0 {
			p.play(x, ctx)
			return
		}
	}
}

func (x *scene) invitation(caller string, callees []string, ringS int) events.Command {
	cmd := x.command(events.VerbInvite, caller)
	cmd.UserName, cmd.DeviceID, cmd.CallType, cmd.RingTimeoutS = "Name of "+caller, "phone", events.CallType(x.draw(2)), ringS
	for _, u := range callees {
		cmd.Callees = append(cmd.Callees, events.Party{UserID: u})
	}
	return cmd
}

// saw sets attempt 1 in most cases. Ringline's own clients always set the attempt, and other clients may omit
// it.
func (x *scene) saw(cmd events.Command) events.Command {
	if x.chance(70) {
		cmd.Attempt = 1
	}
	return cmd
}

func (x *scene) from(device string, cmd events.Command) events.Command {
	cmd.DeviceID = device
	return cmd
}

// ringing invites one user, and makes both of the user's devices ring.
func (x *scene) ringing(ctx context.Context, ringS int) (caller, callee string, ok bool) {
	u := x.users(2)
	a := x.send(ctx, x.invitation(u[0], u[1:], ringS))
	if a == nil && x.chance(70) { // nothing happens, and the caller hangs up
		x.send(ctx, x.command(events.VerbCancel, u[0]))
	}
	if a == nil || !a.OK || a.Call.State == events.CallStateEnded {
		return u[0], u[1], false
	}
	if x.chance(70) {
		x.concurrently(ctx, x.from("phone", x.saw(x.command(events.VerbRing, u[1]))), x.from("tablet", x.command(events.VerbRing, u[1])))
	}
	x.pause(ctx, 200)
	return u[0], u[1], true
}

// over ends a call in any state. Rarely it does not, as if all users were gone.
func (x *scene) over(ctx context.Context, caller string) {
	if x.chance(3) {
		return // it ends at its deadline
	}
	end := x.command(events.VerbEnd, caller)
	if x.chance(20) {
		end.UserID, end.Service = "", "desk"
	}
	x.send(ctx, end)
}

func (x *scene) answered(ctx context.Context) {
	caller, callee, ok := x.ringing(ctx, x.stage.RingS)
	if !ok {
		return
	}
	accepts := []events.Command{x.from("phone", x.command(events.VerbAccept, callee))}
	if x.chance(40) {
		accepts = append(accepts, x.from("tablet", x.command(events.VerbAccept, callee)))
	}
	x.concurrently(ctx, accepts...)
	x.pause(ctx, 400)
	if x.chance(50) {
		x.send(ctx, x.command(events.VerbLeave, callee))
	}
	x.over(ctx, caller)
}

func (x *scene) declined(ctx context.Context) {
	_, callee, ok := x.ringing(ctx, x.stage.RingS)
	if !ok {
		return
	}
	cmd := x.from("phone", x.saw(x.command(events.VerbDecline, callee)))
	if x.chance(30) {
		cmd.Reason = events.ReasonBusy
	}
	x.send(ctx, cmd)
}

func (x *scene) canceled(ctx context.Context) {
	if caller, _, ok := x.ringing(ctx, x.stage.RingS); ok {
		x.send(ctx, x.command(events.VerbCancel, caller))
	}
}

func (x *scene) unanswered(ctx context.Context) { x.ringing(ctx, 1+x.draw(4)) }

// staggered leaves a group unanswered. Its members are invited one after another, so their deadlines differ.
func (x *scene) staggered(ctx context.Context) {
	u := x.users(3)
	if a := x.send(ctx, x.invitation(u[0], u[1:2], 1+x.draw(3))); a == nil || !a.OK || a.Call.State == events.CallStateEnded {
		return
	}
	add := x.command(events.VerbAdd, u[0])
	add.Callees, add.RingTimeoutS = []events.Party{{UserID: u[2]}}, 5+x.draw(4)
	x.send(ctx, add)
}

// onItsHeels hangs up before the caller can know that the invitation was handled.
func (x *scene) onItsHeels(ctx context.Context) {
	u := x.users(2)
	hangUp := []events.Verb{events.VerbCancel, events.VerbLeave, events.VerbEnd}[x.draw(3)]
	x.concurrently(ctx, x.invitation(u[0], u[1:], x.stage.RingS), x.command(hangUp, u[0]))
	x.over(ctx, u[0])
}

// early sends a command that needs the call before the invitation.
func (x *scene) early(ctx context.Context) {
	u := x.users(3)
	add := x.command(events.VerbAdd, u[0])
	add.Callees = []events.Party{{UserID: u[2]}}
	first := []events.Command{add, x.command(events.VerbAccept, u[1]), x.command(events.VerbRing, u[1])}[x.draw(3)]
	var wg sync.WaitGroup
	wg.Go(func() { x.send(ctx, first) })
	x.pause(ctx, 30)
	x.send(ctx, x.invitation(u[0], u[1:2], x.stage.RingS))
	wg.Wait()
	x.pause(ctx, 300)
	x.over(ctx, u[0])
}

// raced sends conflicting commands at the same time.
func (x *scene) raced(ctx context.Context) {
	caller, callee, ok := x.ringing(ctx, 1+x.draw(10))
	if !ok {
		return
	}
	x.concurrently(ctx,
		x.from("phone", x.command(events.VerbAccept, callee)), x.command(events.VerbCancel, caller),
		x.from("tablet", x.command(events.VerbDecline, callee)), x.from("web", x.command(events.VerbAccept, callee)))
	x.over(ctx, caller)
}

func (x *scene) group(ctx context.Context) {
	u := x.users(3 + x.draw(6))
	caller, callees := u[0], u[1:]
	later := callees[len(callees)-1]
	a := x.send(ctx, x.invitation(caller, callees[:len(callees)-1], 2+x.draw(15)))
	if a == nil || !a.OK || a.Call.State == events.CallStateEnded {
		return
	}
	var wg sync.WaitGroup
	for _, callee := range callees[:len(callees)-1] {
		wg.Go(func() { x.member(ctx, callee) })
	}
	add := x.command(events.VerbAdd, caller)
	add.Callees = []events.Party{{UserID: later}}
	if x.chance(40) { // callees who are in the call, or ring, are refused
		add.Callees = []events.Party{{UserID: callees[0]}, {UserID: later}, {UserID: caller}}
	}
	add.RingTimeoutS = 1 + x.draw(8)
	x.pause(ctx, 300)
	x.send(ctx, add)
	if x.chance(40) {
		cancel := x.command(events.VerbCancel, caller)
		cancel.Callees = []events.Party{{UserID: callees[0]}, {UserID: later}}
		x.send(ctx, cancel)
		again := x.command(events.VerbAdd, caller)
		again.Callees, again.RingTimeoutS = cancel.Callees[:1], 1+x.draw(8)
		x.send(ctx, again)
		stale := x.from("old", x.command(events.VerbDecline, callees[0])) // from a device that still shows the first attempt
		stale.Attempt = 1
		x.send(ctx, stale)
	}
	x.member(ctx, later)
	wg.Wait()
	x.pause(ctx, 300)
	if x.chance(30) {
		x.send(ctx, x.command(events.VerbLeave, caller))
	}
	x.over(ctx, caller)
}

// member plays one callee of a group.
func (x *scene) member(ctx context.Context, user string) {
	x.send(ctx, x.from("phone", x.command(events.VerbRing, user)))
	x.pause(ctx, 300)
	switch x.draw(5) {
	case 0:
		x.send(ctx, x.saw(x.command(events.VerbDecline, user)))
	case 1:
	case 2:
		x.concurrently(ctx, x.from("phone", x.command(events.VerbAccept, user)), x.from("tablet", x.command(events.VerbAccept, user)))
	default:
		x.send(ctx, x.saw(x.command(events.VerbAccept, user)))
		x.pause(ctx, 300)
		x.send(ctx, x.saw(x.command(events.VerbLeave, user)))
	}
}

// glare makes two users call each other at the same time.
func (x *scene) glare(ctx context.Context) {
	u := x.users(2)
	other := &scene{stage: x.stage, app: x.app, id: x.id + "b", rng: x.split()}
	var wg sync.WaitGroup
	wg.Go(func() { other.send(ctx, other.invitation(u[1], u[:1], x.stage.RingS)) })
	x.send(ctx, x.invitation(u[0], u[1:], x.stage.RingS))
	wg.Wait()
	x.pause(ctx, 300)
	x.over(ctx, u[0])
	other.over(ctx, u[1])
}

// taken answers on one device and takes the call to another, while the first hangs up what it shows.
func (x *scene) taken(ctx context.Context) {
	caller, callee, ok := x.ringing(ctx, x.stage.RingS)
	if !ok {
		return
	}
	seen := func(seq int, cmd events.Command) events.Command { cmd.Seen = seq; return cmd }
	declines := seen(1, x.from("tablet", x.saw(x.command(events.VerbLeave, callee)))) // the tablet does not know yet that the phone answers
	accept := x.from("phone", x.saw(x.command(events.VerbAccept, callee)))
	if x.chance(50) {
		x.concurrently(ctx, accept, declines)
		x.over(ctx, caller)
		return
	}
	a := x.send(ctx, accept)
	if a == nil || !a.OK || a.Call.State != events.CallStateActive {
		return
	}
	x.pause(ctx, 200)
	take := seen(a.Call.Seq, x.from("tablet", x.command(events.VerbTake, callee)))
	x.concurrently(ctx, take, seen(a.Call.Seq, x.from("phone", x.command(events.VerbLeave, callee))))
	x.pause(ctx, 200)
	x.concurrently(ctx, seen(a.Call.Seq, x.from("web", x.command(events.VerbTake, callee))), x.from("web", x.command(events.VerbTake, caller)))
	x.over(ctx, caller)
}

// strangers sends commands that the senders are not allowed to send.
func (x *scene) strangers(ctx context.Context) {
	caller, callee, ok := x.ringing(ctx, x.stage.RingS)
	if !ok {
		return
	}
	verbs := []events.Verb{events.VerbAccept, events.VerbDecline, events.VerbCancel, events.VerbEnd, events.VerbRing, events.VerbLeave, events.VerbTake}
	x.concurrently(ctx, x.from("phone", x.command(verbs[x.draw(len(verbs))], "stranger")), x.command(events.VerbCancel, callee))
	again := x.invitation(caller, []string{callee}, x.stage.RingS) // with an id that is taken
	x.send(ctx, again)
	x.over(ctx, caller)
}

// unreadable sends a malformed command.
func (x *scene) unreadable(ctx context.Context) {
	bodies := []string{`{"command_id":"k1"}`, `garbage`, `{"command_id":"k1","user_id":"u1","colour":"red"}`, ``}
	verbs := slices.DeleteFunc(events.Verbs(), func(v events.Verb) bool { return v.Internal() })
	x.client().sendBad(ctx, x.app, x.id, verbs[x.draw(len(verbs))], bodies[x.draw(len(bodies))])
}

// unknown hangs up a call that does not exist. Sometimes its invitation follows too late.
func (x *scene) unknown(ctx context.Context) {
	u := x.users(2)
	hangUp := []events.Verb{events.VerbCancel, events.VerbLeave, events.VerbEnd}[x.draw(3)]
	x.send(ctx, x.command(hangUp, u[0]))
	if x.chance(50) {
		x.send(ctx, x.invitation(u[0], u[1:], x.stage.RingS))
	}
}
