package main

// Times, in ticks.
const (
	grace = 3 // without a session, until the device is judged
	lost  = 2 // without a heartbeat, until an edge counts as lost
	cut   = 1 // without the broker, until an edge closes its sessions
)

// The rules. Each can be switched off.
const (
	ruleAges   = iota // an answer says for how long the device has had no session there
	ruleAll           // a judgment needs the answer of every edge that is not lost
	ruleBirth         // an edge that started lately knows nothing from before its start, and says so
	ruleHello         // an edge that starts, or works again, announces itself before it accepts sessions
	ruleLoss          // an edge that is lost makes the others check every party
	ruleForget        // an edge that is lost may have had a session until then
	ruleStart         // an edge that starts checks every party
	rulePause         // time in which an edge was paused, or without the broker, does not count
	ruleAnew          // an edge that was without the broker begins its checks again
	ruleBuffer        // an edge that was paused reads what arrived meanwhile before it judges
	ruleCut           // an edge without the broker closes its sessions before others count it as lost
	ruleIsland        // an edge that does not hear another edge asks the broker whether it reaches more than one node
	ruleWait          // an edge that asks waits for a heartbeat of each edge that works before it judges
	rules
)

var ruleNames = [rules]string{"ages", "all", "birth", "hello", "loss", "forget", "start", "pause", "anew", "buffer", "cut", "island", "wait"}

// edge is one edge: its process, and what the process knows.
type edge struct {
	alive, paused bool
	offline       uint8 // ticks without the broker plus 1, or 0 with the broker
	island        bool  // without the others, because the node of the broker that it is connected to is cut off
	quiet         bool  // it has sent no heartbeat yet

	session bool  // the device has a session here, as far as the edge knows
	without uint8 // ticks for which it had none
	heard   uint8 // ticks since the last heartbeat of the other edge; lost is the most
	sweep   bool  // it has to check every party
	suspect bool  // it checks the device
	since   uint8 // ticks of the check that count

	asking, answered bool
	waited           bool  // a tick has passed since the question
	best             uint8 // the shortest time without a session in the answers
	longest          uint8 // the longest absence since the question, which the edge does not know
}

// nowhere is the place of a device without a session.
const nowhere = -1

// state is a state of the system.
type state struct {
	in    bool  // the party is in the call
	at    int8  // the edge at which the device has its session, or nowhere
	gone  uint8 // ticks in which the device had no session although an edge worked
	edges [2]edge

	moves, stops uint8 // what the device and the environment may still do
}

func (m *model) initial() state {
	up := edge{alive: true, without: grace}
	return state{in: true, at: 0, edges: [2]edge{{alive: true, session: true}, up}, moves: 3, stops: uint8(2 + m.more)}
}

// online reports whether the edge runs, and reaches the broker and the other edges.
func (e *edge) online() bool { return e.alive && !e.paused && e.offline == 0 }

// works reports whether the edge runs, and believes that it reaches the broker and the other edges. It takes some time to
// find out that its node is cut off.
func (m *model) works(e *edge) bool {
	return e.alive && !e.paused && (e.offline == 0 || e.island && (e.offline <= cut || !m.on(ruleIsland)))
}

// connected reports whether the device has a session with an edge that runs.
func (s *state) connected() bool {
	return s.at != nowhere && s.edges[s.at].alive && !s.edges[s.at].paused
}

// absent records the longest absence for each edge that asks.
func (s *state) absent() {
	for i := range s.edges {
		if e := &s.edges[i]; e.asking {
			e.longest = max(e.longest, s.gone)
		}
	}
}

// close ends the session at an edge, and the edge begins to check the device.
func (e *edge) close() {
	e.session, e.without, e.suspect, e.since = false, 0, true, 0
	e.stop()
}

// stop ends the question in progress. Its answers count no more.
func (e *edge) stop() { e.asking, e.answered, e.waited, e.best, e.longest = false, false, false, 0, 0 }

