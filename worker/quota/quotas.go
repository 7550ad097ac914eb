package quota

import (
	"hash/maphash"
	"sync"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/call"
)

// How long unused entries are kept, and how many. A forgotten entry counts as full. The bucket of a pair is full again after a
// minute for each coordinator.
const (
	keepApps  = time.Minute
	keepUsers = time.Minute
	keepPairs = 15 * time.Minute
	mostKept  = 100_000
)

// Quotas enforces the quotas in one coordinator. All times are those at which commands were stored, so that a backlog counts as
// it was sent.
type Quotas struct {
	share func() int // number of coordinators
	seed  maphash.Seed

	mu    sync.Mutex
	apps  *recent[string, app]
	users *recent[uint64, user]
	pairs *recent[uint64, pair]
}

// app is the state of one app.
type app struct {
	commands, bytes, reads, places, lookUps bucket

	askedCommands, askedBytes bucket // for commands that this process passes on, from its API or its sessions
	passedOn                  int    // commands that are not answered yet

	logged time.Time
}

// user is the state of one user, for commands of client sessions.
type user struct{ commands, bytes bucket }

// pair is the state of a caller and a callee. It holds the command id of the last charged invitation, because a repeat costs
// nothing.
type pair struct {
	bucket

	last string
}

// New returns the quotas of a coordinator. The function share returns the number of coordinators, including this one.
func New(share func() int) *Quotas {
	return &Quotas{
		share: share, seed: maphash.MakeSeed(), apps: newRecent[string, app](keepApps, mostKept),
		users: newRecent[uint64, user](keepUsers, mostKept), pairs: newRecent[uint64, pair](keepPairs, mostKept),
	}
}

func (q *Quotas) coordinators() float64 { return float64(max(1, q.share())) }

