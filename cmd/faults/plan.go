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

// The kinds of faults. Those of the brokers come one after another, the others at any time.
const (
	killWorker     kind = "kill"             // SIGKILL of a worker, started again soon
	killAt         kind = "kill-at"          // the same, exactly before or after a message that it sends
	killAll        kind = "kill-all-workers" // of all workers at once
	pauseWorker    kind = "pause"            // SIGSTOP of a worker, up to 40 s
	pauseAt        kind = "pause-at"         // the same, exactly before or after a message that it sends
	restartWorker  kind = "restart"          // SIGTERM of a worker, started again once it has ended
	cutLink        kind = "cut"              // nothing passes between a worker and a broker
	cutUp          kind = "cut-up"           // nothing passes from a worker to a broker
	cutDown        kind = "cut-down"         // nothing passes from a broker to a worker
	cutAt          kind = "cut-at"           // cut-up, exactly before or after a message
	slowLink       kind = "delay"            // everything takes longer between a worker and a broker
	resetLink      kind = "reset"            // a worker's connections are torn, and what is on its way is lost
	resetClient    kind = "reset-client"     // the same of a client or watcher
	cutClient      kind = "cut-client"       // nothing passes between a client or watcher and a broker
	deleteConsumer kind = "delete-consumer"  // of the coordinators, or of the timeouts
	wrongClock     kind = "clock"            // a worker is started anew with a clock that is wrong by 70 s; only by name, as it takes a build of Go's own packages

	killNode     kind = "broker-kill"
	pauseNode    kind = "broker-pause"
	restartNode  kind = "broker-restart"
	killNodes    kind = "broker-kill-all"
	killLeader   kind = "broker-kill-leader" // of the stream of calls
	cutRoute     kind = "route-cut"
	cutRouteOne  kind = "route-cut-one-way"
	slowRoute    kind = "route-delay"
	resetRoute   kind = "route-reset"
	fillStore    kind = "store-full"     // RINGLINE_CALLS takes nothing more
	fillEvents   kind = "events-full"    // RINGLINE_EVENTS drops its oldest
	fillCommands kind = "commands-full"  // RINGLINE_COMMANDS takes nothing more
	fillLines    kind = "lines-full"     // RINGLINE_LINES takes nothing more
	fillTimers   kind = "timers-full"    // RINGLINE_TIMERS is near its limit
	slowBroker   kind = "broker-slow"    // everything takes most of a second between all workers and all brokers
	fillDisk     kind = "disk-full"      // of a broker, which ends its JetStream and is then killed
	staleClaims  kind = "stale-claims"   // the store full for half a minute, and a worker paused before a commit meanwhile
	stoppedClock      = 32 * time.Second // how long stale-claims takes at least: claims may be taken over after 30 s
)

// waits says whether it waits for a message of a worker.
func (k kind) waits() bool { return k == killAt || k == pauseAt || k == cutAt }

// ofBrokers says whether it is about brokers, or what is between them.
func (k kind) ofBrokers() bool {
	return strings.HasPrefix(string(k), "broker-") || strings.HasPrefix(string(k), "route-") ||
		k == fillDisk || k.fillsStore()
}

// fillsStore says whether it is about what a stream takes: brokers and links stay as they are.
func (k kind) fillsStore() bool {
	return k == fillStore || k == fillEvents || k == fillCommands || k == fillLines || k == fillTimers || k == staleClaims
}

// fault is one that is planned.
type fault struct {
	at     time.Duration
	kind   kind
	target int // of whatever the kind is about, by its index
	second int
	long   time.Duration // until it is mended
	by     time.Duration // of a delay
	point  string        // of those that wait for a message: before or after which
}

// points are what the subjects of a worker's messages begin with, in the order in which a command makes them.
func points() map[string]func(subject string) bool {
	return map[string]func(string) bool{
		"claim":  begins("$KV.RINGLINE_LINES."),
		"commit": ringline("call"),
		"timer":  ringline("timer"),
		"told":   ringline("user"),
		"answer": ringline("answer"),
		"ack":    begins("$JS.ACK.RINGLINE_COMMANDS."),
	}
}

// whereabouts lists before and after what a fault may wait.
func whereabouts() []string {
	var list []string
	for _, name := range []string{"claim", "commit", "timer", "told", "answer", "ack"} {
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

// planner draws faults; the same seed gives the same plan.
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

// track plans the faults of these kinds; in turn means that one begins only once the one before is over.
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
			at += f.long + 2*time.Second // it takes a moment to come back
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

// long is how long a fault lasts.
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
