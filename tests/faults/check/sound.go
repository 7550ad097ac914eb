package check

// sound checks that the history itself is consistent. A violation here is a bug of the harness, and weakens
// all other checks.
func sound(r *run, v *verdict) {
	r.soundSent(v)
	for _, a := range r.Answers {
		v.looked()
		if m := r.answers[a.N]; m == nil {
			v.failApp("", "", "an answer at %s is to message %d, which was not sent", r.when(a.At), a.N)
		} else if a.At < m.At {
			v.failApp(m.App, m.CallID, "message %d was answered at %s, before it was sent", m.N, r.when(a.At))
		}
	}
	for _, t := range r.Notifications {
		if v.looked(); t.Watcher < 0 || t.Watcher >= r.Run.Watchers {
			v.failApp(t.App, t.CallID, "watcher %d received a message, but there are %d watchers", t.Watcher, r.Run.Watchers)
		}
	}
	for _, g := range r.Gaps {
		if v.looked(); g.Watcher < 0 || g.Watcher >= r.Run.Watchers || g.To < g.From {
			v.failApp("", "", "invalid gap: %+v", g)
		}
	}
	for _, f := range r.Faults {
		if v.looked(); f.To < f.From || f.To > r.Run.Healed {
			v.failApp("", "", "%s, but all faults were repaired at %s", r.describeFault(f), r.when(r.Run.Healed))
		}
	}
	if x := r.Run; x.Began > x.Healed || x.Healed > x.Stopped || x.Stopped > x.Read || x.Watchers < 1 || x.Nodes < 1 {
		v.failApp("", "", "invalid run: %+v", x)
	}
}

// soundSent checks that every message has a unique number, and that it is malformed only if intended.
func (r *run) soundSent(v *verdict) {
	for _, m := range r.messages {
		v.looked()
		switch {
		case r.answers[m.N] != m:
			v.failApp(m.App, m.CallID, "two messages have the number %d", m.N)
		case m.Acked != 0 && m.Acked < m.At:
			v.failApp(m.App, m.CallID, "%s was acknowledged before it was sent", r.describeSent(m))
		case m.bad != nil && !m.Bad:
			v.failApp(m.App, m.CallID, "%s is malformed: %v", r.describeSent(m), m.bad)
		case m.bad == nil && m.Bad:
			v.failApp(m.App, m.CallID, "%s should be malformed, but is not", r.describeSent(m))
		case m.command != nil && m.command.Verb.Internal() && m.command.Service != "":
			v.failApp(m.App, m.CallID, "%s pretends to be a worker", r.describeSent(m))
		}
	}
}
