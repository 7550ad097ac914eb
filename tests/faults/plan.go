//go:build linux

package main

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// kind is a kind of fault.
type kind string

// The kinds of faults. Faults of brokers do not overlap. All others can occur at any time.
const (
	killWorker     kind = "kill"             // SIGKILL of a worker, which restarts soon
	killAt         kind = "kill-at"          // SIGKILL exactly before or after a message that the worker sends
	killAll        kind = "kill-all-workers" // SIGKILL of all workers at once
	pauseWorker    kind = "pause"            // SIGSTOP of a worker, up to 40 s
	pauseAt        kind = "pause-at"         // SIGSTOP exactly before or after a message that the worker sends
	restartWorker  kind = "restart"          // SIGTERM of a worker, which restarts after it ended
	cutLink        kind = "cut"              // no traffic between a worker and a broker
	cutUp          kind = "cut-up"           // no traffic from a worker to a broker
	cutDown        kind = "cut-down"         // no traffic from a broker to a worker
	cutAt          kind = "cut-at"           // cut-up, exactly before or after a message
	slowLink       kind = "delay"            // all traffic between a worker and a broker is delayed
	resetLink      kind = "reset"            // a worker's connections are reset, and data in flight is lost
	resetClient    kind = "reset-client"     // a client's or watcher's connections are reset
	cutClient      kind = "cut-client"       // no traffic between a client or watcher and a broker
	deleteConsumer kind = "delete-consumer"  // of the coordinators, or of the timeouts workers
	// A worker restarts with a clock that is off by 70 s. It runs only if named, because it needs a build of
	// Go's own packages.
	wrongClock kind = "clock"

	killNode     kind = "broker-kill"
	pauseNode    kind = "broker-pause"
	restartNode  kind = "broker-restart"
	killNodes    kind = "broker-kill-all"
	killLeader   kind = "broker-kill-leader" // the leader of RINGLINE_CALLS
	cutRoute     kind = "route-cut"
	cutRouteOne  kind = "route-cut-one-way"
	slowRoute    kind = "route-delay"
	resetRoute   kind = "route-reset"
	fillStore    kind = "store-full"     // RINGLINE_CALLS rejects publishes
	fillEvents   kind = "events-full"    // RINGLINE_EVENTS drops its oldest messages
	fillCommands kind = "commands-full"  // RINGLINE_COMMANDS rejects publishes
	fillLines    kind = "lines-full"     // RINGLINE_LINES rejects publishes
	fillTimers   kind = "timers-full"    // RINGLINE_TIMERS is near its limit
	slowBroker   kind = "broker-slow"    // all traffic between workers and brokers is delayed: 0.4 to 0.7 s per round trip
	fillDisk     kind = "disk-full"      // the disk of a broker, which disables JetStream and is then killed
	staleClaims  kind = "stale-claims"   // RINGLINE_CALLS rejects publishes for half a minute, and a worker is paused before a commit meanwhile
	stoppedClock      = 32 * time.Second // minimum duration of stale-claims: claims can be taken over after 30 s
)

// waits reports whether the fault waits for a message of a worker.
func (k kind) waits() bool { return k == killAt || k == pauseAt || k == cutAt }

// ofBrokers reports whether the fault affects brokers or the links between them.
func (k kind) ofBrokers() bool {
	return strings.HasPrefix(string(k), "broker-") || strings.HasPrefix(string(k), "route-") ||
		k == fillDisk || k.fillsStore()
}

// fillsStore reports whether the fault changes only what a stream accepts. Brokers and links stay as they
// are.
func (k kind) fillsStore() bool {
	return k == fillStore || k == fillEvents || k == fillCommands || k == fillLines || k == fillTimers || k == staleClaims
}

// fault is a planned fault.
type fault struct {
	at     time.Duration
	kind   kind
	target int // index among the objects that the kind affects
	second int
	long   time.Duration // until the repair
	by     time.Duration // amount of a delay
	point  string        // for faults that wait for a message: before or after which one
}

// points maps the name of each message of a worker to a matcher for its subject. They are in the order in
// which a command publishes them.
func points() map[string]func(subject string) bool {
	return map[string]func(string) bool{
		"claim":  begins("$KV.RINGLINE_LINES."),
		"commit": ringline("call"),
		"timer":  ringline("timer"),
		"notify": ringline("user"),
		"answer": ringline("answer"),
		"ack":    begins("$JS.ACK.RINGLINE_COMMANDS."),
	}
}

// whereabouts lists the points at which a fault can wait.
func whereabouts() []string {
	var list []string
	for _, name := range []string{"claim", "commit", "timer", "notify", "answer", "ack"} {
		list = append(list, "before "+name, "after "+name)
	}
	return list
}

type weighed struct {
	kind   kind
	weight int
}

