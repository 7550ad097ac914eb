package main

func (m *Model) step(s *State, j int, out emit, bad func(string)) {
	n, w := *s, s.w[j]
	d := m.def(&w)
	put := func(l string, a ...any) {
		x := n // out may reorder the workers
		x.w[j] = w
		out(&x, "[%s] "+l, append([]any{m.what(&s.w[j])}, a...)...)
	}
	tgt := &s.calls[w.tgt]
	switch w.pc {
	case pAdmit, pAckNotAdmitted, pAnswerNotAdmitted:
		m.admit(s, j, out)
	case pLoad:
		load := func(v Call, how string) {
			n, w = *s, s.w[j]
			w.v = v
			// A stale read before a commit is harmless, because the commit compares sequences. An outcome without a
			// commit has no such check.
			if m.plan(&n, &w) && m.on(rLeader) {
				w = Worker{cmd: w.cmd, pc: pLead, tgt: w.tgt, at: w.at, seen: w.seen, dev: w.dev}
			}
			if how != "" {
				n.left.stale--
			}
			put("load call %d: seq %d%s", s.w[j].tgt+1, v.seq, how)
		}
		load(*tgt, "")
		if p := s.prev[s.w[j].tgt]; s.left.stale > 0 && p.seq < tgt.seq {
			load(p, " STALE")
		}
	case pLead:
		w.v, w.checkLines = *tgt, true
		m.plan(&n, &w)
		put("read call %d at the leader: seq %d", s.w[j].tgt+1, tgt.seq)
	case pLine:
		m.readLine(&w, s.lines[w.u], true)
		put("read line %s: %s", users[s.w[j].u], s.lines[s.w[j].u].String())
		if s.left.stale > 0 && m.cfg.staleLines && s.plins[s.w[j].u] != s.lines[s.w[j].u] {
			n, w = *s, s.w[j]
			n.left.stale--
			m.readLine(&w, s.plins[w.u], false)
			put("read line %s STALE: %s", users[s.w[j].u], s.plins[s.w[j].u].String())
		}
	case pHolder:
		m.holder(s, j, out)
	case pTake:
		if !w.fresh {
			w.pc = pLine
			put("claim of line %s refused (revision)", users[w.u])
			return
		}
		n.writeLine(w.u, w.l.only(func(i int) bool { return w.keep[i] }, Entry{w.tgt + 1, w.base}))
		w.got[w.u] = gotLine
		u := w.u
		m.nextClaim(&w, &d)
		put("CLAIM line %s for %d/%d", users[u], w.tgt+1, w.base)
	case pFence:
		fo, seq := w.fo-1, w.foSeq
		w.fo, w.foSeq, w.pc = 0, 0, pLine
		switch {
		case s.calls[fo].seq != seq:
			put("call %d needs no fence, it has moved on", fo+1)
		case seq == 0:
			m.apply(&n, fo, fence(Call{}, service), -1, bad)
			put("FENCE: call %d written as ended (failed)", fo+1)
		default:
			m.apply(&n, fo, s.calls[fo], -1, bad)
			put("FENCE: call %d moved on, with nothing changed", fo+1)
		}
	case pBorn:
		if tgt.seq != w.base {
			w.lead()
			w.fo, w.foAtt, w.born = 0, 0, 0
			put("call %d can't be created as ended: it exists (10071)", w.tgt+1)
			return
		}
		if w.born == bornMerged {
			m.apply(&n, w.tgt, Call{state: cEnded, caller: d.user, born: bornMerged, into: w.fo, intoAtt: w.foAtt}, w.cmd, bad)
			w = Worker{cmd: w.cmd, pc: pLead, merged: true, tgt: w.fo - 1, foAtt: w.foAtt}
			put("WRITE call %d as ended, merged into %d", s.w[j].tgt+1, w.tgt+1)
			return
		}
		m.apply(&n, w.tgt, Call{state: cEnded, caller: d.user, born: bornBusy}, w.cmd, bad)
		w.v, w.res = n.calls[w.tgt], aCallerBusy
		m.post(&w)
		put("WRITE call %d as ended, caller_busy", w.tgt+1)
	case pEarly:
		w.pc = pCommit
		b := m.build(&d, w.v, w.got, w.late, s.now)
		b.seq = w.base + 1
		if at, ok := b.waitsFor(b.seq); ok {
			n.timers[w.tgt][m.timerKey(b.seq)] = at
		}
		put("write timer %d.%d, before the commit", w.tgt+1, w.base+1)
	case pCommit:
		if tgt.seq != w.base {
			w.lead()
			put("commit of call %d refused (10071)", w.tgt+1)
			return
		}
		nc := w.v
		if d.verb == vInvite || d.verb == vAdd {
			nc = m.build(&d, w.v, w.got, w.late, s.now)
		} else {
			nc, _, _ = m.decide(&d, w.v, w.clock)
		}
		m.checkHangup(s, &w, &d, &nc, bad)
		if d.verb == vAdd {
			nc.names[w.cmd] = m.refusedBy(&d, &w.v)
		}
		m.apply(&n, w.tgt, nc, w.cmd, bad)
		w.v, w.res = n.calls[w.tgt], aOK
		if w.cmd != cmdExpire {
			w.names = m.namesOf(&w.v, w.cmd)
		}
		m.post(&w)
		put("COMMIT call %d seq %d: %s", w.tgt+1, n.calls[w.tgt].seq, showCall(&n.calls[w.tgt]))
		if s.left.lost > 0 {
			n.left.lost--
			w = s.w[j]
			w.lead()
			put("COMMIT call %d seq %d, its acknowledgement is lost", w.tgt+1, n.calls[w.tgt].seq)
		}
	case pReach:
		if m.on(rReachID) {
			n.reach[w.tgt][w.rseq] = w.rat
		} else {
			n.timers[w.tgt][m.timerKey(w.rseq)] = w.rat
		}
		k, at := w.rseq, w.rat
		w.rseq, w.rat = 0, 0
		if w.pc = pTimer; w.tseq == 0 {
			m.nextRelease(&w, 0)
		}
		put("WRITE reach timer %d.%d for %d", s.w[j].tgt+1, k, at)
	case pFenceOwn:
		if tgt.seq != w.base {
			w.lead()
			put("fence of call %d refused (10071)", w.tgt+1)
			return
		}
		m.apply(&n, w.tgt, fence(*tgt, d.user), w.cmd, bad)
		w.v, w.res = n.calls[w.tgt], aNotFound
		m.post(&w)
		put("WRITE call %d as ended, failed, fenced for %s", w.tgt+1, showSet(n.calls[w.tgt].fenced))
	case pTimer:
		n.timers[w.tgt][m.timerKey(w.tseq)] = w.tat
		k, at := w.tseq, w.tat
		w.tseq, w.tat = 0, 0
		if m.on(rTimerBeforeAck) {
			m.nextRelease(&w, 0)
		} else {
			w = Worker{}
		}
		put("WRITE timer %d.%d for %d", s.w[j].tgt+1, k, at)
	case pRel:
		w.l, w.fresh = s.lines[w.u], true
		for _, e := range w.l {
			if e.call == w.tgt+1 && (w.v.seq > e.seq || !m.on(rReleaseDead)) {
				w.pc = pRelease
				put("line %s has a dead entry of call %d", users[w.u], w.tgt+1)
				return
			}
		}
		m.nextRelease(&w, w.u+1)
		put("nothing to release on line %s", users[s.w[j].u])
	case pRelease:
		if !w.fresh {
			w.pc, w.l = pRel, Line{}
			put("release of line %s refused (revision)", users[w.u])
			return
		}
		n.writeLine(w.u, w.l.only(func(i int) bool { return w.l[i].call != w.tgt+1 }, Entry{}))
		m.nextRelease(&w, w.u+1)
		put("RELEASE line %s", users[s.w[j].u])
	case pAckRefusal:
		n.cmd[w.cmd].acked = 1
		w.pc = pAnswer
		put("acknowledge, then answer the refusal")
	case pAnswer:
		q := &n.cmd[w.cmd]
		q.answers |= w.res
		if d.verb == vAdd && w.res == aOK {
			if q.named && q.names != w.names {
				bad("I13 two answers to one add name different callees as refused")
			}
			q.names, q.named = w.names, true
		}
		if d.verb == vBack && w.res == aOK {
			n.returned(&m.cfg, d.user, w.tgt, s.calls[w.tgt].by[w.cmd])
		}
		w.pc = pAck
		put("answer %s", showAnswers(w.res))
	case pAck:
		if w.cmd != cmdExpire {
			n.cmd[w.cmd].acked = 1
		}
		if w.tseq != 0 {
			w.pc = pTimer
		} else {
			w = Worker{}
		}
		put("acknowledge")
	}
}

