package quota

import (
	"hash/maphash"
	"sync"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// How long what is used no more is kept, and how many of it. What is forgotten is as good as full. A pair's bucket is full
// again after a minute for each coordinator.
const (
	keepApps  = time.Minute
	keepUsers = time.Minute
	keepPairs = 15 * time.Minute
	mostKept  = 100_000
)

// Quotas is what one coordinator enforces. Times are those at which commands were stored: a backlog is counted as it came.
type Quotas struct {
	share func() int // how many coordinators there are
	seed  maphash.Seed

	mu    sync.Mutex
	apps  *recent[string, app]
	users *recent[uint64, user]
	pairs *recent[uint64, pair]
}

// app is what one app has left, and when its last refusal was logged.
type app struct {
	commands, bytes, reads, places, lookUps bucket

	askedCommands, askedBytes bucket // of what this process passes on: its api, or its sessions
	passedOn                  int    // and was not answered yet

	told time.Time
}

// user is what one user has left for commands of client sessions.
type user struct{ commands, bytes bucket }

// pair is what a caller has left for one callee, and the invitation that took something last: sent again it takes nothing.
type pair struct {
	bucket

	last string
}

// New makes the quotas of a coordinator, where share tells how many coordinators there are, itself included.
func New(share func() int) *Quotas {
	return &Quotas{
		share: share, seed: maphash.MakeSeed(), apps: newRecent[string, app](keepApps, mostKept),
		users: newRecent[uint64, user](keepUsers, mostKept), pairs: newRecent[uint64, pair](keepPairs, mostKept),
	}
}

func (q *Quotas) coordinators() float64 { return float64(max(1, q.share())) }

// Admit lets a command in, whose message has so many bytes, or says which limit it is above. It charges the most that the
// command may take, as others are let in before it is done; Settle gives back the rest. An expire is always let in.
func (q *Quotas) Admit(at time.Time, l Limits, cmd events.Command, bytes int) *events.Error {
	if cmd.Verb == events.VerbExpire {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.coordinators()
	x := q.apps.of(cmd.App, at)
	x.commands.fill(at, l.commands(n))
	x.bytes.fill(at, l.bytes(n))
	if refusal := x.room(l, cmd, bytes, n); refusal != nil {
		return refusal
	}
	if fromSession(cmd) {
		if refusal := q.admitUser(at, l, cmd, bytes, n); refusal != nil {
			return refusal
		}
	}
	x.commands.left -= cost(cmd)
	x.bytes.left -= mayStore(cmd, bytes)
	return nil
}

// cost is how many commands one counts as that finds its call: an invitation or add once for each callee, whose line is
// claimed and released.
func cost(cmd events.Command) float64 {
	if cmd.Verb.Invites() {
		return float64(max(1, len(cmd.Callees)))
	}
	return 1
}

// userCost is the same for its user, where a command counts as one that finds no call until it has found one: no user lets
// the app pay for many of these at once.
func userCost(cmd events.Command) float64 {
	if cmd.Verb == events.VerbInvite {
		return cost(cmd)
	}
	return cost(cmd) + unknownCosts - 1
}

// mayStore is how many bytes a command may store, as far as that is known before its call is read.
func mayStore(cmd events.Command, bytes int) float64 {
	if cmd.Verb.Invites() {
		return float64(max(bytes, call.MayTake(len(cmd.Callees), bytes)))
	}
	return float64(bytes)
}

// Done is what became of a command in one delivery.
type Done struct {
	Admitted bool // in this delivery, so that it was charged
	Unknown  bool // it found no call: it was read at the leader for nothing
	Message  int  // bytes of its message
	Stored   int  // bytes of the transition that it made, 0 for none
}

// Settle charges what a command has taken, after what Admit has charged.
func (q *Quotas) Settle(at time.Time, l Limits, cmd events.Command, d Done) {
	if cmd.Verb == events.VerbExpire { // the service's own
		return
	}
	bytes, commands, ofUser := float64(max(0, d.Stored-d.Message)), 0.0, 0.0
	if d.Admitted {
		bytes += float64(d.Message) - mayStore(cmd, d.Message)
		switch {
		case cmd.Verb == events.VerbInvite:
		case d.Unknown:
			commands = unknownCosts - 1
		default:
			ofUser = cost(cmd) - userCost(cmd)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.coordinators()
	x := q.apps.of(cmd.App, at)
	x.commands.take(at, l.commands(n), commands)
	x.bytes.take(at, l.bytes(n), bytes)
	if fromSession(cmd) {
		u := q.users.of(q.key(cmd.App, cmd.UserID), at)
		u.commands.take(at, l.userCommands(n), ofUser)
		u.bytes.take(at, userBytes(n), bytes)
	}
}

// Ask lets an api or an edge pass a command on, or says which limit of its app it is above. It takes nothing of what Admit
// takes, and counts what was passed on: many at one moment find the same room. Whoever passes a command on calls PassedOn
// before, and Heard with its answer.
func (q *Quotas) Ask(now time.Time, l Limits, cmd events.Command, bytes int) *events.Error {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, x := q.coordinators(), q.apps.of(cmd.App, now)
	seen := *x // a copy: commands that wait were stored before now
	seen.commands.fill(now, l.commands(n))
	seen.bytes.fill(now, l.bytes(n))
	if refusal := seen.room(l, cmd, bytes, n); refusal != nil {
		return refusal
	}
	x.askedCommands.fill(now, l.commands(n))
	x.askedBytes.fill(now, l.bytes(n))
	switch {
	case float64(x.passedOn) >= unanswered*max(leastCommands, l.commands(n).perSecond):
		return limited("app %s has %d commands under way that are not answered yet (commands_per_s)", cmd.App, x.passedOn)
	case !x.askedCommands.lets(l.commands(n), cmd, cost(cmd)):
		return aboveCommands(l, cmd)
	case !x.askedBytes.lets(l.bytes(n), cmd, float64(bytes)):
		return aboveBytes(l, cmd)
	}
	x.askedCommands.left -= cost(cmd)
	x.askedBytes.left -= float64(bytes)
	return nil
}

// PassedOn counts a command as one that is not answered yet.
func (q *Quotas) PassedOn(now time.Time, cmd events.Command) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.apps.of(cmd.App, now).passedOn++
}

// Heard is told the answer to a command that was passed on. Where a coordinator refused it for a limit or found no call, it was
// stored, acknowledged and answered for nothing, and counts as more commands, so that a flood of these is refused before it is
// stored. Heard gives how many more; its user is to pay as much. The app owes no more than it may send in a second.
func (q *Quotas) Heard(now time.Time, l Limits, cmd events.Command, answer events.Answer) (more int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	x, s := q.apps.of(cmd.App, now), l.commands(q.coordinators())
	x.passedOn = max(0, x.passedOn-1) // or it was forgotten meanwhile
	if answer.Error == nil || answer.Error.Code != events.CodeRateLimited && answer.Error.Code != events.CodeNotFound {
		return 0
	}
	x.askedCommands.take(now, s, unknownCosts-1)
	x.askedCommands.left = max(x.askedCommands.left, -s.perSecond)
	return unknownCosts - 1
}

// room says which limit a command is above. The buckets must be filled.
func (x *app) room(l Limits, cmd events.Command, bytes int, n float64) *events.Error {
	switch {
	case !x.commands.lets(l.commands(n), cmd, cost(cmd)):
		return aboveCommands(l, cmd)
	case !x.bytes.lets(l.bytes(n), cmd, mayStore(cmd, bytes)):
		return aboveBytes(l, cmd)
	}
	return nil
}

func aboveCommands(l Limits, cmd events.Command) *events.Error {
	return limited("app %s may send %d commands a second (commands_per_s)%s", cmd.App, l.CommandsPerS, ofInvitations(cmd))
}

func aboveBytes(l Limits, cmd events.Command) *events.Error {
	return limited("app %s may have %d bytes a second stored (bytes_per_s)%s", cmd.App, l.BytesPerS, ofInvitations(cmd))
}

// lets says whether the bucket has room for a command: an invitation or add must leave the reserve, and fit; anything else
// needs one, and may go into debt.
func (b *bucket) lets(s speed, cmd events.Command, cost float64) bool {
	if cmd.Verb.Invites() {
		return b.spares(s, cost)
	}
	return b.hasOne()
}

// admitUser does the same for the user of a session.
func (q *Quotas) admitUser(at time.Time, l Limits, cmd events.Command, bytes int, n float64) *events.Error {
	u := q.users.of(q.key(cmd.App, cmd.UserID), at)
	u.commands.fill(at, l.userCommands(n))
	u.bytes.fill(at, userBytes(n))
	switch {
	case !u.commands.lets(l.userCommands(n), cmd, userCost(cmd)):
		return limited("a user may send %.0f commands a second from client sessions, where one that finds no call counts as %d (commands_per_s)",
			l.userPerS(), unknownCosts)
	case !u.bytes.lets(userBytes(n), cmd, mayStore(cmd, bytes)):
		return limited("a user may have %d bytes a second stored by client sessions", userBytesPerS)
	}
	if cmd.Verb.Invites() {
		if refusal := q.admitPairs(at, l, cmd, n); refusal != nil {
			return refusal
		}
	}
	u.commands.left -= userCost(cmd)
	u.bytes.left -= mayStore(cmd, bytes)
	return nil
}

// admitPairs takes one invitation from the caller's pair with each callee, or none where one of them has none left.
func (q *Quotas) admitPairs(now time.Time, l Limits, cmd events.Command, n float64) *events.Error {
	s := l.pair(n)
	for i, p := range cmd.Callees {
		x := q.pairs.of(q.key(cmd.App, cmd.UserID, p.UserID), now)
		x.fill(now, s)
		if x.last != cmd.CommandID && !x.hasOne() {
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

// LookUp lets an app have one more command looked up that is above a limit, and may have been carried out before.
func (q *Quotas) LookUp(at time.Time, l Limits, name string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	x, s := q.apps.of(name, at), l.lookUps(q.coordinators())
	x.lookUps.fill(at, s)
	if !x.lookUps.hasOne() {
		return false
	}
	x.lookUps.left--
	return true
}

// tellAgain is how long the refusals of an app are not logged again.
const tellAgain = time.Minute

// Tell says whether it is time to log a refusal of an app.
func (q *Quotas) Tell(at time.Time, name string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	x := q.apps.of(name, at)
	if at.Sub(x.told).Abs() < tellAgain {
		return false
	}
	x.told = at
	return true
}

// Read lets a request of an app in that makes no command which is counted, and counts it so many times; or it says which limit
// the app is above.
func (q *Quotas) Read(now time.Time, l Limits, name string, times int) *events.Error {
	q.mu.Lock()
	defer q.mu.Unlock()
	x, s := q.apps.of(name, now), l.commands(q.coordinators())
	x.reads.fill(now, s)
	if !x.reads.hasOne() {
		return limited("app %s may send %d requests a second that read (commands_per_s)", name, l.CommandsPerS)
	}
	x.reads.left -= float64(times)
	return nil
}

// HasRead counts what a request has read besides, as is known only then. The app may be in debt by that.
func (q *Quotas) HasRead(now time.Time, l Limits, name string, times int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.apps.of(name, now).reads.take(now, l.commands(q.coordinators()), float64(times))
}

// Wait takes a place for a command that has to wait for its invitation, or says that its app has none left.
func (q *Quotas) Wait(now time.Time, l Limits, cmd events.Command) *events.Error {
	q.mu.Lock()
	defer q.mu.Unlock()
	x, s := q.apps.of(cmd.App, now), l.places(q.coordinators())
	x.places.fill(now, s)
	if !x.places.hasOne() {
		return limited("call_id: there is no call %s yet, and too many commands of app %s wait for their calls (commands_per_s)", cmd.CallID, cmd.App)
	}
	x.places.left--
	return nil
}

func ofInvitations(cmd events.Command) string {
	if cmd.Verb.Invites() {
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
