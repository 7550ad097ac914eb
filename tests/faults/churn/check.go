package churn

import (
	"fmt"
	"slices"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/check"
)

// verdict collects the results of one check.
type verdict struct {
	figure check.Figure
	list   []check.Violation
}

func (v *verdict) looked() { v.figure.Looked++ }

func (v *verdict) found(callID, format string, args ...any) {
	v.figure.Violations++
	v.list = append(v.list, check.Violation{Check: v.figure.Check, CallID: callID, Text: fmt.Sprintf(format, args...)})
}

// Result is the result of Check.
type Result struct {
	check.Report
	Notifications int             // notifications for the clients' users
	Latencies     []time.Duration // from the stream to a connected client
}

// The checks.
const (
	checkShown    = "shown"    // a call that rang while a client was connected, or still rang when it connected, was shown
	checkNotified = "notified" // a connected client received everything else that it had to receive or had missed
	checkFinal    = "final"    // at the end, the client's last state of every shown call is correct
	checkTrue     = "true"     // everything shown was true
	checkTwice    = "twice"    // nothing was reported twice
)

// run is one check of a history.
type run struct {
	History
	*truth
	verdicts  map[string]*verdict
	latencies []time.Duration
	slow      slowness
}

// Check compares what the clients received with the stored calls.
func Check(h History) (Result, error) {
	users := map[string]bool{}
	for _, c := range h.Clients {
		users[c.User] = true
	}
	t, err := truthOf(h, users)
	if err != nil {
		return Result{}, err
	}
	r := &run{History: h, truth: t, verdicts: map[string]*verdict{}, slow: newSlowness(h.Pulses, h.Grace/2)}
	names := []string{checkShown, checkNotified, checkFinal, checkTrue, checkTwice}
	for _, name := range names {
		r.verdicts[name] = &verdict{figure: check.Figure{Check: name}}
	}
	for _, c := range h.Clients {
		r.client(c)
	}
	r.pulses()
	for _, id := range t.open {
		r.verdicts[checkFinal].found(id, "it never ended")
	}
	result := Result{Notifications: t.notifications, Latencies: r.latencies}
	for _, name := range names {
		result.Figures = append(result.Figures, r.verdicts[name].figure)
		result.Violations = append(result.Violations, r.verdicts[name].list...)
	}
	return result, nil
}

func (r *run) client(c Client) {
	seen := map[string][]Sight{}
	for _, s := range c.Sights {
		seen[s.CallID] = append(seen[s.CallID], s)
	}
	for callID, changes := range r.of[c.User] {
		r.published(c, callID, changes, seen[callID])
		for _, p := range c.Periods {
			r.period(c, p, callID, changes, seen[callID])
		}
		r.final(c, callID, changes, seen[callID])
	}
	for _, s := range c.Sights {
		r.isTrue(c, s)
	}
	r.twice(c)
}

// pulses checks that every pulse arrived.
func (r *run) pulses() {
	v := r.verdicts[checkNotified]
	for _, p := range r.Pulses {
		if v.looked(); p.Came == 0 {
			v.found("", "a pulse of %s never arrived", clock(p.Sent))
		}
	}
}

// published checks that every user was notified on NATS. An invitation past its deadline is not published: the
// timeout follows it.
func (r *run) published(c Client, callID string, changes []change, seen []Sight) {
	v := r.verdicts[checkNotified]
	for i, m := range changes {
		switch {
		case m.received != 0:
		case m.rings && i+1 < len(changes) && changes[i+1].is.Mine == events.StateTimedOut:
			v.figure.Exempt++
		default:
			v.found(callID, "NATS had no notification to %s of seq %d (%s) of %s; whether %s knew it or something newer: %s",
				c.User, m.seq, m.is.Mine, clock(m.at), c.Device, later(knownAt(seen, m.seq)))
		}
	}
}