// admit may turn a command away before the worker reads anything, because its app or the storage is over its limit.
// Only a first delivery may be turned away: an earlier one may have claimed lines, or committed.
func (m *Model) admit(s *State, j int, out emit) {
	n, w := *s, s.w[j]
	q := &n.cmd[w.cmd]
	put := func(l string) {
		x := n
		x.w[j] = w
		out(&x, "[%s] "+l, m.what(&s.w[j]))
	}
	switch w.pc {
	case pAdmit:
		w.pc = pLoad
		if w.nth != 1 { // so that all deliveries past admission are equal
			w.nth = 0
		}
		put("admitted")
		w = s.w[j]
		known := m.on(rAdmitKnown) && m.knows(&s.calls[w.tgt], w.cmd)
		if first := w.nth == 1 && !(q.before && m.on(rAdmitSince)); s.left.turn > 0 && !known && (first || !m.on(rAdmitFirst)) {
			n.left.turn--
			if w.pc = pAckNotAdmitted; !m.on(rAdmitAckFirst) {
				w.pc = pAnswerNotAdmitted
			}
			put("refused by admission")
		}
	case pAckNotAdmitted:
		if m.on(rAdmitLease) && q.times != w.nth {
			w = Worker{}
			put("another worker may have it: left to them")
			return
		}
		q.acked, q.turned = 1, max(q.turned, 1)
		if w.pc = pAnswerNotAdmitted; !m.on(rAdmitAckFirst) {
			w = Worker{}
		}
		put("acknowledge the refusal of admission")
	case pAnswerNotAdmitted:
		q.turned = 2
		if w.pc = pAckNotAdmitted; m.on(rAdmitAckFirst) {
			w = Worker{}
		}
		put("answer the refusal of admission")
	}
}

