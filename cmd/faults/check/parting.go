package check

import "ringline.io/ringline/events"

// parting, by hand from the table of CONTRACT, section 3: when a party leaves and the call goes on, everybody else who is in it
// hears participant_left about them. A watcher hears it between when it is stored and when the leave is answered, unless they
// missed something then.
func parting(r *run, v *verdict) {
	type told struct {
		watcher              int
		app, to, call, about string
		seq                  int
	}
	heard := map[told]bool{}
	for _, t := range r.Told {
		if t.Event == "participant_left" {
			heard[told{t.Watcher, t.App, t.To, t.CallID, t.UserID, t.Seq}] = true
		}
	}
	for _, s := range r.stories {
		for _, st := range s.steps {
			p, ok := byHand(st)
			if !ok || p.Data.Event != "left" || p.Data.Call.State == "ended" || len(p.Data.Changes) == 0 {
				continue
			}
			leaver, until := p.Data.Changes[0].UserID, r.lastTold(s, st)
			for _, user := range p.Data.Call.in() {
				for w := range r.gaps {
					switch v.looked(); {
					case user == leaver, heard[told{w, s.app, events.Escape(user), s.call, leaver, st.Seq}]:
					case r.missed(w, st.at-int64(slow), until+int64(slow)):
						v.exempt("the watcher may have missed it")
					default:
						v.fail(s, "watcher %d never heard that %s is told participant_left about %s of %s; it was told by %s", w, user, leaver,
							r.describe(st), r.when(until))
					}
				}
			}
		}
	}
}
