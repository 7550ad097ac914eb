package quota

import (
	"hash/maphash"
	"sync"
	"time"

	"ringline.io/ringline/events"
)

// How long what is used no more is kept, and how many of it. What is forgotten is as good as full. A pair's bucket is full
// again after a minute for each coordinator.
const (
	keepApps  = time.Minute
	keepUsers = time.Minute
	keepPairs = 15 * time.Minute
	mostKept  = 100_000
)

// Quotas is what one coordinator enforces.
type Quotas struct {
	share func() int // how many coordinators there are
	seed  maphash.Seed

	mu    sync.Mutex
	apps  *recent[string, app]
	users *recent[uint64, bucket]
	pairs *recent[uint64, pair]
}

// app is what one app has left.
type app struct{ commands, bytes, reads, places bucket }

// pair is what a caller has left for one callee, and the invitation that took something last: sent again it takes nothing.
type pair struct {
	bucket

	last string
}

// New makes the quotas of a coordinator, where share tells how many coordinators there are, itself included.
func New(share func() int) *Quotas {
	return &Quotas{
		share: share, seed: maphash.MakeSeed(), apps: newRecent[string, app](keepApps, mostKept),
		users: newRecent[uint64, bucket](keepUsers, mostKept), pairs: newRecent[uint64, pair](keepPairs, mostKept),
	}
}

func (q *Quotas) coordinators() float64 { return float64(max(1, q.share())) }

// Admit lets a command in, whose message has so many bytes, or says which limit it is above. An expire is always let in.
func (q *Quotas) Admit(now time.Time, l Limits, cmd events.Command, bytes int) *events.Error {
	if cmd.Verb == events.VerbExpire {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.coordinators()
	if refusal := q.room(now, l, cmd, n); refusal != nil {
		return refusal
	}
	x := q.apps.of(cmd.App, now)
	if fromSession(cmd) {
		if refusal := q.admitUser(now, l, cmd, bytes, n); refusal != nil {
			return refusal
		}
	}
	x.commands.left -= cost(cmd)
	x.bytes.left -= float64(bytes)
	return nil
}

// cost is how many commands one counts as: an invitation or add once for each callee, whose line is claimed and released.
func cost(cmd events.Command) float64 {
	if invites(cmd) {
		return float64(max(1, len(cmd.Callees)))
	}
	return 1
}

// Unknown counts a command that was let in and found no call, as often as it costs more than others: it is read at the
// leader, for nothing.
func (q *Quotas) Unknown(now time.Time, l Limits, cmd events.Command) {
	q.mu.Lock()
	defer q.mu.Unlock()
	x := q.apps.of(cmd.App, now)
	x.commands.fill(now, l.commands(q.coordinators()))
	x.commands.left -= unknownCosts - 1
}

// Room says which limit of its app a command is above, and takes nothing.
func (q *Quotas) Room(now time.Time, l Limits, cmd events.Command) *events.Error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.room(now, l, cmd, q.coordinators())
}

func (q *Quotas) room(now time.Time, l Limits, cmd events.Command, n float64) *events.Error {
	x, commands, bytes := q.apps.of(cmd.App, now), l.commands(n), l.bytes(n)
	x.commands.fill(now, commands)
	x.bytes.fill(now, bytes)
	switch {
	case !x.commands.has(commands, invites(cmd)):
		return limited("app %s may send %d commands a second (commands_per_s)%s", cmd.App, l.CommandsPerS, ofInvitations(cmd))
	case !x.bytes.has(bytes, invites(cmd)):
		return limited("app %s may have %d bytes a second stored (bytes_per_s)%s", cmd.App, l.BytesPerS, ofInvitations(cmd))
	}
	return nil
}

// admitUser does the same for who sends from a session.
func (q *Quotas) admitUser(now time.Time, l Limits, cmd events.Command, bytes int, n float64) *events.Error {
	user, s := q.users.of(q.key(cmd.App, cmd.UserID), now), userBytes(n)
	user.fill(now, s)
	if !user.has(s, invites(cmd)) {
		return limited("a user may have %d bytes a second stored by client sessions", userBytesPerS)
	}
	if invites(cmd) {
		if refusal := q.admitPairs(now, l, cmd, n); refusal != nil {
			return refusal
		}
	}
	user.left -= float64(bytes)
	return nil
}

// admitPairs takes one invitation from the caller's pair with each callee, or none where one of them has none left.
func (q *Quotas) admitPairs(now time.Time, l Limits, cmd events.Command, n float64) *events.Error {
	s := l.pair(n)
	for i, p := range cmd.Callees {
		x := q.pairs.of(q.key(cmd.App, cmd.UserID, p.UserID), now)
		x.fill(now, s)
		if x.last != cmd.CommandID && !x.has(s, false) {
			return limited("callees[%d].user_id: a caller may invite the same callee %d times a minute (pair_invites_per_min)", i, l.PairInvitesPerMin)
		}
	}
	for _, p := range cmd.Callees {
		if x := q.pairs.of(q.key(cmd.App, cmd.UserID, p.UserID), now); x.last != cmd.CommandID {
			x.left, x.last = x.left-1, cmd.CommandID
		}
	}
	return nil
}

// Stored counts a transition that a command has made, of which its message was counted when it was let in.
func (q *Quotas) Stored(now time.Time, l Limits, cmd events.Command, message, transition int) {
	more := float64(transition - message)
	if more <= 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.coordinators()
	x := q.apps.of(cmd.App, now)
	x.bytes.fill(now, l.bytes(n))
	x.bytes.left -= more
	if fromSession(cmd) {
		user := q.users.of(q.key(cmd.App, cmd.UserID), now)
		user.fill(now, userBytes(n))
		user.left -= more
	}
}

// Read lets a request of an app in that makes no command which is counted, and counts it so many times; or it says which limit
// the app is above.
func (q *Quotas) Read(now time.Time, l Limits, name string, times int) *events.Error {
	q.mu.Lock()
	defer q.mu.Unlock()
	x, s := q.apps.of(name, now), l.commands(q.coordinators())
	x.reads.fill(now, s)
	if !x.reads.has(s, false) {
		return limited("app %s may send %d requests a second that read (commands_per_s)", name, l.CommandsPerS)
	}
	x.reads.left -= float64(times)
	return nil
}

// Wait takes a place for a command that has to wait for its invitation, or says that its app has none left.
func (q *Quotas) Wait(now time.Time, l Limits, cmd events.Command) *events.Error {
	q.mu.Lock()
	defer q.mu.Unlock()
	x, s := q.apps.of(cmd.App, now), l.places(q.coordinators())
	x.places.fill(now, s)
	if !x.places.has(s, false) {
		return limited("call_id: there is no call %s yet, and too many commands of app %s wait for their calls (commands_per_s)", cmd.CallID, cmd.App)
	}
	x.places.left--
	return nil
}

func invites(cmd events.Command) bool {
	return cmd.Verb == events.VerbInvite || cmd.Verb == events.VerbAdd
}

func ofInvitations(cmd events.Command) string {
	if invites(cmd) {
		return ", of which invitations and adds get 80 %"
	}
	return ""
}

func fromSession(cmd events.Command) bool { return cmd.Via == events.ViaSession }

// key makes one key of several names.
func (q *Quotas) key(parts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(q.seed)
	for _, p := range parts {
		_, _ = h.WriteString(p)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

func limited(format string, args ...any) *events.Error {
	return events.Errorf(events.CodeRateLimited, format, args...)
}
