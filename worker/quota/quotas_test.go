package quota_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/quota"
)

var start = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

func command(app string, v events.Verb, user string, callees ...string) events.Command {
	c := events.Command{CommandAddress: events.CommandAddress{App: app, CallID: "c1", Verb: v}, CommandID: "k", UserID: user}
	for _, u := range callees {
		c.Callees = append(c.Callees, events.Party{UserID: u})
	}
	return c
}

func session(c events.Command) events.Command {
	c.Via = events.ViaSession
	return c
}

func alone() int { return 1 }

// site is several coordinators, each with its own count of coordinators.
type site struct {
	quotas []*quota.Quotas
	counts []int
}

func newSite(n, count int) *site {
	s := &site{}
	for range n {
		s.join(count)
	}
	return s
}

func (s *site) join(count int) {
	i := len(s.quotas)
	s.counts = append(s.counts, count)
	s.quotas = append(s.quotas, quota.New(func() int { return s.counts[i] }))
}

// flood sends far more than the setting, to the coordinators in turn, and returns how many commands per second were admitted.
func (s *site) flood(from time.Time, took time.Duration, l quota.Limits, cmd events.Command, bytes, perSecond int) (commands float64) {
	let := 0
	for i := range int(float64(perSecond) * took.Seconds()) {
		at := from.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		if s.quotas[i%len(s.quotas)].Admit(at, l, cmd, bytes) == nil {
			let++
		}
	}
	return float64(let) / took.Seconds()
}

// An app gets its setting, however many coordinators share it. The result is exact while their number is known. It is between
// half and twice the setting while coordinators don't know yet that as many have joined, or that half have left.
func TestSharesOfASetting(t *testing.T) {
	l := quota.LimitsOf(events.AppSettings{CommandsPerS: 600, BytesPerS: 600 << 10})
	cmd := command("demo", events.VerbEnd, "ann")
	for _, x := range []struct {
		name      string
		n, count  int
		low, high float64
	}{
		{"one", 1, 1, 0.99, 1.02},
		{"three", 3, 3, 0.99, 1.02},
		{"eight", 8, 8, 0.98, 1.02},
		{"three have joined three, and none of the six knows", 6, 3, 1.9, 2.01},
		{"four of eight have left", 4, 8, 0.49, 0.52},
	} {
		for what, bytes := range map[string]int{"commands": 1, "bytes": 10 << 10} {
			s := newSite(x.n, x.count)
			s.flood(start, 2*time.Second, l, cmd, bytes, 5000) // drains the initial content of the buckets
			want := 600.0
			if what == "bytes" {
				want = 60
			}
			got := s.flood(start.Add(2*time.Second), 20*time.Second, l, cmd, bytes, 5000) / want
			if got < x.low || got > x.high {
				t.Errorf("%s: %.2f of the setting in %s, want %.2f to %.2f", x.name, got, what, x.low, x.high)
			}
		}
	}
}

// Invitations leave a part of the quota for commands that end calls, and don't affect other apps. Refused commands take
// nothing.
func TestInvitationsLeaveAReserve(t *testing.T) {
	l := quota.LimitsOf(events.AppSettings{CommandsPerS: 100})
	q := quota.New(alone)
	invite := command("demo", events.VerbInvite, "ann", "bob")
	let := 0
	for range 1000 {
		if q.Admit(start, l, invite, 10) == nil {
			let++
		}
	}
	if let != 80 {
		t.Errorf("%d invitations, want 80", let)
	}
	hangUps := 0
	var refusal error
	for range 1000 {
		if refusal = q.Admit(start, l, command("demo", events.VerbEnd, "ann"), 10); refusal == nil {
			hangUps++
		}
	}
	if hangUps != 20 || !strings.Contains(refusal.Error(), "rate_limited: app demo may send 100 commands a second (commands_per_s)") {
		t.Errorf("%d hang-ups, want 20; %v", hangUps, refusal)
	}
	if err := q.Admit(start, l, command("other", events.VerbInvite, "ann", "bob"), 10); err != nil {
		t.Errorf("another app: %v", err)
	}
	for _, v := range []events.Verb{events.VerbExpire, events.VerbDrop} { // sent by Ringline itself
		for range 1000 {
			if err := q.Admit(start, l, command("demo", v, ""), 10); err != nil {
				t.Fatalf("%s: %v", v, err)
			}
		}
	}
}

