package churn

import (
	"fmt"
	"slices"
	"time"

	"ringline.io/ringline/cmd/faults/check"
	"ringline.io/ringline/events"
)

// verdict collects what a check looked at and what it found.
type verdict struct {
	figure check.Figure
	list   []check.Violation
}

func (v *verdict) looked() { v.figure.Looked++ }

func (v *verdict) found(callID, format string, args ...any) {
	v.figure.Violations++
	v.list = append(v.list, check.Violation{Check: v.figure.Check, CallID: callID, Text: fmt.Sprintf(format, args...)})
}

// Result is what Check found.
type Result struct {
	check.Report
	Notifications int             // that were made for the clients' users
	Latencies     []time.Duration // from the stream to a client that was connected
}

// The checks.
const (
	checkShown = "shown" // what rang while a client was connected, or before and still did, was shown there
	checkTold  = "told"  // what else it had to hear while connected, or had missed, it heard
	checkFinal = "final" // in the end every call that it ever showed stands as it really does
	checkTrue  = "true"  // nothing was shown that was not so
	checkTwice = "twice" // nothing was told twice
)

// run is one check of a history.
type run struct {
	History
	*truth
	verdicts  map[string]*verdict
	latencies []time.Duration
	slow      slowness
}

// Check holds what clients got to know against what was so.
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
	names := []string{checkShown, checkTold, checkFinal, checkTrue, checkTwice}
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
	for callID, moments := range r.of[c.User] {
		r.heard(c, callID, moments, seen[callID])
		for _, p := range c.Periods {
			r.period(c, p, callID, moments, seen[callID])
		}
		r.final(c, callID, moments, seen[callID])
	}
	for _, s := range c.Sights {
		r.isTrue(c, s)
	}
	r.twice(c)
}

// pulses wants every pulse to have come.
func (r *run) pulses() {
	v := r.verdicts[checkTold]
	for _, p := range r.Pulses {
		if v.looked(); p.Came == 0 {
			v.found("", "a pulse of %s never came", clock(p.Sent))
		}
	}
}

// heard wants everybody to have been told at all. Nobody is made to ring whose time is over: that is told him next.
func (r *run) heard(c Client, callID string, moments []moment, seen []Sight) {
	v := r.verdicts[checkTold]
	for i, m := range moments {
		switch {
		case m.heard != 0:
		case m.rings && i+1 < len(moments) && moments[i+1].is.Mine == events.StateTimedOut:
			v.figure.Exempt++
		default:
			v.found(callID, "nobody told %s of seq %d (%s) of %s on NATS; whether %s knew it or something newer: %s",
				c.User, m.seq, m.is.Mine, clock(m.at), c.Device, later(knownAt(seen, m.seq)))
		}
	}
}

// period wants what had to be known of a call in one connection.
func (r *run) period(c Client, p Period, callID string, moments []moment, seen []Sight) {
	for _, m := range moments {
		live := m.heard >= p.Opened
		by := max(m.heard, p.Opened) + int64(r.Grace)
		if m.heard == 0 || by > p.Left || !live && !missed(p, callID, m, moments) || live && !m.told {
			continue
		}
		v := r.verdicts[checkTold]
		if m.rings {
			v = r.verdicts[checkShown]
		}
		v.looked()
		at, known := knownAt(seen, m.seq)
		switch {
		case (!known || at > by) && r.broken(c.Edge, p.Opened, by):
			v.figure.Exempt++
		case (!known || at > by) && r.slow.within(max(m.heard, p.Opened), by):
			v.figure.Exempt++
		case !known || at > by:
			v.found(callID, "%s of %s did not know seq %d (%s) of %s; connected from %s to %s; %s", c.Device, c.User, m.seq,
				m.is.Mine, clock(m.at), clock(p.Opened), clock(p.Left), later(at, known))
		case live:
			r.latencies = append(r.latencies, time.Duration(at-m.at))
		}
	}
}

// leavesBehind is how long an edge may need to be itself again, once it was broken.
const leavesBehind = 3 * time.Second

// broken says whether the edge was, or may not have been itself again, between these times.
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

// settles is how long what nobody is told of may take to be read: a caller is not told of his own invitation.
const settles = 250 * time.Millisecond

// missed says whether what happened before the connection opened had to be in its snapshot, or to come right behind it.
func missed(p Period, callID string, m moment, moments []moment) bool {
	now, _ := newest(moments, p.Opened)
	if now.seq != m.seq || !m.told && m.at+int64(settles) > p.Asked {
		return false
	}
	return m.is.On || slices.Contains(p.Showing, callID)
}

// knownAt gives when a client knew this seq of a call, or a newer one, or that it is over.
func knownAt(seen []Sight, seq int) (at int64, known bool) {
	for _, s := range seen {
		if s.Seq >= seq || s.Gone {
			return s.At, true
		}
	}
	return 0, false
}

// final wants a call that was ever shown to stand as it really does.
func (r *run) final(c Client, callID string, moments []moment, seen []Sight) {
	shown := false
	for _, s := range seen {
		shown = shown || s.Is.On
	}
	if !shown {
		return
	}
	v := r.verdicts[checkFinal]
	v.looked()
	really, last := moments[len(moments)-1].is, seen[len(seen)-1]
	if last.Gone && !really.On || last.Is.Mine == really.Mine && last.Is.Attempt == really.Attempt {
		return
	}
	v.found(callID, "%s of %s knows it as %+v, and it is %+v", c.Device, c.User, last.Is, really)
}

// isTrue wants what was shown to have been so.
func (r *run) isTrue(c Client, s Sight) {
	v := r.verdicts[checkTrue]
	v.looked()
	moments := r.of[c.User][s.CallID]
	if s.Gone {
		if now, ok := newest(moments, s.At); !ok || now.is.On {
			v.found(s.CallID, "%s was told at %s that it is over for %s, and it was not", c.Device, clock(s.At), c.User)
		}
		return
	}
	for _, m := range moments {
		if m.seq == s.Seq {
			if m.is != s.Is {
				v.found(s.CallID, "%s was shown %+v at seq %d, and it was %+v", c.Device, s.Is, s.Seq, m.is)
			}
			return
		}
	}
	v.found(s.CallID, "%s was shown seq %d, which there never was for %s", c.Device, s.Seq, c.User)
}

func (r *run) twice(c Client) {
	v := r.verdicts[checkTwice]
	count := map[Fact]int{}
	for _, f := range c.Facts {
		v.looked()
		if count[f]++; count[f] == 2 {
			v.found(f.CallID, "%s told its app twice: %+v", c.Device, f)
		}
	}
}

func clock(at int64) string { return time.Unix(0, at).UTC().Format("15:04:05.000") }