// Admit admits a command with a message of that many bytes, or returns the limit that it exceeds. It charges the maximum cost,
// because others are admitted before the command is done. Settle gives the unused part back. An expire or drop is always admitted.
func (q *Quotas) Admit(at time.Time, l Limits, cmd events.Command, bytes int) error {
	if cmd.Verb.Internal() {
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

// cost is how many commands one counts as if it finds its call. An invitation or add counts once per callee, because each line
// is claimed and released.
func cost(cmd events.Command) float64 {
	if cmd.Verb.Invites() {
		return float64(max(1, len(cmd.Callees)))
	}
	return 1
}

// userCost is the cost for the user. Until a command has found its call, it counts as one that finds none. Otherwise one user
// could make the app pay for many of those at once.
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

// Done is the result of one delivery of a command.
type Done struct {
	Admitted bool // in this delivery, and therefore charged
	Unknown  bool // found no call, at the cost of a read from the leader
	Message  int  // bytes of its message
	Stored   int  // bytes of the transition that it made, 0 for none
}

// Settle charges the actual cost of a command, relative to what Admit has charged.
func (q *Quotas) Settle(at time.Time, l Limits, cmd events.Command, d Done) {
	if cmd.Verb.Internal() { // sent by Ringline itself
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

// Ask lets an API or an edge pass a command on, or returns the limit of the app that it exceeds. It charges nothing of what
// Admit charges, but it counts the commands passed on, because many at one moment find the same room. The caller calls PassedOn
// before it passes a command on, and Answered with the answer.
func (q *Quotas) Ask(now time.Time, l Limits, cmd events.Command, bytes int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, x := q.coordinators(), q.apps.of(cmd.App, now)
	seen := *x // a copy, because waiting commands have earlier times
	seen.commands.fill(now, l.commands(n))
	seen.bytes.fill(now, l.bytes(n))
	if refusal := seen.room(l, cmd, bytes, n); refusal != nil {
		return refusal
	}
	x.askedCommands.fill(now, l.commands(n))
	x.askedBytes.fill(now, l.bytes(n))
	switch {
	case float64(x.passedOn) >= unanswered*max(leastCommands, l.commands(n).perSecond):
		return limited("app %s has %d unanswered commands in flight (commands_per_s)", cmd.App, x.passedOn)
	case !x.askedCommands.lets(l.commands(n), cmd, cost(cmd)):
		return aboveCommands(l, cmd)
	case !x.askedBytes.lets(l.bytes(n), cmd, float64(bytes)):
		return aboveBytes(l, cmd)
	}
	x.askedCommands.left -= cost(cmd)
	x.askedBytes.left -= float64(bytes)
	return nil
}

// PassedOn counts a command as unanswered.
func (q *Quotas) PassedOn(now time.Time, cmd events.Command) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.apps.of(cmd.App, now).passedOn++
}

// Answered processes the answer to a command that was passed on. A command that a coordinator refused for a limit, or that found
// no call, was stored, acked and answered in vain. It counts as more commands, so that a flood of them is refused before it is
// stored. Answered returns how many more; the user must be charged the same. The debt of an app is at most what it may send in a
// second.
func (q *Quotas) Answered(now time.Time, l Limits, cmd events.Command, answer events.Answer) (more int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	x, s := q.apps.of(cmd.App, now), l.commands(q.coordinators())
	x.passedOn = max(0, x.passedOn-1) // the entry may have been forgotten
	if answer.Error == nil || answer.Error.Code != events.CodeRateLimited && answer.Error.Code != events.CodeNotFound {
		return 0
	}
	x.askedCommands.take(now, s, unknownCosts-1)
	x.askedCommands.left = max(x.askedCommands.left, -s.perSecond)
	return unknownCosts - 1
}

// room returns the limit that a command exceeds, or nil. Call fill first.
func (x *app) room(l Limits, cmd events.Command, bytes int, n float64) error {
	switch {
	case !x.commands.lets(l.commands(n), cmd, cost(cmd)):
		return aboveCommands(l, cmd)
	case !x.bytes.lets(l.bytes(n), cmd, mayStore(cmd, bytes)):
		return aboveBytes(l, cmd)
	}
	return nil
}

func aboveCommands(l Limits, cmd events.Command) error {
	return limited("app %s may send %d commands a second (commands_per_s)%s", cmd.App, l.CommandsPerS, ofInvitations(cmd))
}

func aboveBytes(l Limits, cmd events.Command) error {
	return limited("app %s may store %d bytes a second (bytes_per_s)%s", cmd.App, l.BytesPerS, ofInvitations(cmd))
}

// lets reports whether the bucket has room for a command. An invitation or add must fit and leave the reserve. Any other
// command needs one token, and may leave a debt.
func (b *bucket) lets(s speed, cmd events.Command, cost float64) bool {
	if cmd.Verb.Invites() {
		return b.spares(s, cost)
	}
	return b.hasOne()
}

// admitUser is Admit for the user of a session.
func (q *Quotas) admitUser(at time.Time, l Limits, cmd events.Command, bytes int, n float64) error {
	u := q.users.of(q.key(cmd.App, cmd.UserID), at)
	u.commands.fill(at, l.userCommands(n))
	u.bytes.fill(at, userBytes(n))
	switch {
	case !u.commands.lets(l.userCommands(n), cmd, userCost(cmd)):
		return limited("a user may send %.0f commands a second from client sessions, where one that finds no call counts as %d (commands_per_s)",
			l.userPerS(), unknownCosts)
	case !u.bytes.lets(userBytes(n), cmd, mayStore(cmd, bytes)):
		return limited("client sessions of a user may store %d bytes a second", userBytesPerS)
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

// admitPairs takes one invitation from the caller's pair with each callee, or takes none if one of the pairs is empty.
func (q *Quotas) admitPairs(now time.Time, l Limits, cmd events.Command, n float64) error {
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

// LookUp lets an app look up one more command that exceeds a limit and may have been carried out before.
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

// logEvery is the minimum time between two log entries about refusals of an app.
const logEvery = time.Minute

// AllowLog reports whether to log a refusal of an app. If so, the minute in which it allows no other log entry starts.
func (q *Quotas) AllowLog(at time.Time, name string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	x := q.apps.of(name, at)
	if at.Sub(x.logged).Abs() < logEvery {
		return false
	}
	x.logged = at
	return true
}

// Read admits a request that makes no command, and counts it as that many reads. Otherwise it returns the limit that the app
// exceeds.
func (q *Quotas) Read(now time.Time, l Limits, name string, times int) error {
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

// HasRead charges additional reads, whose number is known only afterward. The app may go into debt.
func (q *Quotas) HasRead(now time.Time, l Limits, name string, times int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.apps.of(name, now).reads.take(now, l.commands(q.coordinators()), float64(times))
}

// Wait takes a place for a command that has to wait for its invitation, or refuses it if the app has no free place.
func (q *Quotas) Wait(now time.Time, l Limits, cmd events.Command) error {
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

// key hashes several names into one key.
func (q *Quotas) key(parts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(q.seed)
	for _, p := range parts {
		_, _ = h.WriteString(p)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

func limited(format string, args ...any) error {
	return events.Errorf(events.CodeRateLimited, format, args...)
}