// An invitation counts once per callee. A command that finds no call counts ten times.
func TestCostOfCommands(t *testing.T) {
	l := quota.LimitsOf(events.AppSettings{CommandsPerS: 1000})
	large := command("demo", events.VerbInvite, "ann")
	for i := range 50 {
		large.Callees = append(large.Callees, events.Party{UserID: fmt.Sprint(i)})
	}
	q := quota.New(alone)
	let := 0
	for range 100 {
		if q.Admit(start, l, large, 10) == nil {
			let++
		}
	}
	if let != 16 { // of the 800 that invitations may take
		t.Errorf("%d invitations of 50, want 16", let)
	}
	q = quota.New(alone)
	for let = 0; q.Admit(start, l, command("demo", events.VerbEnd, "ann"), 10) == nil; let++ {
		q.Settle(start, l, command("demo", events.VerbEnd, "ann"), quota.Done{Admitted: true, Unknown: true, Message: 10})
	}
	if let != 100 {
		t.Errorf("%d hang-ups of unknown calls, want 100", let)
	}
}

// The bytes that commands store count. An app in debt can't send more until the debt is paid.
func TestStoredBytes(t *testing.T) {
	l := quota.LimitsOf(events.AppSettings{BytesPerS: 1 << 20, CommandsPerS: 100_000})
	q := quota.New(alone)
	cmd := command("demo", events.VerbEnd, "ann")
	stored, at := 0, start
	for range 20_000 { // 20 s
		at = at.Add(time.Millisecond)
		if q.Admit(at, l, cmd, 1000) == nil {
			q.Settle(at, l, cmd, quota.Done{Admitted: true, Message: 1000, Stored: 100_000})
			stored += 100_000
		}
	}
	if perSecond := float64(stored) / 20; perSecond < 0.95*(1<<20) || perSecond > 1.15*(1<<20) {
		t.Errorf("%.0f bytes a second, of %d", perSecond, 1<<20)
	}
	if err := q.Admit(at, l, cmd, 1); err == nil || !strings.Contains(err.Error(), "may store 1048576 bytes a second (bytes_per_s)") {
		t.Errorf("%v", err)
	}
}

// One user of client sessions stores at most 100 KB/s, whatever the quota of the app. A backend has no such limit.
func TestBytesOfAUser(t *testing.T) {
	l := quota.LimitsOf(events.AppSettings{BytesPerS: events.MaxBytesPerS, CommandsPerS: 100_000})
	for name, x := range map[string]struct {
		cmd  events.Command
		n    int
		most float64
	}{
		"a session":                        {session(command("demo", events.VerbCancel, "ann")), 1, 100_000},
		"a session over four coordinators": {session(command("demo", events.VerbCancel, "ann")), 4, 100_000},
		"the backend":                      {command("demo", events.VerbCancel, "ann"), 1, 5_300_000},
	} {
		s := newSite(x.n, x.n)
		stored := 0.0
		for i := range 60 * 40 { // 40/s for a minute
			at := start.Add(time.Duration(i) * time.Second / 40)
			if q := s.quotas[i%x.n]; q.Admit(at, l, x.cmd, 4200) == nil {
				q.Settle(at, l, x.cmd, quota.Done{Admitted: true, Message: 4200, Stored: 128 << 10})
				stored += 128 << 10
			}
		}
		if perSecond := stored / 60; perSecond > x.most || perSecond < x.most/2 {
			t.Errorf("%s stores %.0f bytes a second, want at most %.0f", name, perSecond, x.most)
		}
	}
}