// period checks that one connection received what it had to know of a call.
func (r *run) period(c Client, p Period, callID string, changes []change, seen []Sight) {
	for _, m := range changes {
		live := m.received >= p.Opened
		by := max(m.received, p.Opened) + int64(r.Grace)
		if m.received == 0 || by > p.Left || !live && !missed(p, callID, m, changes) || live && !m.notified {
			continue
		}
		v := r.verdicts[checkNotified]
		if m.rings {
			v = r.verdicts[checkShown]
		}
		v.looked()
		at, known := knownAt(seen, m.seq)
		switch {
		case (!known || at > by) && r.broken(c.Edge, p.Opened, by):
			v.figure.Exempt++
		case (!known || at > by) && r.slow.within(max(m.received, p.Opened), by):
			v.figure.Exempt++
		case !known || at > by:
			v.found(callID, "%s of %s did not know seq %d (%s) of %s; connected from %s to %s; %s", c.Device, c.User, m.seq,
				m.is.Mine, clock(m.at), clock(p.Opened), clock(p.Left), later(at, known))
		case live:
			r.latencies = append(r.latencies, time.Duration(at-m.at))
		}
	}
}

// leavesBehind is the time that an edge may need to recover after a fault.
const leavesBehind = 3 * time.Second

// broken reports whether the edge was broken, or may have been recovering, in this interval.
func (r *run) broken(edge string, from, to int64) bool {
	return slices.ContainsFunc(r.Breaks, func(b Break) bool {
		return b.Edge == edge && b.From <= to && b.To+int64(leavesBehind) >= from
	})
}

func later(at int64, known bool) string {
	if !known {
		return "it never did"
	}
	return "it did at " + clock(at)
}

// settles is the read delay for a transition without a notification. For example, callers receive no
// notification of their own invitation.
const settles = 250 * time.Millisecond

// missed reports whether a transition from before the connection had to be in the snapshot, or right after
// it.
func missed(p Period, callID string, m change, changes []change) bool {
	now, _ := newest(changes, p.Opened)
	if now.seq != m.seq || !m.notified && m.at+int64(settles) > p.Asked {
		return false
	}
	return m.is.On || slices.Contains(p.Showing, callID)
}

// knownAt returns when a client first knew this seq of a call or a newer one, or that the call is over.
func knownAt(seen []Sight, seq int) (at int64, known bool) {
	for _, s := range seen {
		if s.Seq >= seq || s.Gone {
			return s.At, true
		}
	}
	return 0, false
}

// final checks that the client's last state of a shown call is correct.
func (r *run) final(c Client, callID string, changes []change, seen []Sight) {
	shown := false
	for _, s := range seen {
		shown = shown || s.Is.On
	}
	if !shown {
		return
	}
	v := r.verdicts[checkFinal]
	v.looked()
	really, last := changes[len(changes)-1].is, seen[len(seen)-1]
	if last.Gone && !really.On || last.Is.Mine == really.Mine && last.Is.Attempt == really.Attempt {
		return
	}
	v.found(callID, "%s of %s knows it as %+v, but it is %+v", c.Device, c.User, last.Is, really)
}

// isTrue checks that a sight matches the stored call.
func (r *run) isTrue(c Client, s Sight) {
	v := r.verdicts[checkTrue]
	v.looked()
	changes := r.of[c.User][s.CallID]
	if s.Gone {
		if now, ok := newest(changes, s.At); !ok || now.is.On {
			v.found(s.CallID, "%s was notified at %s of the end for %s, but it had not ended", c.Device, clock(s.At), c.User)
		}
		return
	}
	for _, m := range changes {
		if m.seq == s.Seq {
			if m.is != s.Is {
				v.found(s.CallID, "%s was shown %+v at seq %d, but it was %+v", c.Device, s.Is, s.Seq, m.is)
			}
			return
		}
	}
	v.found(s.CallID, "%s was shown seq %d, which never existed for %s", c.Device, s.Seq, c.User)
}

func (r *run) twice(c Client) {
	v := r.verdicts[checkTwice]
	count := map[Fact]int{}
	for _, f := range c.Facts {
		v.looked()
		if count[f]++; count[f] == 2 {
			v.found(f.CallID, "%s notified its app twice: %+v", c.Device, f)
		}
	}
}

func clock(at int64) string { return time.Unix(0, at).UTC().Format("15:04:05.000") }
