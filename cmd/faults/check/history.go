package check

// history: the stored transitions of each call are numbered without gap or double, and each follows from the one before
// by worker/call and a command that somebody sent, to the last byte.
func history(r *run, v *verdict) {
	for _, m := range r.garbage {
		v.looked()
		v.failApp("", "", "%s, stored at %s: no transition: %.200s", m.Subject, r.when(m.At), m.Data)
	}
	r.each(v, func(s *story, v *verdict) {
		for i, st := range s.steps {
			v.looked()
			v.count("event "+string(st.Event), 1)
			if before := s.state(i); st.Seq != before.Seq+1 {
				v.fail(s, "%s follows seq %d, want seq %d", r.describe(st), before.Seq, before.Seq+1)
				continue
			}
			if st.problem != "" {
				v.fail(s, "%s: %s", r.describe(st), st.problem)
			}
		}
	})
}