// The sessions of a caller may ring the same callee as often per minute as the app allows. Each pair has its own limit.
func TestInvitationsOfAPair(t *testing.T) {
	l := quota.LimitsOf(events.AppSettings{})
	q := quota.New(alone)
	n := 0
	invite := func(at time.Time, callees ...string) error {
		n++
		c := session(command("demo", events.VerbInvite, "ann", callees...))
		c.CommandID = fmt.Sprint(n)
		return q.Admit(at, l, c, 10)
	}
	for i := range 6 {
		if err := invite(start, "bob"); err != nil {
			t.Fatalf("invitation %d: %v", i+1, err)
		}
	}
	err := invite(start.Add(time.Second), "eve", "bob")
	if err == nil || !strings.Contains(err.Error(), "rate_limited: callees[1].user_id") || !strings.Contains(err.Error(), "6 times a minute (pair_invites_per_min)") {
		t.Errorf("the seventh: %v", err)
	}
	for i := range 6 { // the refused command has taken nothing from this pair
		if err := invite(start.Add(2*time.Second), "eve"); err != nil {
			t.Errorf("invitation %d of eve: %v", i+1, err)
		}
	}
	if err := invite(start.Add(11*time.Second), "bob"); err != nil {
		t.Errorf("after ten seconds: %v", err)
	}
	n-- // the same command again
	if err := invite(start.Add(11*time.Second), "bob"); err != nil {
		t.Errorf("sent again: %v", err)
	}
	for range 20 {
		if err := q.Admit(start, l, command("demo", events.VerbInvite, "ann", "bob"), 10); err != nil {
			t.Fatalf("the backend: %v", err)
		}
	}
}

// The commands of an app that wait for their invitations occupy a limited number of places of the consumer.
func TestWaitingCommandsAreBounded(t *testing.T) {
	l := quota.LimitsOf(events.AppSettings{})
	q := quota.New(alone)
	cmd := command("demo", events.VerbCancel, "ann")
	taken := 0
	for i := range 5000 { // within a second
		if q.Wait(start.Add(time.Duration(i)*time.Second/5000), l, cmd) == nil {
			taken++
		}
	}
	if taken < 50 || taken > 61 {
		t.Errorf("%d places, want 50 and 10 a second", taken)
	}
	if err := q.Wait(start.Add(time.Second), l, command("other", events.VerbCancel, "ann")); err != nil {
		t.Errorf("another app: %v", err)
	}
}

// The memory is bounded. A user who returns after a while has a full bucket.
func TestMemoryIsBounded(t *testing.T) {
	l := quota.LimitsOf(events.AppSettings{CommandsPerS: events.MaxCommandsPerS, BytesPerS: events.MaxBytesPerS})
	q := quota.New(alone)
	for i := range 300_000 {
		at := start.Add(time.Duration(i) * time.Microsecond)
		if err := q.Admit(at, l, session(command("demo", events.VerbInvite, fmt.Sprint("u", i), "bob")), 1); err != nil {
			t.Fatal(err)
		}
	}
	if most := quota.Kept(q); most > 500_000 {
		t.Errorf("%d entries are kept", most)
	}
}

// A raised setting takes effect at once, also for invitations, which must leave a part of the larger bucket.
func TestRaisedSetting(t *testing.T) {
	t.Parallel()
	q := quota.New(alone)
	invite := command("demo", events.VerbInvite, "ann", "bob")
	before, after := quota.LimitsOf(events.AppSettings{}), quota.LimitsOf(events.AppSettings{CommandsPerS: 1_000_000, BytesPerS: 1 << 30})
	if bad := q.Admit(start, before, invite, 100); bad != nil {
		t.Fatal(bad)
	}
	if bad := q.Admit(start.Add(time.Millisecond), after, invite, 100); bad != nil {
		t.Error(bad)
	}
}

