package check_test

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/check"
	"ringline.io/ringline/tests/faults/record"
	"ringline.io/ringline/worker/call"
)

var manySeeds = flag.Uint64("seeds", 0, "how many random runs are checked; 0: some")

// seeds returns the number of random runs: n, unless a flag overrides it.
func seeds(n uint64) uint64 {
	switch {
	case *manySeeds > 0:
		return *manySeeds
	case testing.Short():
		return n / 5
	}
	return n
}

// A correct Ringline violates no rule, whatever commands users send and whatever is lost.
func TestRightRunsHaveNoViolations(t *testing.T) {
	t.Parallel()
	looked := map[string]int{}
	for seed := range seeds(100) {
		report := check.Check(randomRun(t, seed, 120), check.DefaultBounds())
		for _, v := range report.Violations {
			t.Errorf("seed %d: %s %s: %s", seed, v.Check, v.CallID, v.Text)
		}
		if t.Failed() {
			return
		}
		for _, f := range report.Figures {
			looked[f.Check] += f.Looked
			for _, p := range f.Parts {
				looked[f.Check+", "+p.Name] += int(p.Value)
			}
		}
	}
	if testing.Short() {
		return // too few runs to cover everything
	}
	names := slices.DeleteFunc(check.Names(), func(name string) bool { return name == "slowed" }) // there are no links
	for _, name := range append(names, "linearizable, answer ok", "linearizable, answer call_ended", "linearizable, answer not_found",
		"linearizable, exempt: not answered", "claims, busy", "claims, merged", "same_answer, repeated commands",
		"notified, exempt: sent while the watcher was disconnected", "notified, exempt: may have been sent while the watcher was disconnected",
		"notified, exempt: an invitation that ended before it was sent again", "history, event timed_out", "history, event ended",
		"deadlines, not reached", "history, event fenced", "history, event added", "lost, not answered, executed", "lost, malformed") {
		if looked[name] == 0 {
			t.Errorf("nothing was checked: %s", name)
		}
	}
}

// player plays a random run.
type player struct {
	*world
	rng     *rand.Rand
	calls   int
	waiting []job // commands to redeliver, ordered by time
	sent    []events.Command
}

type job struct {
	at int64
	d  *delivery
}

// randomRun plays the given number of commands. Faults are active during about half of them.
func randomRun(tb testing.TB, seed uint64, commands int) *record.History {
	tb.Helper()
	p := &player{world: newWorld(tb), rng: rand.New(rand.NewPCG(seed, 1))}
	p.pick = p.rng.IntN
	p.h.Run.Nodes = 1 + 2*p.rng.IntN(2)
	p.limits.Capacity = 1 + p.rng.IntN(4)/3
	p.h.Run.Capacity = p.limits.Capacity
	if seed%2 == 1 { // shorter than the ring timeout
		const reach = 2
		p.limits.Reach, p.h.Run.ReachS = reach*time.Second, reach
	}
	p.planFaults()
	for range commands {
		p.step()
	}
	end := p.now + (longest+5)*second
	if seed%4 == 0 {
		end = max(p.now, p.healed()) + 21*second // some calls are still open at the end
	}
	for p.now < end || len(p.waiting) > 0 {
		p.advance(int64(p.rng.IntN(200)) * ms)
	}
	h := p.rest()
	for _, c := range h.Rest.Calls {
		h.Rest.Events = append(h.Rest.Events, record.Stored{Subject: "ringline.demo.events", Seq: c.Seq, At: c.At, Data: c.Data})
	}
	h.Run.Healed = p.healed()
	h.Run.Stopped = max(h.Run.Stopped, h.Run.Healed)
	return h
}

// planFaults adds random faults in the first minute, and disconnects watchers during some of them.
func (p *player) planFaults() {
	for at := began + second; at < began+60*second; at += int64(p.rng.IntN(9)+1) * second {
		to := at + int64(p.rng.IntN(3000)+1)*ms
		p.h.Faults = append(p.h.Faults, record.Fault{Kind: "kill", Target: "coordinator-1", From: at, To: to})
		if p.rng.IntN(3) == 0 {
			p.h.Gaps = append(p.h.Gaps, record.Gap{Watcher: p.rng.IntN(2), From: at, To: to})
		}
		if p.rng.IntN(5) == 0 {
			p.h.Gaps = append(p.h.Gaps, record.Gap{Watcher: 0, From: at, To: to}, record.Gap{Watcher: 1, From: at, To: to})
		}
	}
}

func (p *player) healed() int64 {
	last := began
	for _, f := range p.h.Faults {
		last = max(last, f.To)
	}
	return last
}

// advance lets time pass, expires deadlines that come due, and redelivers commands.
func (p *player) advance(ns int64) {
	for end := p.now + ns; p.now < end; {
		p.now += min(10*ms, end-p.now)
		for _, d := range p.due() {
			if p.broken() && p.rng.IntN(4) > 0 {
				continue // it comes later
			}
			x, again := p.expire(d.CallID, d.ID())
			p.later(x, again)
		}
		for len(p.waiting) > 0 && p.waiting[0].at <= p.now {
			next := p.waiting[0]
			p.waiting = p.waiting[1:]
			p.later(next.d, p.handle(next.d))
		}
	}
}

func (p *player) later(d *delivery, at int64) {
	if at == 0 {
		return
	}
	p.waiting = append(p.waiting, job{at, d})
	slices.SortStableFunc(p.waiting, func(a, b job) int { return cmp.Compare(a.at, b.at) })
}

