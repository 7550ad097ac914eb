package check

import "ringline.io/ringline/events"

// parting checks that when a party leaves and the call continues, everyone else in the call receives
// participant_left, and so does a pending callee whose caller or inviter left. A watcher must receive it between the storage of the transition and the answer to the
// leave, unless it had a gap then. It is written from the table of CONTRACT, section 3.
func parting(r *run, v *verdict) {
	type receipt struct {
		watcher              int
		app, to, call, about string
		seq                  int
	}
	received := map[receipt]bool{}
	for _, t := range r.Notifications {
		if t.Event == "participant_left" {
			received[receipt{t.Watcher, t.App, t.To, t.CallID, t.UserID, t.Seq}] = true
		}
	}
	for _, s := range r.stories {
		for _, st := range s.steps {
			p, ok := byHand(st)
			if !ok || p.Data.Event != "left" || p.Data.Call.State == "ended" || len(p.Data.Changes) == 0 {
				continue
			}
			leaver, until := p.Data.Changes[0].UserID, r.publishedBy(s, st)
			for _, user := range append(p.Data.Call.in(), p.Data.Call.rungBy(leaver)...) {
				for w := range r.gaps {
					switch v.looked(); {
					case user == leaver, received[receipt{w, s.app, events.Escape(user), s.call, leaver, st.Seq}]:
					case r.missed(w, st.at-int64(slow), until+int64(slow)):
						v.exempt("the watcher may have missed it")
					default:
						v.fail(s, "watcher %d never received participant_left to %s about %s of %s; it was sent by %s", w, user, leaver,
							r.describe(st), r.when(until))
					}
				}
			}
		}
	}
}