// Invitations in flight leave the reserve of each bucket. An admitted invitation is charged the maximum cost, and receives the
// unused part back.
func TestReserveIsKept(t *testing.T) {
	t.Parallel()
	large := command("demo", events.VerbInvite, "ann")
	for i := range events.MaxCallees {
		large.Callees = append(large.Callees, events.Party{UserID: fmt.Sprint(i)})
	}
	hangUp := command("demo", events.VerbEnd, "eve")
	for _, s := range []events.AppSettings{
		{CommandsPerS: 50, BytesPerS: events.MaxBytesPerS}, {CommandsPerS: events.MaxCommandsPerS, BytesPerS: 100_000},
	} {
		for _, coordinators := range []int{1, 8} {
			q, l := quota.New(func() int { return coordinators }), quota.LimitsOf(s)
			let := 0
			for q.Admit(start, l, large, 10_000) == nil {
				let++
			}
			if let == 0 {
				t.Fatalf("%+v: no invitation of %d is admitted", s, events.MaxCallees)
			}
			for range let {
				if bad := q.Admit(start, l, hangUp, 100); bad != nil {
					t.Errorf("%+v, %d coordinators: a hang-up while there are %d invitations: %v", s, coordinators, let, bad)
				}
			}
		}
	}
}

// The unused part of a charge is given back: an invitation that stores little costs little.
func TestSettle(t *testing.T) {
	t.Parallel()
	q, l := quota.New(alone), quota.LimitsOf(events.AppSettings{BytesPerS: 1 << 20, CommandsPerS: 100_000})
	invite := command("demo", events.VerbInvite, "ann", "bob")
	let := 0
	for ; q.Admit(start, l, invite, 200) == nil; let++ {
		q.Settle(start, l, invite, quota.Done{Admitted: true, Message: 200, Stored: 1000})
	}
	if want := (1 << 20) * 8 / 10 / 1000; let < want-5 || let > want+5 {
		t.Errorf("%d invitations of 1,000 bytes fit, want about %d", let, want)
	}
	expire := command("demo", events.VerbExpire, "")
	for range 1000 {
		q.Settle(start, l, expire, quota.Done{Message: 100, Stored: 100_000})
	}
	if bad := q.Admit(start, l, command("demo", events.VerbEnd, "eve"), 100); bad != nil {
		t.Errorf("deadlines are charged to the app: %v", bad)
	}
}

// A user of sessions can't use so much that others of the app can't hang up. That holds even with many commands in flight that
// find no call.
func TestOneUserLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	for _, v := range []events.Verb{events.VerbCancel, events.VerbAccept, events.VerbRing} {
		q, l := quota.New(alone), quota.LimitsOf(events.AppSettings{})
		flood := session(command("demo", v, "mallory"))
		admitted := 0
		refused := 0
		for i := range 10_000 { // 1,000/s
			at := start.Add(time.Duration(i) * time.Millisecond)
			if q.Admit(at, l, flood, 200) == nil {
				admitted++
			}
			if i%20 == 0 && admitted > 0 { // their answers come late, and all at once
				for range admitted {
					q.Settle(at, l, flood, quota.Done{Admitted: true, Unknown: true, Message: 200})
				}
				admitted = 0
			}
			if i%10 == 5 && q.Admit(at, l, session(command("demo", events.VerbEnd, fmt.Sprint("u", i))), 200) != nil {
				refused++
			}
		}
		if refused > 0 {
			t.Errorf("%d hang-ups of others were refused while one user floods with %s", refused, v)
		}
	}
}

// A backlog counts by its stored times. After coordinators were stalled, commands that an app sent within its quota are
// admitted.
func TestBacklog(t *testing.T) {
	t.Parallel()
	q, l := quota.New(alone), quota.LimitsOf(events.AppSettings{CommandsPerS: 500})
	hangUp := command("demo", events.VerbEnd, "ann")
	_ = q.Ask(start.Add(time.Minute), l, hangUp, 100) // the API uses a later time than the backlog
	for i := range 6000 {                             // 200/s for 30 s, handled at once
		if bad := q.Admit(start.Add(time.Duration(i)*5*time.Millisecond), l, hangUp, 100); bad != nil {
			t.Fatalf("command %d: %v", i, bad)
		}
	}
	back := start.Add(-time.Hour) // the broker's clock was set back
	for i := range 1000 {
		if bad := q.Admit(back.Add(time.Duration(i)*5*time.Millisecond), l, hangUp, 100); bad != nil {
			t.Fatalf("command %d after the clock was set back: %v", i, bad)
		}
	}
}