// step sends one command, and schedules its handling. Sometimes it sends an earlier command again.
func (p *player) step() {
	p.advance(int64(p.rng.IntN([]int{5, 400, 1500}[p.rng.IntN(3)])) * ms)
	if p.rng.IntN(40) == 0 {
		p.unreadable()
	}
	cmd := p.draw()
	if len(p.sent) > 0 && p.rng.IntN(8) == 0 {
		cmd = p.sent[max(0, len(p.sent)-1-p.rng.IntN(6))]
	}
	p.sent = append(p.sent, cmd)
	d := p.send(cmd)
	if p.rng.IntN(10) == 0 {
		s := &p.h.Sent[d.n]
		s.Acked, s.Failed = 0, "timeout"
		if p.rng.IntN(2) == 0 {
			return // it was never stored
		}
	}
	p.later(d, p.now+p.delay())
}

// delay returns how long a command waits for a coordinator.
func (p *player) delay() int64 {
	if p.broken() && p.rng.IntN(3) == 0 {
		return int64(p.rng.IntN(9000)) * ms
	}
	return int64(p.rng.IntN(30)) * ms
}

func (p *player) unreadable() {
	body := fmt.Sprintf(`{"command_id":"k%d"}`, p.rng.IntN(3))
	at := p.tick()
	p.h.Sent = append(p.h.Sent, record.Sent{
		N: len(p.h.Sent), Via: record.Subject, App: "demo", CallID: "c1", Verb: "end", Body: body, Bad: true, At: at, Acked: p.tick(),
	})
	p.h.Rest.Rejected = append(p.h.Rest.Rejected, record.Stored{Subject: "ringline.demo.rejected.end", At: p.tick(), Data: body})
}

var people = []string{"ann", "bob", "eve", "gil", "dan", "ivo"}

// draw returns a command for a new call, or for one of the last calls.
func (p *player) draw() events.Command {
	who := func() string { return people[p.rng.IntN(len(people))] }
	if p.calls == 0 || p.rng.IntN(4) == 0 {
		p.calls++
		return p.invitation(fmt.Sprintf("c%d", p.calls), who())
	}
	id := fmt.Sprintf("c%d", p.calls-min(p.calls-1, p.rng.IntN(4)))
	verbs := []events.Verb{
		events.VerbRing, events.VerbRing, events.VerbAccept, events.VerbAccept, events.VerbAccept, events.VerbDecline,
		events.VerbCancel, events.VerbLeave, events.VerbEnd, events.VerbAdd, events.VerbAdd,
	}
	cmd := p.command(id, verbs[p.rng.IntN(len(verbs))], who())
	if in := present(p.newest(id).Call); cmd.Verb == events.VerbLeave && len(in) > 0 && p.rng.IntN(2) == 0 {
		cmd.UserID = in[p.rng.IntN(len(in))]
	}
	if p.rng.IntN(9) == 0 {
		cmd.CallID = fmt.Sprintf("c%d", p.calls+1) // does not exist yet
	}
	if cmd.Verb == events.VerbAdd {
		cmd.Callees, cmd.RingTimeoutS = []events.Party{{UserID: who()}}, 1+p.rng.IntN(6)
		if also := who(); also != cmd.Callees[0].UserID && p.rng.IntN(2) == 0 {
			cmd.Callees = append(cmd.Callees, events.Party{UserID: also})
		}
	}
	if p.rng.IntN(3) == 0 {
		cmd.DeviceID = "tablet"
	}
	byCallee := slices.Contains([]events.Verb{events.VerbRing, events.VerbAccept, events.VerbDecline, events.VerbLeave}, cmd.Verb)
	if byCallee {
		cmd.Attempt = []int{0, 1, 1, 1, 2}[p.rng.IntN(5)]
	}
	if !byCallee && p.rng.IntN(4) == 0 {
		cmd.UserID, cmd.DeviceID, cmd.Service = "", "", "desk"
	}
	return cmd
}

// present returns the users in the call.
func present(c events.Call) (users []string) {
	if c.CallerIn() {
		users = append(users, c.Caller.UserID)
	}
	for _, x := range c.Callees {
		if x.State == events.StateAccepted {
			users = append(users, x.UserID)
		}
	}
	return users
}

// invitation invites random users. Often it crosses another invitation.
func (p *player) invitation(id, caller string) events.Command {
	if p.rng.IntN(3) == 0 {
		for _, other := range p.ids {
			c := p.newest(other).Call
			for _, x := range c.Callees {
				if x.Pending() && c.CallerIn() {
					return p.ringing(p.invite(id, x.UserID, c.Caller.UserID))
				}
			}
		}
	}
	var callees []string
	for _, u := range p.rng.Perm(len(people))[:1+p.rng.IntN(3)] {
		if people[u] != caller {
			callees = append(callees, people[u])
		}
	}
	if len(callees) == 0 {
		callees = []string{"hal"}
	}
	return p.ringing(p.invite(id, caller, callees...))
}

func (p *player) ringing(cmd events.Command) events.Command {
	cmd.RingTimeoutS = 1 + p.rng.IntN(8)
	return cmd
}

// handle handles a command. With several brokers, the answer to a remembered command may carry an older state
// of the call.
func (p *player) handle(d *delivery) int64 {
	steps := p.stored[d.cmd.CallID]
	if p.h.Run.Nodes > 1 && len(steps) > 1 && p.rng.IntN(2) == 0 {
		old := steps[len(steps)-2].Transition
		if k, remembered := call.Decide(old, d.cmd, call.Input{Limits: p.limits}).(call.Keep); remembered && k.Made > 0 {
			d.delivered++
			return p.carryOut(d, old, k)
		}
	}
	return p.world.handle(d)
}