// model is the protocol with some rules switched off.
type model struct {
	off  [rules]bool
	more int // more faults than two; then no node is cut off
}

func (m *model) on(rule int) bool { return !m.off[rule] }

// emit receives a successor and what happened.
type emit func(n state, what string)

func (m *model) successors(s state, out emit) {
	n := s
	m.tick(&n)
	out(n, "a tick passes")
	for i := range s.edges {
		m.device(s, int8(i), out)
		m.environment(s, i, out)
		m.steps(s, i, out)
	}
}

var names = [2]string{"A", "B"}

// tick lets a tick pass.
func (m *model) tick(s *state) {
	works := s.edges[0].online() || s.edges[1].online()
	for i := range s.edges {
		other := &s.edges[1-i]
		m.age(s, i, other.online() && !other.quiet && m.hears(&s.edges[i]))
	}
	s.edges[0].quiet, s.edges[1].quiet = false, false
	switch {
	case s.connected():
		s.gone = 0
	case works:
		s.gone = min(s.gone+1, grace)
	}
	s.absent()
}

// age lets a tick pass for one edge, which hears the other edge or does not.
func (m *model) age(s *state, i int, hears bool) {
	e := &s.edges[i]
	if !e.alive {
		return
	}
	if e.offline > 0 {
		e.offline = min(e.offline+1, cut+1)
	}
	if m.on(ruleCut) && e.offline > cut && !e.paused && e.session && !m.works(e) {
		e.close()
		if s.at == int8(i) {
			s.at = nowhere
		}
	}
	if m.works(e) || !m.on(rulePause) {
		e.without, e.since = min(e.without+1, grace), min(e.since+1, grace)
		e.heard = min(e.heard+1, lost+1)
		e.waited = e.asking
	}
	if hears {
		e.heard = 0
	}
	if e.heard == lost {
		m.loses(e)
	}
}

// loses handles the loss of the other edge.
func (m *model) loses(e *edge) {
	e.heard = lost + 1
	if m.on(ruleLoss) {
		e.sweep = true
	}
	if m.on(ruleForget) {
		e.since = 0
		e.stop()
	}
}

// device emits what the device can do at edge i.
func (m *model) device(s state, i int8, out emit) {
	if s.moves == 0 {
		return
	}
	s.moves--
	if s.at == i {
		n := s
		n.at = nowhere
		out(n, "the device loses its session at "+names[i])
	}
	if e := &s.edges[i]; s.at != i && m.works(e) {
		n := s
		n.at, n.gone = i, 0
		e := &n.edges[i]
		e.session, e.without, e.suspect = true, 0, false
		e.stop()
		out(n, "the device connects to "+names[i])
	}
}

// environment emits what can happen to edge i.
func (m *model) environment(s state, i int, out emit) {
	e := s.edges[i]
	do := func(what string, change func(n *state, e *edge)) {
		n := s
		change(&n, &n.edges[i])
		out(n, names[i]+" "+what)
	}
	if e.paused {
		do("runs again", func(n *state, e *edge) {
			e.paused = false
			m.announce(n, i)
		})
	}
	if e.offline > 0 {
		do("reaches the broker again", func(n *state, e *edge) {
			if !m.works(e) && m.on(ruleAnew) {
				e.since = 0
				e.stop()
			}
			e.offline, e.island = 0, false
			m.announce(n, i)
		})
	}
	if s.stops == 0 {
		return
	}
	s.stops--
	switch {
	case !e.alive:
		do("starts", func(n *state, e *edge) { m.start(n, e, i) })
	case e.online():
		do("is killed", func(n *state, e *edge) {
			*e = edge{}
			if n.at == int8(i) {
				n.at = nowhere
			}
		})
		do("is paused", func(_ *state, e *edge) { e.paused = true })
		do("loses the broker", func(_ *state, e *edge) { e.offline = 1 })
		if m.more == 0 {
			do("is cut off with its node", func(_ *state, e *edge) { e.offline, e.island = 1, true })
		}
	}
}

