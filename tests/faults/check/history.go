package check

// history checks that the stored transitions of each call are numbered without gaps or duplicates. Each one
// must follow, byte for byte, from the one before by worker/call and a command that was sent.
func history(r *run, v *verdict) {
	for _, m := range r.malformed {
		v.looked()
		v.failApp("", "", "%s, stored at %s: malformed transition: %.200s", m.Subject, r.when(m.At), m.Data)
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