func (m *Model) timerKey(k int8) int8 {
	if m.on(rDeadlineID) {
		return k
	}
	return 0
}

// readLine looks for the worker's own call on the line. If it is not there, the worker checks the other entries one by
// one.
func (m *Model) readLine(w *Worker, l Line, fresh bool) {
	w.l, w.fresh, w.i, w.keep = l, fresh, 0, [maxCap]bool{}
	for i := range l {
		w.keep[i] = l[i].call != 0
		if l[i].call != w.tgt+1 {
			continue
		}
		switch {
		case l[i].seq == w.base || !m.on(rEntrySeq):
			w.got[w.u] = gotLine // an earlier delivery of this command has claimed it
			d := m.def(w)
			m.nextClaim(w, &d)
		case l[i].seq < w.base: // dead: it is replaced
			w.keep[i] = false
			w.pc = pTake
		default:
			w.lead() // our view is older than a claim by our own call
		}
		return
	}
	m.nextEntry(w)
}

func (m *Model) judged(w *Worker, keep bool) {
	w.keep[w.i] = keep
	w.i++
	m.nextEntry(w)
}

func (m *Model) nextEntry(w *Worker) {
	kept := 0
	for i := range w.l {
		if w.keep[i] {
			kept++
		}
	}
	for ; int(w.i) < len(w.l); w.i++ {
		if w.l[w.i].call != 0 && w.keep[w.i] {
			w.pc = pHolder
			return
		}
	}
	d := m.def(w)
	switch {
	case kept < max(1, int(m.cfg.cap)):
		w.pc = pTake
	case d.verb == vInvite && d.user == w.u:
		w.dropLine()
		w.u = 0
		if w.born, w.pc = bornBusy, pBorn; !m.on(rBornBusy) {
			w.res, w.checkLines = aCallerBusy, true
			m.post(w)
		}
	default:
		w.got[w.u] = gotBusy
		m.nextClaim(w, &d)
	}
}