// start starts edge i.
func (m *model) start(s *state, e *edge, i int) {
	*e = edge{alive: true, heard: lost + 1, sweep: m.on(ruleStart), quiet: !m.on(ruleHello)}
	if !m.on(ruleBirth) {
		e.without = grace
	}
	m.announce(s, i)
}

// hears reports whether a heartbeat that is sent now reaches an edge, at the latest when it runs again.
func (m *model) hears(e *edge) bool {
	return e.online() || m.on(ruleBuffer) && e.alive && e.offline == 0
}

// announce sends a heartbeat of edge i before it accepts a session.
func (m *model) announce(s *state, i int) {
	if e, other := &s.edges[i], &s.edges[1-i]; e.online() && m.hears(other) && m.on(ruleHello) {
		other.heard = 0
	}
}

// steps emits the steps of the protocol at edge i.
func (m *model) steps(s state, i int, out emit) {
	e, other := &s.edges[i], &s.edges[1-i]
	step := func(what string, change func(n *state, e *edge)) {
		n := s
		change(&n, &n.edges[i])
		out(n, names[i]+" "+what)
	}
	if e.alive && !e.paused && e.session && s.at != int8(i) {
		step("notices the end of the session", func(_ *state, e *edge) { e.close() })
	}
	if !m.works(e) {
		return
	}
	if e.sweep && e.online() {
		step("checks every party", func(n *state, e *edge) {
			if e.sweep = false; n.in && !e.session && !e.suspect {
				e.suspect, e.since = true, 0
			}
		})
	}
	if e.suspect && !e.asking && e.since >= grace {
		step("asks", func(n *state, e *edge) {
			e.asking, e.answered, e.waited, e.best, e.longest = true, false, false, e.since, n.gone
		})
	}
	if e.asking && !e.answered && e.online() && other.online() {
		step("has an answer", func(_ *state, e *edge) { m.answer(e, other) })
	}
	if e.asking && (e.waited || !m.on(ruleWait)) && (e.answered || e.heard > lost || !m.on(ruleAll)) {
		step("judges", func(n *state, e *edge) {
			if e.online() {
				m.judge(n, e)
			} else {
				e.since = grace - 1
				e.stop() // it can't read the call, and a drop reaches no coordinator: it asks again later
			}
		})
	}
}

// answer adds the answer of another edge.
func (m *model) answer(e, other *edge) {
	e.heard = 0 // as after a heartbeat
	switch e.answered = true; {
	case other.session:
		e.suspect = false
		e.stop()
	case m.on(ruleAges):
		e.best = min(e.best, other.without)
	}
}

// judge ends a check, or begins it again from the newest session in the answers.
func (m *model) judge(s *state, e *edge) {
	if e.best < grace {
		e.since = e.best
	} else {
		e.suspect, s.in = false, false
	}
	e.stop()
}

// falseLoss reports whether a judgment from s to n, by the edge that asked, is wrong.
func falseLoss(s, n *state) bool {
	if !s.in || n.in {
		return false
	}
	for i := range s.edges {
		if s.edges[i].asking && !n.edges[i].asking && s.edges[i].longest < grace {
			return true
		}
	}
	return false
}

// forgotten reports whether the party stays in the call although its device stays away and an edge works.
func (m *model) forgotten(s state) bool {
	if s.at != nowhere || !s.edges[0].online() && !s.edges[1].online() {
		return false
	}
	for range 8 * grace {
		m.settle(&s)
		if !s.in {
			return false
		}
		m.tick(&s)
	}
	return s.in
}

// settle takes steps of the protocol until there is none.
func (m *model) settle(s *state) {
	for took := true; took; {
		took = false
		for i := range s.edges {
			m.steps(*s, i, func(n state, _ string) {
				if !took {
					*s, took = n, true
				}
			})
		}
	}
}