func workerKinds() []weighed {
	return []weighed{
		{killWorker, 12},
		{killAt, 14},
		{killAll, 2},
		{pauseWorker, 9},
		{pauseAt, 5},
		{restartWorker, 6},
		{cutLink, 5},
		{cutUp, 4},
		{cutDown, 4},
		{cutAt, 5},
		{slowLink, 6},
		{resetLink, 6},
		{resetClient, 4},
		{cutClient, 3},
		{deleteConsumer, 3},
		{wrongClock, 1},
	}
}

func brokerKinds(nodes int, disks bool) []weighed {
	list := []weighed{
		{killNode, 4},
		{pauseNode, 3},
		{restartNode, 2},
		{fillStore, 3},
		{fillEvents, 1},
		{fillCommands, 2},
		{fillLines, 2},
		{fillTimers, 2},
		{slowBroker, 2},
		{staleClaims, 2},
	}
	if disks {
		list = append(list, weighed{fillDisk, 2})
	}
	if nodes > 1 {
		list = append(list, []weighed{
			{killLeader, 4}, {killNodes, 2}, {cutRoute, 3}, {cutRouteOne, 3}, {slowRoute, 4}, {resetRoute, 3},
		}...)
	}
	return list
}

// planner draws random faults. The same seed yields the same plan.
type planner struct {
	rng    *rand.Rand
	trial  trial
	only   []kind
	faults []fault
}

// plan plans the faults of a trial.
func plan(t trial, disks bool) []fault {
	p := planner{rng: rand.New(rand.NewPCG(t.seed, 2)), trial: t} //nolint:gosec // the same seed gives the same plan
	for _, k := range t.only {
		p.only = append(p.only, kind(k))
	}
	p.track(workerKinds(), t.every, false)
	p.track(brokerKinds(t.nodes, disks), 4*t.every, true)
	slices.SortStableFunc(p.faults, func(a, b fault) int { return int(a.at - b.at) })
	return p.faults
}

// track plans faults of the given kinds. If inTurn is set, each fault begins after the previous one ended.
func (p *planner) track(kinds []weighed, every time.Duration, inTurn bool) {
	if len(p.only) > 0 {
		kinds = slices.DeleteFunc(kinds, func(w weighed) bool { return !slices.Contains(p.only, w.kind) })
	}
	if len(p.only) == 0 {
		kinds = slices.DeleteFunc(kinds, func(w weighed) bool { return w.kind == wrongClock })
	}
	if len(kinds) == 0 {
		return
	}
	for at := calmBeginning; ; {
		at += time.Duration((0.2 + 0.8*p.rng.ExpFloat64()) * float64(every))
		if at >= p.trial.duration {
			return
		}
		f := p.draw(kinds, at)
		if f.kind == staleClaims && at+f.long+2*time.Second > p.trial.duration {
			continue
		}
		p.faults = append(p.faults, f)
		if inTurn {
			at += f.long + 2*time.Second // recovery takes some time
		}
	}
}

func (p *planner) draw(kinds []weighed, at time.Duration) fault {
	total := 0
	for _, w := range kinds {
		total += w.weight
	}
	n, k := p.rng.IntN(total), kinds[0].kind
	for _, w := range kinds {
		if n -= w.weight; n < 0 {
			k = w.kind
			break
		}
	}
	among := whereabouts()
	if len(p.trial.points) > 0 {
		among = p.trial.points
	}
	return fault{
		at: at, kind: k, target: p.rng.IntN(1 << 20), second: p.rng.IntN(1 << 20), long: p.long(k),
		by: 20*time.Millisecond + p.between(0, 300*time.Millisecond), point: among[p.rng.IntN(len(among))],
	}
}

func (p *planner) between(least, most time.Duration) time.Duration {
	return least + time.Duration(p.rng.Int64N(int64(most-least)))
}

// long draws the duration of a fault.
func (p *planner) long(k kind) time.Duration {
	spans := map[kind][2]time.Duration{
		staleClaims: {stoppedClock, stoppedClock + 4*time.Second},
		slowBroker:  {6 * time.Second, 15 * time.Second},
		fillTimers:  {6 * time.Second, 15 * time.Second},
		wrongClock:  {5 * time.Second, 20 * time.Second},
		resetLink:   {}, resetClient: {}, resetRoute: {}, deleteConsumer: {},
	}
	for _, k := range []kind{killWorker, killAt, killAll, restartWorker, killNode, killNodes, killLeader, restartNode} {
		spans[k] = [2]time.Duration{0, 2500 * time.Millisecond}
	}
	span, listed := spans[k]
	switch {
	case !listed:
		span = [2]time.Duration{300 * time.Millisecond, 8 * time.Second}
	case span[1] == 0:
		return 0
	}
	if (k == pauseWorker || k == pauseAt) && p.rng.IntN(5) == 0 {
		span = [2]time.Duration{8 * time.Second, 40 * time.Second}
	}
	return p.between(span[0], span[1])
}