// mayBeOld reports whether a claim in flight may get older than 30 s. Normally that includes the claim of a live worker
// that is slow. It does not in scenarios where commands are given up. Otherwise live claims could use up the budget,
// and dead ones would never be removed.
func (m *Model) mayBeOld(s *State, call int8) bool {
	for j := range s.w {
		if m.cfg.giveUp > 0 && s.w[j].pc != pIdle && s.w[j].tgt == call {
			return false
		}
	}
	return s.left.old > 0
}

// holder classifies one entry: live, in flight (its call has not moved since the claim), or dead.
func (m *Model) holder(s *State, j int, out emit) {
	n, w := *s, s.w[j]
	d := m.def(&w)
	put := func(l string, a ...any) {
		x := n
		x.w[j] = w
		out(&x, "[%s] line %s, entry %d/%d: "+l, append([]any{m.what(&s.w[j]), users[s.w[j].u], s.w[j].l[s.w[j].i].call, s.w[j].l[s.w[j].i].seq}, a...)...)
	}
	e := w.l[w.i]
	h := &s.calls[e.call-1]
	dead := func(h *Call) bool { return !h.on(w.u) && (h.seq > e.seq || !m.on(rEntrySeq) && h.seq > 0) }
	if p := &s.prev[e.call-1]; s.left.stale > 0 && m.cfg.staleLines && dead(p) { // a dead entry stays dead
		n.left.stale--
		m.judged(&w, false)
		put("dead, by a STALE read")
		n, w = *s, s.w[j]
	}
	switch {
	case h.on(w.u):
		if d.verb == vInvite && len(d.callees) == 1 && h.u[d.user] == uPending && h.caller == d.callees[0] && (m.on(rGlareEvery) || w.l[maxCap-1].call != 0 || m.cfg.cap < 2) {
			w = Worker{cmd: w.cmd, pc: pBorn, tgt: w.tgt, base: w.base, born: bornMerged, fo: e.call, foAtt: h.att[d.user]}
			if !m.on(rBornMerged) {
				w = Worker{cmd: w.cmd, pc: pLead, merged: true, tgt: e.call - 1, foAtt: h.att[d.user]}
			}
			put("glare, to be merged")
			return
		}
		m.judged(&w, true)
		put("live")
	case dead(h):
		m.judged(&w, false)
		put("dead")
	default:
		if m.mayBeOld(s, e.call-1) && (h.seq == 0 || m.on(rFenceAdd) || !m.on(rFence)) {
			n.left.old--
			if m.on(rFence) {
				w.fo, w.foSeq, w.pc = e.call, e.seq, pFence
				w.dropLine()
			} else {
				m.judged(&w, false)
			}
			put("in flight and older than 30 s")
			n, w = *s, s.w[j]
		}
		if !m.on(rWait) || !m.on(rWaitRoom) && w.l[maxCap-1].call == 0 && m.cfg.cap > 1 {
			m.judged(&w, true)
			put("in flight, counts as busy")
			return
		}
		if m.on(rNak) {
			m.nak(&n, &w)
			put("in flight, nak'ed")
			return
		}
		w.dropLine()
		w.pc = pLine
		put("in flight, wait")
	}
}
